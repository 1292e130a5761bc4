"""Work pools of every target: the server's job template with our defaults, and refused values."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import prefect
import pytest
from prefect.workers.base import BaseJobConfiguration
from prefect.workers.process import ProcessWorker

from deployments import provision, serve
from deployments.provision import pool_of
from deployments.provisioning.pools import TARGETS, pool_type, problems, template_of
from deployments.serve import declared, deployed_state, environment
from hnintel.errors import UsageError

_COLLECTION = Path(prefect.__file__).parent / "server/api/collections_data/views/aggregate-worker-metadata.json"


@pytest.fixture(scope="module")
def metadata() -> dict[str, Any]:
    """Return the worker metadata of an open-source server without internet access."""
    found: dict[str, Any] = json.loads(_COLLECTION.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("target", [name for name, one in TARGETS.items() if one.here])
def test_the_template_of_a_target_takes_all_that_we_give(metadata: dict[str, Any], target: str) -> None:
    template = template_of(metadata, pool_type(target, on_cloud=False), TARGETS[target].defaults)
    known = template["variables"]["properties"]
    assert {name: known[name]["default"] for name in TARGETS[target].defaults} == TARGETS[target].defaults


def test_a_default_of_ours_is_what_a_run_gets(metadata: dict[str, Any]) -> None:
    template = template_of(metadata, "kubernetes", TARGETS["kubernetes"].defaults)
    assert template["job_configuration"]["namespace"] == "{{ namespace }}"
    process = template_of(metadata, "process", {"env": {"HNINTEL_HOME": "/srv/hn"}})
    assert (
        process["job_configuration"].keys() == ProcessWorker.get_default_base_job_template()["job_configuration"].keys()
    )
    configuration = BaseJobConfiguration.model_validate(
        {"env": process["variables"]["properties"]["env"]["default"], "command": None}
    )
    assert configuration.env == {"HNINTEL_HOME": "/srv/hn"}


@pytest.mark.parametrize(
    ("defaults", "told"),
    [
        ({"img": "x"}, "it has no variable 'img'"),
        ({"cpu": "plenty"}, "'cpu' is 'plenty': 'plenty' is not"),
        ({"env": {"SNOWFLAKE_PASSWORD": "x"}}, "SNOWFLAKE_PASSWORD would be a secret in plain text"),
        ({"env": {"HNINTEL_OPENAI_API_KEY": "x"}}, "HNINTEL_OPENAI_API_KEY would be a secret in plain text"),
    ],
)
def test_a_default_that_the_template_rejects_is_refused(
    metadata: dict[str, Any], defaults: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=f"the job template of ecs pools: {told}"):
        template_of(metadata, "ecs", defaults)


def test_an_undeclared_placeholder_is_reported(metadata: dict[str, Any]) -> None:
    template = copy.deepcopy(metadata["prefect"]["process"]["default_base_job_configuration"])
    assert list(problems(template, {})) == []
    template["job_configuration"]["command"] = "{{ comand }}"
    assert list(problems(template, {})) == ["its configuration names 'comand', which it does not declare as a variable"]


@pytest.mark.parametrize(("target", "kind"), [("modal", "modal:push"), ("managed", "prefect:managed")])
def test_push_and_managed_pools_are_refused_if_the_server_has_none(target: str, kind: str) -> None:
    with pytest.raises(UsageError, match=f"needs {kind} pools, which are Prefect Cloud's: run `prefect cloud login`"):
        pool_type(target, on_cloud=False)
    assert pool_type(target, on_cloud=True) == kind


def test_containers_push_on_cloud_and_have_a_worker_elsewhere() -> None:
    assert [(pool_type(name, True), pool_type(name, False)) for name in ("ecs", "cloud-run")] == [
        ("ecs:push", "ecs"),
        ("cloud-run-v2:push", "cloud-run-v2"),
    ]
    with pytest.raises(UsageError, match="--target cloud needs Prefect Cloud itself"):
        pool_type("cloud", on_cloud=False)


def test_a_type_that_the_server_does_not_know_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="knows no work pools of type modal:push: it has azure-container-instance"):
        template_of(metadata, "modal:push", {})


def test_a_pool_is_named_by_the_configuration_else_by_its_target() -> None:
    assert pool_of("local", "hnintel") == "hnintel"
    assert pool_of("ecs", "hnintel") == "hnintel-ecs"
    assert pool_of("ecs", "mine") == "mine"


def test_what_is_served_is_ours_alone(tmp_path: Path) -> None:
    environ = environment({"PREFECT_API_URL": "https://elsewhere", "HNINTEL_SOURCE": "sample"}, tmp_path, 4300, "a:b")
    assert environ["PREFECT_API_URL"] == "http://127.0.0.1:4300/api"
    assert (environ["PREFECT_HOME"], environ["HNINTEL_SOURCE"]) == (str(tmp_path), "sample")


def test_it_is_deployed_anew_only_when_that_would_send_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from deployments import serve

    assert deployed_state() == deployed_state()
    assert {"daily", "watch", "spotlight"} <= declared()
    before = deployed_state()
    monkeypatch.setattr(serve, "ROOT", serve.ROOT / "tests")
    with pytest.raises(FileNotFoundError):
        deployed_state()
    assert before


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "4200.5"])
def test_what_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(UsageError, match="is not a port: set a number from 1 to 65535"):
        serve.port_of({"PREFECT_SERVER_API_PORT": port})


@pytest.mark.parametrize("script", [provision.main, serve.main])
def test_an_argument_that_a_script_does_not_take_is_refused_in_one_line(
    script: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert script(["--nothing"]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "error: unrecognized arguments: --nothing (--help tells how)\n")
