"""What dbt is called with: its folders, its identity, the days to build."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hnintel.settings import ROOT, Settings

PROJECT = ROOT / "dbt"
STAGE = "transform"


@dataclass(frozen=True, slots=True)
class Built:
    """What dbt did: models and tests that went well, and the names of those that did not."""

    models: int
    tests: int
    failed: tuple[str, ...] = ()


def environment(settings: Settings) -> dict[str, str]:
    """Variables that ``dbt/profiles.yml`` and dbt itself read."""
    return {
        "HNINTEL_DBT_DUCKDB_PATH": str(settings.warehouse_file),
        "DBT_TARGET_PATH": str(settings.folder / "dbt" / "target"),
        "DBT_LOG_PATH": str(settings.folder / "dbt" / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_VERSION_CHECK": "true",
        "DO_NOT_TRACK": "1",
    }


def arguments(settings: Settings, first: date, last: date) -> list[str]:
    """``dbt build`` of the rows that the days *first* to *last* can have changed."""
    days = {"from_day": first.isoformat(), "to_day": last.isoformat()}
    return [
        "build",
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", settings.warehouse),
        *("--vars", json.dumps(days)),
        *("--log-level-file", "info"),  # dbt.log is where an error message sends the reader
    ]


def built(run_results: Path) -> Built:
    """What dbt's own account of its last run says."""
    results = json.loads(run_results.read_text(encoding="utf-8"))["results"]
    kinds = [(result["unique_id"].split(".")[0], result) for result in results]
    good = [kind for kind, result in kinds if result["status"] in ("success", "pass", "warn")]
    failed = tuple(result["unique_id"] for _, result in kinds if result["status"] in ("error", "fail", "runtime error"))
    return Built(good.count("model"), good.count("test") + good.count("unit_test"), failed)
