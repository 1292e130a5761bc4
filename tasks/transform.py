"""Running dbt inside this process, so that it and the pipeline never wait for each other's lock on the file."""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from hnintel import transform
from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.question import fingerprint_of
from hnintel.enrich.run import prepare_missing
from hnintel.errors import TransformError
from hnintel.settings import Settings, load_settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.branch_schemas import refuse_branch
from hnintel.warehouse.duckdb.turns import only_here

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

_ONE_AT_A_TIME = threading.Lock()


def build(first: date, last: date) -> transform.Built:
    """``dbt build`` of the days from *first* to *last*; every node is a task run of the calling flow.

    Raises:
        TransformError: a model or a test failed; its name is in the message, its log in the log folder.
    """
    from prefect_dbt import PrefectDbtSettings  # loads dbt, for seconds: of those who build alone

    from tasks.dbt_runner import DbtRunner, WordlessDbtRunner

    settings = load_settings()
    refuse_branch(settings)
    warehouse, enrichments = open_warehouse(settings), load_enrichments(settings.enrichments_path)
    with warehouse.transaction(stage="enrich") as session:
        prepare_missing(session, warehouse, enrichments.values(), settings)
    variables = (
        transform.environment(settings)
        | transform.days(first, last)
        | transform.asked({one.name: fingerprint_of(warehouse, one, settings) for one in enrichments.values()})
    )
    # dbt keeps state in its process, and reads its profile from the environment, where only secrets are unset again:
    # another thread may be reading it. One dbt at a time in a process, and on a file.
    with _ONE_AT_A_TIME, _the_file(settings):
        os.environ.update(variables)
        project = transform.write_project(settings, enrichments)
        runner_class = WordlessDbtRunner if settings.metadata_only else DbtRunner
        runner = runner_class(
            settings=PrefectDbtSettings(
                project_dir=project,
                profiles_dir=project,
                target_path=Path(variables["DBT_TARGET_PATH"]),
                log_level="error",  # given outright: it does not take every level of Prefect's (DESIGN, Prefect 3.8)
            ),
            raise_on_failure=False,
        )
        results = Path(variables["DBT_TARGET_PATH"]) / "run_results.json"
        results.unlink(missing_ok=True)  # an older account must not pass for this run's
        try:
            result = runner.invoke(transform.arguments(settings, project))
        except ValueError as error:  # it never came to its nodes; what dbt itself raised is only in these words
            raise transform.could_not_run(str(error), variables["DBT_LOG_PATH"], not settings.metadata_only) from None
        finally:
            for name in filter(transform.is_secret, variables):
                del os.environ[name]
            if settings.warehouse == "duckdb":
                _let_go_of_the_file()
        return _account(result, results, variables["DBT_LOG_PATH"])


def _account(result: dbtRunnerResult, results: Path, logs: str) -> transform.Built:
    if not results.is_file():
        raise transform.could_not_run(str(result.exception or "it left no results"), logs)
    built = transform.built(results)
    if built.failed or not result.success:
        first = built.failed[0] if built.failed else "unknown"
        raise TransformError(f"dbt: {len(built.failed)} failed, first {first}; see {logs}/dbt.log")
    return built


def _the_file(settings: Settings) -> AbstractContextManager[None]:
    """Nobody else's for as long as dbt may have it open."""
    return only_here(settings.warehouse_file, settings.lock_wait) if settings.warehouse == "duckdb" else nullcontext()


def _let_go_of_the_file() -> None:
    """dbt-duckdb keeps its connection, and with it the lock on the file, for as long as the process lives."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]  # dbt-duckdb does not annotate it
