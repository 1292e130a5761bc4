"""What is read of the files for containers, where none can be built: they name what there is, and fit each other."""

from __future__ import annotations

import re
from typing import Any

import yaml

from deployments.pools import TARGETS
from tests.conftest import ROOT

DOCKERFILE = (ROOT / "deployments" / "Dockerfile").read_text(encoding="utf-8")


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((ROOT / "deployments" / name).read_text(encoding="utf-8")))


def test_the_image_ends_without_root_and_without_what_built_it() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    (made,) = re.findall(r"useradd .*--uid (\d+) ", last)
    assert re.findall(r"^USER (\w+)$", last, re.MULTILINE) == [made]
    assert int(made) > 0
    assert "pip install" not in last
    assert "apt-get" not in DOCKERFILE
    assert re.search(r"^HEALTHCHECK ", last, re.MULTILINE)


def test_the_cloud_file_finds_the_code_where_the_image_has_it() -> None:
    (cloud,) = documents("prefect.cloud.yaml")
    (step,) = cloud["pull"]
    assert step["prefect.deployments.steps.set_working_directory"]["directory"] in re.findall(
        r"^WORKDIR (.*)$", DOCKERFILE, re.MULTILINE
    )
    pools = {one["work_pool"]["name"] for one in cloud["deployments"]}
    assert pools <= {f"hnintel-{target}" for target in TARGETS}


def test_compose_waits_for_what_it_has() -> None:
    (compose,) = documents("compose.yaml")
    services = compose["services"]
    assert services.keys() == {"postgres", "redis", "server", "background", "worker"}
    for service in services.values():
        for name, waits in service.get("depends_on", {}).items():
            assert waits["condition"] == "service_healthy"
            assert "healthcheck" in services[name]
    for name in ("server", "background"):
        assert services[name]["environment"]["PREFECT_MESSAGING_BROKER"] == "prefect_redis.messaging"
    assert (ROOT / "deployments" / services["worker"]["build"]["context"]).resolve() == ROOT


def test_the_kubernetes_worker_may_do_no_more_than_its_own_namespace_needs() -> None:
    kinds = {one["kind"]: one for one in documents("kubernetes/worker.yaml")}
    assert {one["metadata"]["namespace"] for one in documents("kubernetes/worker.yaml")} == {"hn-intelligence"}
    assert "ClusterRole" not in kinds
    worker = kinds["Deployment"]["spec"]["template"]["spec"]
    assert worker["serviceAccountName"] == kinds["RoleBinding"]["subjects"][0]["name"]
    assert TARGETS["kubernetes"].defaults["service_account_name"] == "hn-intelligence"
    assert worker["securityContext"]["runAsNonRoot"] is True
