"""Running dbt inside this process, so that it and the pipeline never wait for each other's lock on the file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from prefect_dbt import PrefectDbtRunner, PrefectDbtSettings

from hnintel import transform
from hnintel.errors import TransformError
from hnintel.settings import load_settings


def build(first: date, last: date) -> transform.Built:
    """``dbt build`` of the days from *first* to *last*; every node is a task run of the calling flow.

    Raises:
        TransformError: a model or a test failed; its name is in the message, its log in the log folder.
    """
    settings = load_settings()
    variables = transform.environment(settings)
    with _environment(variables):
        runner = PrefectDbtRunner(
            settings=PrefectDbtSettings(
                project_dir=transform.PROJECT,
                profiles_dir=transform.PROJECT,
                target_path=Path(variables["DBT_TARGET_PATH"]),
                log_level="error",  # given outright: it does not take every level of Prefect's (DESIGN, Prefect 3.8)
            ),
            raise_on_failure=False,
        )
        try:
            result = runner.invoke(transform.arguments(settings, first, last))
        finally:
            _let_go_of_the_file()
    if not result.success and result.exception is not None:
        raise TransformError(f"dbt could not run: {str(result.exception).strip().splitlines()[0]}")
    built = transform.built(Path(variables["DBT_TARGET_PATH"]) / "run_results.json")
    if built.failed:
        raise TransformError(
            f"dbt: {len(built.failed)} failed, first {built.failed[0]}; see {variables['DBT_LOG_PATH']}/dbt.log"
        )
    return built


def _let_go_of_the_file() -> None:
    """dbt-duckdb keeps its connection, and with it the lock on the file, for as long as the process lives."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
