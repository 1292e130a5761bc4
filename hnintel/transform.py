"""Prepare a call of dbt: its project, folders, login, and the days to build; read its results."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from hnintel.enrich.dbt_models import asked_variable, render_models, write_files
from hnintel.enrich.declaration import Enrichment
from hnintel.errors import TransformError
from hnintel.settings import ROOT, Settings

PROJECT = ROOT / "dbt"
#: The models of the bundled enrichments in the checkout, for running dbt by hand.
DECLARED = PROJECT / "declared"
_WRITTEN_BY_HAND = ("dbt_project.yml", "profiles.yml", "macros", "models", "tests")
#: How dbt quotes the connector: ``000608 (57P03): Warehouse ...``, or ``250001: 250001 (08001): ...``.
_SNOWFLAKE_CODE = re.compile(r"\b(\d{6}) \(\w{5}\)")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Built:
    """The result of a dbt build: counts of models and tests that succeeded, and the names of those that failed."""

    models: int
    tests: int
    failed: tuple[str, ...] = ()


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables that ``dbt/profiles.yml`` and dbt read; set a secret one only during a call."""
    return {
        **_target(settings),
        "DBT_TARGET_PATH": str(settings.folder / "dbt" / "target"),
        "DBT_LOG_PATH": str(settings.folder / "dbt" / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_VERSION_CHECK": "true",
        "DO_NOT_TRACK": "1",
    }


def write_project(settings: Settings, enrichments: Mapping[str, Enrichment]) -> Path:
    """Write the dbt project, with the models of *enrichments*, into the home folder; return the project's folder.

    Raises:
        DeclarationError: two marts would have the same name.
    """
    files = {PurePosixPath("declared") / path: text for path, text in render_models(enrichments).items()}
    for name in _WRITTEN_BY_HAND:
        for path in (PROJECT / name, *(PROJECT / name).rglob("*")):
            if path.suffix in (".sql", ".yml"):
                files[PurePosixPath(path.relative_to(PROJECT).as_posix())] = path.read_text(encoding="utf-8")
    folder = settings.folder / "dbt" / "project"
    write_files(folder, files)
    return folder


def asked(fingerprints: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that limit tests of answers to answers of the current question, by enrichment."""
    return {asked_variable(name): fingerprint for name, fingerprint in fingerprints.items()}


def is_secret(name: str) -> bool:
    """Whether dbt omits the value of the variable from its logs; it must not stay in the environment."""
    return name.startswith("DBT_ENV_SECRET_")


def _target(settings: Settings) -> dict[str, str]:
    if settings.warehouse == "duckdb":
        return {"HNINTEL_DBT_DUCKDB_PATH": str(settings.warehouse_file)}
    from hnintel.warehouse.snowflake.profile import profile_environment  # loads Snowflake's connector

    return profile_environment(settings)


def days(first: date, last: date) -> dict[str, str]:
    """Return the variables that select the rows that the days can have changed (``dbt/macros/days.sql``).

    Not as ``--vars``: where these differ from the last build, dbt parses the whole project again.
    """
    return {"HNINTEL_DBT_FROM_DAY": first.isoformat(), "HNINTEL_DBT_TO_DAY": last.isoformat()}


def arguments(settings: Settings, project: Path) -> list[str]:
    """Return the arguments of ``dbt build`` for the project in the folder *project*."""
    return [
        "build",
        *("--project-dir", str(project), "--profiles-dir", str(project), "--target", settings.warehouse),
        *("--log-level-file", "info"),  # our error messages refer to dbt.log
    ]


def could_not_run(told: str, logs: str, in_its_words: bool = True) -> TransformError:
    """Return the error of a dbt call that ran no node, in one line; Snowflake's errors are described by their code.

    Args:
        told: dbt's message; it may have many lines.
        logs: the folder of its log.
        in_its_words: whether the message may be shown; a code of Snowflake is shown either way.
    """
    if code := _SNOWFLAKE_CODE.search(told):
        from hnintel.warehouse.snowflake.errors import meaning_of_code  # loads Snowflake's connector

        return TransformError(f"dbt could not run: {meaning_of_code(int(code[1]))}; see {logs}/dbt.log")
    if not in_its_words:
        return TransformError(f"dbt could not run; see {logs}/dbt.log")
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    # Headings precede the line with the cause: "Failed to invoke ...: Runtime Error", "Database Error".
    first = next((line for line in lines if not line.endswith("Error")), "dbt gave no message")
    return TransformError(f"dbt could not run: {first[:_LONGEST]}; see {logs}/dbt.log")


def built(run_results: Path) -> Built:
    """Read the results of dbt's last run from *run_results*."""
    results = json.loads(run_results.read_text(encoding="utf-8"))["results"]
    kinds = [(result["unique_id"].split(".")[0], result) for result in results]
    good = [kind for kind, result in kinds if result["status"] in ("success", "pass", "warn")]
    failed = tuple(result["unique_id"] for _, result in kinds if result["status"] in ("error", "fail", "runtime error"))
    return Built(good.count("model"), good.count("test") + good.count("unit_test"), failed)
