"""The task runner of the parent flow is a setting; the flow is the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prefect.task_runners import ThreadPoolTaskRunner

from flows.task_runner import task_runner
from hnintel.errors import UsageError
from tests.conftest import ROOT
from tests.flows.own_prefect import seed


def test_threads_are_the_default() -> None:
    assert isinstance(task_runner(), ThreadPoolTaskRunner)


def test_a_cluster_that_is_there_is_asked_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNINTEL_TASK_RUNNER", "dask")
    monkeypatch.setenv("HNINTEL_DASK_ADDRESS", "tcp://127.0.0.1:8786")
    runner: Any = task_runner()
    assert (runner.address, runner.cluster_kwargs) == ("tcp://127.0.0.1:8786", {})


def test_missing_dask_is_reported_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNINTEL_TASK_RUNNER", "dask")
    monkeypatch.setitem(sys.modules, "prefect_dask", None)
    with pytest.raises(UsageError, match=r"pip install 'hn-intelligence\[dask\]'"):
        task_runner()


@pytest.mark.slow
def test_a_local_cluster_runs_nothing_for_who_has_no_certificate_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import Client, LocalCluster

    monkeypatch.setenv("HNINTEL_TASK_RUNNER", "dask")
    monkeypatch.setenv("HNINTEL_DASK_WORKERS", "1")
    runner: Any = task_runner()
    with LocalCluster(**runner.cluster_kwargs) as cluster, Client(cluster) as own:
        assert own.submit(sum, [1, 2]).result(60) == 3
        port = cluster.scheduler_address.rpartition(":")[2]
        for address in (f"tcp://127.0.0.1:{port}", f"tls://127.0.0.1:{port}"):
            with pytest.raises((OSError, TypeError)):
                Client(address, timeout=5)


@pytest.mark.slow
def test_a_day_read_by_processes_of_a_local_cluster_is_the_day_read_by_threads(tmp_path: Path) -> None:
    ran = {name: _run(tmp_path / name, HNINTEL_TASK_RUNNER=name) for name in ("threads", "dask")}
    assert ran["dask"]["outcomes"] == ran["threads"]["outcomes"]
    assert ran["dask"]["articles"] == ran["threads"]["articles"]
    assert ran["dask"]["enrichments"] == ran["threads"]["enrichments"]
    assert ran["dask"]["status"] == ran["threads"]["status"] == "partial"


def _run(home: Path, **environment: str) -> dict[str, Any]:
    """Run a whole day of the sample in a separate process."""
    seed(home / "prefect")
    ended = subprocess.run(
        [sys.executable, "flows/main.py", "--source", "sample", "--day", "2026-10-20", "--json"],
        cwd=ROOT,
        env={**os.environ, **environment, "HNINTEL_HOME": str(home), "HNINTEL_CHUNK_SIZE": "10"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return dict(json.loads(ended.stdout))
