"""The workflow on GitHub runs the same checks as ``.ci/run``, on every Python that the project supports."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tests.conftest import ROOT

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]


def commands(text: str) -> set[str]:
    return set(re.findall(r"^\s*make ([a-z-]+)", text, re.MULTILINE))


def test_it_runs_every_target_that_ci_runs() -> None:
    steps = "\n".join(step.get("run", "") for job in JOBS.values() for step in job["steps"])
    assert commands((ROOT / ".ci" / "run").read_text()) == commands(steps) - {"setup"}


@pytest.mark.parametrize("job", JOBS)
def test_it_runs_on_every_python_that_is_supported(job: str) -> None:
    wanted = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
    supported = [f"3.{minor}" for minor in range(30) if wanted.contains(f"3.{minor}.0")]
    assert JOBS[job]["strategy"]["matrix"]["python"] == supported


def test_it_may_read_the_repository_and_nothing_else() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not [name for name, job in JOBS.items() if "permissions" in job]


@pytest.mark.parametrize("job", JOBS)
def test_a_job_that_hangs_is_ended(job: str) -> None:
    assert JOBS[job]["timeout-minutes"] <= 90
