"""Days on which something is wrong: sites that are down, a question that is wrong, a day that is being run."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hnintel.errors import WarehouseBusy, WarehouseError

DAY = date(2026, 10, 22)
ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., dict[str, Any]]


def rows(home: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "hnintel.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.slow
def test_a_day_on_which_every_article_fails_is_run_to_its_end(
    run: Run, home: Path, small_dump: Path, tmp_path: Path
) -> None:
    pages = tmp_path / "nothing"
    pages.mkdir()
    (pages / "pages.json").write_text("{}", encoding="utf-8")  # no host of the dump is there

    told = run(DAY, f"replay:{small_dump},{pages}")

    assert told["articles"] == {"retry_at": 8}
    assert told["dead_letters"] == 8
    assert told["status"] == "partial"
    assert told["enrichments"]["takeaway"] == {"asked": 10, "answered": 10, "failed": 0, "reused": 0}
    assert Path(told["page"]).is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_a_story_without_a_title_a_link_or_a_text_keeps_no_day_from_its_page(run: Run, tmp_path: Path) -> None:
    posted = int(datetime(2026, 10, 22, 15, tzinfo=UTC).timestamp())
    items = [
        {"id": 1, "type": "story", "time": posted, "by": "a", "score": 9, "title": "A pump that needs no grease"},
        {"id": 2, "type": "story", "time": posted, "by": "b", "score": 3, "title": ""},
        {"id": 3, "type": "story", "time": posted, "by": "c", "score": 2, "title": "\u200b", "text": "Words."},
    ]
    dump = tmp_path / "dump.json"
    dump.write_text(json.dumps(items), encoding="utf-8")

    told = run(DAY, f"replay:{dump}")

    assert told["status"] == "complete"
    assert Path(told["page"]).is_file()


@pytest.mark.slow
def test_without_pages_articles_are_marked_so_and_not_tried_again(run: Run, home: Path, small_dump: Path) -> None:
    first = run(DAY, f"replay:{small_dump}")
    second = run(DAY, f"replay:{small_dump}")

    assert first["articles"] == second["articles"] == {"no_pages": 8}
    assert first["dead_letters"] == 0
    assert (second["ai_calls"], second["changed_tables"]) == (0, [])


@pytest.mark.slow
def test_a_changed_story_is_asked_about_again_and_nothing_else(
    run: Run, home: Path, small_dump: Path, tmp_path: Path
) -> None:
    first = run(DAY, f"replay:{small_dump}")
    changed = tmp_path / "later.ndjson"
    lines = [json.loads(line) for line in small_dump.read_text(encoding="utf-8").splitlines()]
    lines[0]["title"] = "A lighthouse keeper's notes, corrected"
    lines[1]["score"] = 500
    changed.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")

    second = run(DAY, f"replay:{changed}")

    assert first["ai_calls"] > 0
    assert {name: counts["asked"] for name, counts in second["enrichments"].items()} == {
        **dict.fromkeys(first["enrichments"], 1),
        "discussion": 0,  # nothing is said below it
    }
    assert "raw.items" in second["changed_tables"]
    assert rows(home, "SELECT count(*) FROM raw.item_snapshots WHERE id = 101") == [(2,)]


@pytest.mark.slow
def test_an_enrichment_whose_sql_is_wrong_fails_the_run_and_keeps_what_the_others_answered(
    run: Run, home: Path, small_dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "enrichments"
    folder.mkdir()
    declaration = (
        "from hnintel.enrich.declaration import Column, Enrichment\n"
        "enrichment = Enrichment(__name__, doc='d', version=1, call='{call}',\n"
        "    columns=(Column('tone', str, 'Tone.', one_of=('positive', 'negative', 'neutral'), path='labels[0]'),))\n"
    )
    (folder / "good.py").write_text(declaration.format(call="AI_CLASSIFY({{ input }}, {{ labels }})"))
    (folder / "wrong.py").write_text(declaration.format(call="AI_CLASSIFY({{ input }}, no_such_column)"))
    monkeypatch.setenv("HNINTEL_ENRICHMENTS_PATH", str(folder))

    with pytest.raises(WarehouseError, match="no_such_column"):
        run(DAY, f"replay:{small_dump}")

    assert rows(home, "SELECT count(*) FROM enriched.good") == [(10,)]
    assert rows(home, "SELECT count(*) FROM enriched.wrong") == [(0,)]
    assert rows(home, "SELECT status FROM ops.runs") == [("failed",)]
    assert rows(home, "SELECT count(*) FROM ops.partitions WHERE stage = 'transform'") == [(0,)]


@pytest.mark.slow
def test_a_second_run_of_a_day_waits_a_bounded_time_then_names_the_process_that_runs_it(
    run: Run, home: Path, small_dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HNINTEL_LOCK_WAIT", "0.5")
    script = (
        "import datetime, sys\n"
        "from hnintel.ledger import leases\n"
        "from hnintel.settings import load_settings\n"
        "from hnintel.warehouse import open_warehouse\n"
        "settings = load_settings()\n"
        f"day = datetime.date({DAY.year}, {DAY.month}, {DAY.day})\n"
        "with leases.lease(open_warehouse(settings), day, 'ingest', 'other', settings):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        try:
            held = rf"ingest of {DAY} is being run by process {other.pid} .*waited 0.5 s"
            with pytest.raises(WarehouseBusy, match=held):
                run(DAY, f"replay:{small_dump}")
        finally:
            other.communicate("")

    assert run(DAY, f"replay:{small_dump}")["status"] == "complete"  # once it has ended


@pytest.mark.slow
def test_two_days_side_by_side_in_one_process_are_both_done(prefect_server: None, home: Path) -> None:
    from flows.main import hacker_news

    async def both() -> list[dict[str, Any]]:
        return list(await asyncio.gather(hacker_news(DAY, "sample"), hacker_news(date(2026, 10, 21), "sample")))

    assert [told["listed"] for told in asyncio.run(both())] == [73, 75]


@pytest.mark.slow
def test_a_day_that_the_sample_has_nothing_of_publishes_no_page_and_has_its_own_exit_code(
    run: Callable[..., dict[str, Any]], home: Path
) -> None:
    from hnintel.errors import ListingTooSmall

    with pytest.raises(ListingTooSmall, match="the source holds no story of 2026-10-19: no page") as refused:
        run(date(2026, 10, 19), "sample")
    assert refused.value.exit_code == 10
    assert not (home / "site").exists()
    assert rows(home, "SELECT proof, listed FROM ops.listings") == [("unproven", 0)]
    assert rows(home, "SELECT stage, status FROM ops.partitions") == [("ingest", "failed")]
