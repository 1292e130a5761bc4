"""The log of an unattended run, as Prefect's UI shows it: its stages."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prefect import flow, get_run_logger

from flows.run_log import InRunLog
from hnintel.process import progress
from tests.conftest import ROOT


@contextmanager
def the_runs_log() -> Iterator[list[str]]:
    """Return the log lines of the current flow run."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, kept = logging.getLogger("prefect.flow_runs"), Kept()
    level = logger.level
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(kept)
        logger.setLevel(level)


def test_the_log_of_a_run_has_a_line_when_a_stage_begins_and_one_when_it_ends(prefect_server: None) -> None:
    @flow
    def reading() -> None:
        progress.use(InRunLog())
        for done in range(3):
            progress.update("scrape", done, 3)
        progress.finish("scrape", "3 items read, 0 dead letters")

    with the_runs_log() as lines:
        reading()
    told = [line for line in lines if line.startswith("scrape")]
    assert [line.partition(" (")[0] for line in told] == [
        "scrape: 0 of 3 …",
        "scrape: 3 items read, 0 dead letters",
    ]


def test_outside_a_run_nothing_is_logged() -> None:
    with the_runs_log() as lines:
        InRunLog().finish("scrape", "3 taken")
    assert lines == []


@pytest.mark.slow  # loads dbt
def test_a_dbt_error_does_not_silence_later_lines_of_the_run(prefect_server: None, tmp_path: Path) -> None:
    from prefect_dbt import PrefectDbtSettings

    from tasks.dbt_runner import DbtRunner

    files = {
        "dbt_project.yml": "name: broken\nversion: '1.0.0'\nprofile: broken\n",
        "profiles.yml": "broken:\n  target: t\n  outputs:\n    t: {type: duckdb, path: ':memory:'}\n",
        "models/broken.sql": "{{ no_such_macro( }}",
    }
    (tmp_path / "models").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    @flow
    def builds() -> None:
        dbt = PrefectDbtSettings(project_dir=tmp_path, profiles_dir=tmp_path, log_level="error")
        with pytest.raises(ValueError, match="Failed to invoke dbt"):
            DbtRunner(settings=dbt, raise_on_failure=False).invoke(["build"])
        get_run_logger().info("after it")

    with the_runs_log() as lines:
        builds()
    assert "after it" in lines


@pytest.mark.slow  # loads dbt
def test_a_quiet_run_that_loads_dbt_first_prints_no_log_of_prefect(tmp_path: Path) -> None:
    program = """
import logging, pathlib, sys
from flows.local.command import load_dbt
from flows.local.prefect_home import prefect
from hnintel.settings import Settings

with prefect(Settings(home=pathlib.Path(sys.argv[1])), verbose=False, api="http://127.0.0.1:9/api"):
    load_dbt()
    for name in ("prefect.flow_runs", "prefect.task_runs", "prefect.engine", "httpx"):
        logging.getLogger(name).info("a line of the log")
"""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        env=environ | {"PREFECT_LOGGING_TO_API_ENABLED": "false"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
