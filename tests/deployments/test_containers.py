"""Checks of the container files without building images: they name existing things, and match each other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import prefect
import pytest
import yaml

from deployments.provisioning.pools import TARGETS, template_of
from flows.local.pruning import retention
from hnintel.settings import Settings
from tests.conftest import ROOT

DOCKERFILE = (ROOT / "deployments" / "Dockerfile").read_text(encoding="utf-8")

COLLECTION = Path(prefect.__file__).parent / "server/api/collections_data/views/aggregate-worker-metadata.json"


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


def compose() -> dict[str, Any]:
    """Return the compose file with its anchors resolved."""
    (told,) = documents("compose.yaml")
    return told


def test_compose_waits_for_what_it_has() -> None:
    services = compose()["services"]
    assert services.keys() == {"postgres", "redis", "server", "background", "worker"}
    for service in services.values():
        for name, waits in service.get("depends_on", {}).items():
            assert waits["condition"] == "service_healthy"
            assert "healthcheck" in services[name]
    for name in ("server", "background"):
        assert services[name]["environment"]["PREFECT_MESSAGING_BROKER"] == "prefect_redis.messaging"
    assert (ROOT / "deployments" / services["worker"]["build"]["context"]).resolve() == ROOT


@pytest.mark.parametrize("name", sorted(compose()["services"]))
def test_a_service_of_compose_has_no_rights_to_spare(name: str) -> None:
    service = compose()["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    assert not {"privileged", "cap_add", "devices", "network_mode", "pid", "userns_mode"} & service.keys()
    assert "docker.sock" not in str(service.get("volumes"))
    assert name == "worker" or service["user"] not in ("root", "0")  # the worker's user is that of its image


def test_compose_publishes_the_server_alone_and_to_this_machine_alone() -> None:
    published = {name: one["ports"] for name, one in compose()["services"].items() if "ports" in one}
    assert published == {"server": ["127.0.0.1:4200:4200"]}


def test_only_the_servers_processes_reach_the_stores_of_compose() -> None:
    told = compose()
    assert told["networks"]["stores"] == {"internal": True}
    by_network = {
        network: {name for name, one in told["services"].items() if network in one["networks"]}
        for network in told["networks"]
    }
    assert by_network == {
        "stores": {"postgres", "redis", "server", "background"},
        "api": {"server", "background", "worker"},
    }


def test_compose_starts_nothing_without_its_secrets_and_has_none_in_it() -> None:
    text = (ROOT / "deployments" / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{([^}]*)\}", text)) == {
        "POSTGRES_PASSWORD:?set it",
        "REDIS_PASSWORD:?set it",
        "PREFECT_SERVER_API_AUTH_STRING:?set it",
    }
    services = compose()["services"]
    secret = re.compile("PASSWORD|AUTH|DATABASE_CONNECTION_URL|DOCKET_URL")
    for service in services.values():
        for name, value in service["environment"].items():
            assert not secret.search(name) or ":?set it}" in str(value), name
    assert (
        services["worker"]["environment"]["PREFECT_API_AUTH_STRING"]
        == (services["server"]["environment"]["PREFECT_SERVER_API_AUTH_STRING"])
    )
    assert "${" not in str(services["redis"]["command"])


def test_the_server_of_compose_takes_requests_of_its_own_pages_and_its_own_names() -> None:
    server = compose()["services"]["server"]
    published = server["ports"][0].removesuffix(":4200").removeprefix("127.0.0.1:")
    origins = server["environment"]["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"].split(",")
    assert origins == [f"http://127.0.0.1:{published}", f"http://localhost:{published}"]
    assert server["environment"]["PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED"] == "true"
    assert "guarded_server.py" in server["command"]
    worker = urlsplit(compose()["services"]["worker"]["environment"]["PREFECT_API_URL"])
    assert re.findall(r"--allow-host (\S+)", server["command"]) == [worker.hostname]


def test_the_server_of_compose_deletes_old_runs_as_make_serve_does() -> None:
    environment = compose()["services"]["background"]["environment"]
    wanted = retention(Settings(source="sample").prefect_keep_days)
    assert {name: str(environment[name]) for name in wanted} == wanted


def images() -> list[str]:
    """Return every image that our files name."""
    found = [one["image"] for one in compose()["services"].values() if "image" in one]
    for one in documents("kubernetes/worker.yaml"):
        found += re.findall(r"'image': '([^']*)'", str(one))
    return [*found, *re.findall(r"^ARG \w+_IMAGE=(\S+)", DOCKERFILE, re.MULTILINE)]


@pytest.mark.parametrize("image", sorted(set(images())))
def test_an_image_is_named_by_a_digest_or_by_an_exact_tag(image: str) -> None:
    name, _, tag = image.partition("@")[0].rpartition(":")
    assert name
    assert tag not in ("", "latest")
    assert re.search(r"\d", tag)
    assert "@" not in image or re.fullmatch(r".*@sha256:[0-9a-f]{64}", image)


def test_the_kubernetes_worker_may_do_no_more_than_its_own_namespace_needs() -> None:
    kinds = {one["kind"]: one for one in documents("kubernetes/worker.yaml")}
    assert {one["metadata"]["namespace"] for one in documents("kubernetes/worker.yaml")} == {"hn-intelligence"}
    assert "ClusterRole" not in kinds
    worker = kinds["Deployment"]["spec"]["template"]["spec"]
    assert worker["serviceAccountName"] == kinds["RoleBinding"]["subjects"][0]["name"]
    assert TARGETS["kubernetes"].defaults["service_account_name"] == "hn-intelligence"
    assert worker["securityContext"]["runAsNonRoot"] is True


def test_only_the_kubernetes_worker_gets_a_token_of_kubernetes() -> None:
    accounts = [one for one in documents("kubernetes/worker.yaml") if one["kind"] == "ServiceAccount"]
    assert {one["metadata"]["name"]: one["automountServiceAccountToken"] for one in accounts} == {
        "hn-intelligence": False,
        "hn-intelligence-worker": False,
    }
    (worker,) = [one for one in documents("kubernetes/worker.yaml") if one["kind"] == "Deployment"]
    assert worker["spec"]["template"]["spec"]["automountServiceAccountToken"] is True


def pods() -> dict[str, Any]:
    """Return the specification of each pod on Kubernetes: of the worker, and of a run from its pool."""
    (worker,) = [one for one in documents("kubernetes/worker.yaml") if one["kind"] == "Deployment"]
    known = json.loads(COLLECTION.read_text(encoding="utf-8"))
    template = template_of(known, "kubernetes", TARGETS["kubernetes"].defaults, TARGETS["kubernetes"].manifest)
    run = template["job_configuration"]["job_manifest"]["spec"]["template"]["spec"]
    assert run["containers"][0]["image"] == "{{ image }}"  # what the server has is still there
    return {"worker": worker["spec"]["template"]["spec"], "run": run}


@pytest.mark.parametrize("name", ["worker", "run"])
def test_a_pod_has_no_rights_to_spare_and_writes_to_its_own_folders_alone(name: str) -> None:
    pod = pods()[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    volumes = {one["name"]: one for one in pod["volumes"]}
    assert {one["name"] for one in container["volumeMounts"]} == volumes.keys()
    assert all("emptyDir" in one for one in volumes.values())
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()


def test_a_run_on_kubernetes_is_the_images_user_and_may_write_to_that_users_home() -> None:
    run = pods()["run"]
    (user, home) = re.findall(r"useradd .*--uid (\d+) .*--home-dir (\S+)", DOCKERFILE)[0]
    assert run["securityContext"]["runAsUser"] == int(user)
    assert {one["mountPath"] for one in run["containers"][0]["volumeMounts"]} == {"/tmp", home}
    env = run["containers"][0]["env"]
    assert env == "{{ env }}"
    assert TARGETS["kubernetes"].defaults["env"]["HNINTEL_HOME"].startswith("/tmp/")
