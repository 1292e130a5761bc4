"""``python -m hnintel doctor``: its output and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hnintel.cli.app import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_identity_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the Prefect server and the Snowflake account of the shell that starts the test."""
    for name in ("PREFECT_API_URL", "SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.slow  # processes that import Prefect and dbt
def test_on_a_laptop_nothing_is_missing_and_no_file_is_created(home: Path, capsys: Capture) -> None:
    assert main(["doctor", "--json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["warehouse"] == "duckdb"
    checks = {one["name"]: one for one in told["checks"]}
    assert {"python", "engine", "prices", "schema version"} <= checks.keys()
    assert [name for name, one in checks.items() if one["outcome"] != "ok"] == []
    assert checks["dbt project"] == {
        "name": "dbt project",
        "outcome": "ok",
        "detail": "dbt parses it for duckdb",
        "mends": [],
    }
    assert (err, home.exists()) == ("", False)


def test_a_missing_need_is_reported_with_its_fix_and_ends_with_code_4(home: Path, capsys: Capture) -> None:
    home.mkdir()
    assert main(["doctor", "--warehouse", "snowflake", "--prefect", "http://127.0.0.1:9/api"]) == 4
    out, err = capsys.readouterr()
    heading, *lines = [line.rstrip() for line in out.splitlines()]
    assert heading.split() == ["outcome", "check", "detail"]
    assert {line.split()[0] for line in lines if line} >= {"ok", "missing", "skipped"}
    assert lines[-2:] == ["to fix it:", "prefect server start --port 9"]
    assert err.endswith("checks are not met: prefect api, connection\n")


def test_the_option_chooses_another_warehouse_than_the_setting(home: Path, capsys: Capture) -> None:
    assert main(["doctor", "--warehouse", "snowflake", "--json"]) == 4
    out, err = capsys.readouterr()
    checks = {one["name"]: one for one in json.loads(out)["checks"]}
    assert checks["dbt project"]["outcome"] == "skipped", "the same thing is not missing twice"
    assert checks["connection"]["outcome"] == "missing"
    assert "SNOWFLAKE_ACCOUNT" in checks["connection"]["detail"]
    assert err.startswith("error: 1 of ")


def test_an_unknown_warehouse_is_refused_in_one_line(home: Path, capsys: Capture) -> None:
    assert main(["doctor", "--warehouse", "oracle"]) == 2
    assert capsys.readouterr().err.startswith("error: HNINTEL_WAREHOUSE=oracle: ")
