"""Five weeks of healthy days in a real warehouse, for tests that then put one thing wrong."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hnintel.checks.run import PARTS, Part, run_checks
from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.question import fingerprint_of
from hnintel.enrich.tables import prepare
from hnintel.ledger.check_results import Result
from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse
from tests.warehouse.world import fetch

TUESDAY = date(2026, 10, 20)
A_DAY = 60

DECLARATION = '''"""The tone."""

from hnintel.enrich.declaration import Column, Enrichment, Rule

enrichment = Enrichment(
    __name__,
    doc="The tone.",
    version=1,
    model="a-model",
    prompt="Say the tone.",
    call="AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {}, {{ response_format }})",
    columns=(
        Column("tone", str, "The tone.", one_of=("good", "bad", "plain")),
        Column("certainty", float, "How certain.", between=(0, 1)),
        Column("reason", str, "Why."),
    ),
    checks=(Rule("reasons are short", "length(reason) <= 20", allowed=0.1),),
)
'''


class Checked:
    """A warehouse with one enrichment, ``tone``, and days in it; all of them healthy until a test says otherwise."""

    def __init__(self, folder: Path, days: int = 0) -> None:
        enrichments = folder / "enrichments"
        enrichments.mkdir(parents=True)
        (enrichments / "tone.py").write_text(DECLARATION, encoding="utf-8")
        self.settings = Settings(home=folder, enrichments_path=enrichments)
        self.warehouse = open_warehouse(self.settings)
        self.enrichment = load_enrichments(enrichments)["tone"]
        if days:
            self.settings.warehouse_file.write_bytes(_healthy(days))

    def days(self, count: int, rows: int = A_DAY, last: date = TUESDAY) -> None:
        """Items and answers of *count* days up to *last*; a third of the answers good, a sixth bad, the rest plain."""
        with self.warehouse.transaction(stage="enrich") as session:
            prepare(session, self.warehouse, self.enrichment, self.settings)
            fingerprint = fingerprint_of(self.warehouse, self.enrichment, self.settings)
            for day in (last - timedelta(days=back) for back in range(count)):
                first = day.toordinal() * 1000
                session.execute(
                    "INSERT INTO raw.items (id, day, type, status, title, source, content_hash, run_id, loaded_at) "
                    "SELECT ? + i, ?, 'story', 'ok', 'A title', 'test', 'h', 'r', now() FROM range(?) AS n(i)",
                    [first, day, rows],
                )
                session.execute(
                    "INSERT INTO raw.comments (id, story_id, depth, status, content_hash, run_id, loaded_at) "
                    "SELECT id, id, 1, 'ok', 'h', 'r', now() FROM raw.items WHERE day = ?",
                    [day],
                )
                session.execute(
                    "INSERT INTO enriched.tone BY NAME "
                    "SELECT id AS item_id, ? AS fingerprint, 0.5 AS certainty, 'because' AS reason, 'h' AS input_hash, "
                    "CASE WHEN id % 6 < 2 THEN 'good' WHEN id % 6 = 2 THEN 'bad' ELSE 'plain' END AS tone, "
                    "FALSE AS input_cut, 'm' AS model, 'r' AS run_id, now() AS enriched_at "
                    "FROM raw.items WHERE day = ?",
                    [fingerprint, day],
                )
                session.execute(
                    "INSERT INTO ops.partitions (day, stage, status, run_id, attempts, started_at, finished_at) "
                    "VALUES (?, 'ingest', 'complete', 'r', 1, ?, ?)",
                    [day, day + timedelta(days=2), day + timedelta(days=2)],
                )

    def sql(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """Put something wrong, or look at what is there."""
        return fetch(self.warehouse, statement, params)

    def check(
        self, run_id: str = "a-run", day: date = TUESDAY, parts: Sequence[Part] = PARTS, **settings: Any
    ) -> dict[str, Result]:
        """Every result, by the name of its check."""
        changed = self.settings.model_copy(update=settings)
        return {one.name: one for one in run_checks(self.warehouse, day, changed, run_id, parts)}

    def failed(self, **changed: Any) -> dict[str, tuple[str, str]]:
        """What did not pass: its outcome and detail, by name."""
        return {name: (one.outcome, one.detail) for name, one in self.check(**changed).items() if not one.passed}


@cache
def _healthy(days: int) -> bytes:
    """A warehouse with that many days in it, made once: a copy of it takes no time."""
    with tempfile.TemporaryDirectory() as folder:
        one = Checked(Path(folder) / "home")
        one.days(days)
        return one.settings.warehouse_file.read_bytes()
