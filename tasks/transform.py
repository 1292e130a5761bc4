"""Running dbt inside this process, so that it and the pipeline never wait for each other's lock on the file."""

from __future__ import annotations

import os
import threading
from datetime import date
from pathlib import Path

from dbt.cli.main import dbtRunnerResult
from prefect_dbt import PrefectDbtRunner, PrefectDbtSettings

from hnintel import transform
from hnintel.errors import TransformError
from hnintel.settings import load_settings

_ONE_AT_A_TIME = threading.Lock()


def build(first: date, last: date) -> transform.Built:
    """``dbt build`` of the days from *first* to *last*; every node is a task run of the calling flow.

    Raises:
        TransformError: a model or a test failed; its name is in the message, its log in the log folder.
    """
    settings = load_settings()
    variables = transform.environment(settings)
    # dbt keeps state in its process, and reads its profile from the environment, which is set and never unset: another
    # thread may be reading it. One dbt at a time in a process; other processes are kept off by the file's own lock.
    with _ONE_AT_A_TIME:
        os.environ.update(variables)
        runner = PrefectDbtRunner(
            settings=PrefectDbtSettings(
                project_dir=transform.PROJECT,
                profiles_dir=transform.PROJECT,
                target_path=Path(variables["DBT_TARGET_PATH"]),
                log_level="error",  # given outright: it does not take every level of Prefect's (DESIGN, Prefect 3.8)
            ),
            raise_on_failure=False,
        )
        results = Path(variables["DBT_TARGET_PATH"]) / "run_results.json"
        results.unlink(missing_ok=True)  # an older account must not pass for this run's
        try:
            result = runner.invoke(transform.arguments(settings, first, last))
        finally:
            _let_go_of_the_file()
        return _account(result, results, variables["DBT_LOG_PATH"])


def _account(result: dbtRunnerResult, results: Path, logs: str) -> transform.Built:
    if not results.is_file():
        told = str(result.exception or "it left no results").strip().splitlines()[0]
        raise TransformError(f"dbt could not run: {told}; see {logs}/dbt.log")
    built = transform.built(results)
    if built.failed or not result.success:
        first = built.failed[0] if built.failed else "unknown"
        raise TransformError(f"dbt: {len(built.failed)} failed, first {first}; see {logs}/dbt.log")
    return built


def _let_go_of_the_file() -> None:
    """dbt-duckdb keeps its connection, and with it the lock on the file, for as long as the process lives."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()
