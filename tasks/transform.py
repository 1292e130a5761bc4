"""Run dbt inside this process, so that dbt and the pipeline never wait for each other's lock on the file."""

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
from hnintel.enrich.tables import prepare_missing
from hnintel.errors import TransformError
from hnintel.settings import Settings, load_settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.branch_schemas import refuse_branch
from hnintel.warehouse.duckdb.turns import only_here

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

_ONE_AT_A_TIME = threading.Lock()


def build(first: date, last: date) -> transform.Built:
    """Run ``dbt build`` for the days from *first* to *last*; every node is a task run of the calling flow.

    Raises:
        TransformError: a model or a test failed; its name is in the message, its log in the log folder.
    """
    from prefect_dbt import PrefectDbtSettings  # loads dbt, which takes seconds

    from tasks.dbt_runner import DbtRunner, WordlessDbtRunner

    settings = load_settings()
    refuse_branch(settings)
    warehouse, enrichments = open_warehouse(settings), load_enrichments(settings.enrichments_path)
    with warehouse.transaction(stage="enrich") as session:
        prepare_missing(session, warehouse, enrichments.values(), settings)
    variables = (
        transform.environment(settings)
        | transform.days(first, last)
        | transform.asked({each.name: fingerprint_of(warehouse, each, settings) for each in enrichments.values()})
    )
    # dbt has state in its process, and its profile is read from the environment. Only secrets are unset afterwards:
    # another thread may read the rest. One dbt at a time in a process, and on a file.
    with _ONE_AT_A_TIME, _exclusive_file(settings):
        os.environ.update(variables)
        project = transform.write_project(settings, enrichments)
        runner_class = WordlessDbtRunner if settings.metadata_only else DbtRunner
        runner = runner_class(
            settings=PrefectDbtSettings(
                project_dir=project,
                profiles_dir=project,
                target_path=Path(variables["DBT_TARGET_PATH"]),
                log_level="error",  # set here: it does not accept every level of Prefect's
            ),
            raise_on_failure=False,
        )
        results = Path(variables["DBT_TARGET_PATH"]) / "run_results.json"
        results.unlink(missing_ok=True)  # results of an older build must not be read as this build's
        try:
            result = runner.invoke(transform.arguments(settings, project))
        except ValueError as error:  # dbt ran no node; its own error is only in this message
            raise transform.could_not_run(str(error), variables["DBT_LOG_PATH"], not settings.metadata_only) from None
        finally:
            for name in filter(transform.is_secret, variables):
                del os.environ[name]
            if settings.warehouse == "duckdb":
                _close_connections()
        return _read_results(result, results, variables["DBT_LOG_PATH"])


def _read_results(result: dbtRunnerResult, results: Path, logs: str) -> transform.Built:
    if not results.is_file():
        raise transform.could_not_run(str(result.exception or "dbt wrote no results"), logs)
    built = transform.built(results)
    if built.failed or not result.success:
        first = built.failed[0] if built.failed else "unknown"
        raise TransformError(f"dbt: {len(built.failed)} failed, first {first}; see {logs}/dbt.log")
    return built


def _exclusive_file(settings: Settings) -> AbstractContextManager[None]:
    """Lock the DuckDB file for this process while dbt may have it open."""
    return only_here(settings.warehouse_file, settings.lock_wait) if settings.warehouse == "duckdb" else nullcontext()


def _close_connections() -> None:
    """Close dbt-duckdb's connections, which else lock the file for as long as the process lives."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]  # dbt-duckdb does not annotate it
