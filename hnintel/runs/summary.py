"""The summary of a run: ``--json`` prints it, ``ops.runs`` stores it and the closing table shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from hnintel.briefing.write import Written
from hnintel.checks.check import in_a_line
from hnintel.cost import money
from hnintel.cost.usage import Enriched
from hnintel.errors import counted
from hnintel.ingest.articles import count_by_status
from hnintel.ingest.loading import Loaded
from hnintel.ledger import dead_letters, listings
from hnintel.ledger.check_results import Result
from hnintel.ledger.stage_names import of_enrichment
from hnintel.settings import Settings
from hnintel.transform import Built
from hnintel.warehouse.base import Session


@dataclass
class Summary:
    """Filled in stage by stage; ``as_json`` is its public shape."""

    day: date
    run_id: str
    source: str
    status: str = "running"
    skipped: list[str] = field(default_factory=list)
    listed: int = 0
    listing: dict[str, Any] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    loaded: Loaded = field(default_factory=Loaded)
    items: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    articles: dict[str, int] = field(default_factory=dict)
    enrichments: dict[str, Enriched] = field(default_factory=dict)
    briefing: Written = field(default_factory=Written)
    dbt: Built = field(default_factory=lambda: Built(0, 0))
    checks: list[Result] = field(default_factory=list)
    dead_letters: int = 0
    letters_due: int = 0
    counting: str = "estimated"
    costs: dict[str, float] = field(default_factory=dict)
    changed: list[str] | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    page: str = ""

    @property
    def usage(self) -> Enriched:
        """The sum of all questions of the run."""
        return sum(self.enrichments.values(), self.briefing.usage)

    def count(self, session: Session, settings: Settings, now: datetime) -> None:
        """Count the day's rows in the warehouse, and the dead letters due at *now* (UTC without a zone)."""
        self.items = _pairs(
            session.execute(
                "SELECT coalesce(type, 'unknown'), count(*) FROM raw.items WHERE day = ? GROUP BY 1 ORDER BY 1",
                [self.day],
            )
        )
        self.items["comment"] = session.execute(
            "SELECT count(*) FROM raw.comments "
            "WHERE status <> 'null' AND story_id IN (SELECT id FROM raw.items WHERE day = ?)",
            [self.day],
        )[0][0]
        self.statuses = _pairs(
            session.execute(
                "SELECT status, count(*) FROM raw.items WHERE day = ? AND coalesce(type, '') <> 'pollopt' "
                "GROUP BY status ORDER BY status",
                [self.day],
            )
        )
        last = listings.listed(session, self.day, self.source)
        self.listing = {**last.as_json(), "in_words": last.proof.in_words()} if last is not None else {}
        self.articles = count_by_status(session, self.day)
        self.dead_letters = dead_letters.dead_letters_of(session, self.day, self.enrichments)
        self.count_costs(session)
        self.letters_due = dead_letters.count_due(session, settings, now, set(map(of_enrichment, self.enrichments)))

    def count_costs(self, session: Session) -> None:
        """Read the cost that the run has booked so far, by currency, and how its tokens were counted."""
        booked = session.execute(
            "SELECT counting, coalesce(currency, ?), sum(credits) FROM ops.ai_usage WHERE run_id = ? GROUP BY 1, 2",
            [money.CREDITS, self.run_id],
        )
        if booked:
            self.counting = " and ".join(sorted({counting for counting, _, _ in booked}))
            self.costs = {currency: 0.0 for _, currency, _ in booked} | money.together(
                {currency: float(amount)} for _, currency, amount in booked
            )

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON, in reading order."""
        usage = self.usage
        currency = next(iter(money.together([self.costs])), next(iter(self.costs), money.CREDITS))
        return {
            "day": self.day.isoformat(),
            "run_id": self.run_id,
            "source": self.source,
            "status": self.status,
            "skipped": self.skipped,
            "listed": self.listed,
            "listing": self.listing,
            "items": self.items,
            "outcomes": self.statuses,
            "changes": asdict(self.loaded),
            "notes": dict(self.notes),
            "articles": self.articles,
            "enrichments": {
                name: {"asked": used.asked, "answered": used.answered, "failed": used.failed, "reused": used.reused}
                | ({"uncounted": used.uncounted} if used.uncounted else {})
                for name, used in self.enrichments.items()
            },
            "briefing": {
                "anew": self.briefing.anew,
                "claims": self.briefing.claims,
                "refused": self.briefing.refused,
            },
            "ai_calls": usage.calls,
            "tokens": {"input": usage.input_tokens, "output": usage.output_tokens},
            "cost": {
                "credits": self.costs.get(currency, 0.0),
                "currency": currency,
                "by_currency": self.costs,
                "tokens_are": self.counting,
            },
            "dbt": {"models": self.dbt.models, "tests": self.dbt.tests},
            "checks": {
                "told": in_a_line(self.checks),
                "failed": [
                    {"name": result.name, "blocking": result.blocking, "detail": result.detail}
                    for result in self.checks
                    if not result.passed
                ],
            },
            "dead_letters": self.dead_letters,
            "dead_letters_due": self.letters_due,
            "changed_tables": self.changed,
            "seconds": {stage: round(seconds, 2) for stage, seconds in self.seconds.items()},
            "page": self.page,
        }


def as_rows(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the rows of the closing table, a name and a line each. *report* is the value of ``as_json``."""
    rows = [
        ("items", _listed(report["items"])),
        ("outcomes", _outcomes(report["outcomes"], report["listed"])),
        *([("listing", report["listing"]["in_words"])] if report["listing"] else []),
        ("of the items", _of_the_items(report["changes"]["items"])),
        ("articles", _listed(report["articles"]) or "none"),
    ]
    rows += [(f"enrich {name}", Enriched(**counts).in_words()) for name, counts in report["enrichments"].items()]
    tokens = counted(sum(report["tokens"].values()), "token")
    rows += [
        ("briefing", _briefing(report["briefing"])),
        ("AI", f"{counted(report['ai_calls'], 'call')}, {tokens}, {_cost(report['cost'])}"),
        ("dbt", f"{counted(report['dbt']['models'], 'model')}, {counted(report['dbt']['tests'], 'test')}"),
    ]
    rows.append(("checks", report["checks"]["told"]))
    for check in report["checks"]["failed"]:
        rows.append(("failed check" if check["blocking"] else "warning", f"{check['name']}: {check['detail']}"))
    if report["notes"]:
        rows.append(("met on the way", _listed(report["notes"])))
    if report["dead_letters"] or report["dead_letters_due"]:
        letters = f"{report['dead_letters']} of this day, to be tried again later; {report['dead_letters_due']} due now"
        rows.append(("dead letters", f"{letters}: python -m hnintel dead-letters list"))
    if report["skipped"]:
        rows.append(("skipped, as done", ", ".join(report["skipped"])))
    if report["changed_tables"] is not None:
        rows.append(("since the last run", _changes(report["changed_tables"], report["ai_calls"])))
    rows.append(("time", ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in report["seconds"].items())))
    rows.append(("page", report["page"]))
    return rows


def _cost(cost: Mapping[str, Any]) -> str:
    return f"{money.in_words(cost['by_currency'])} ({cost['tokens_are']})"


def _briefing(briefing: Mapping[str, Any]) -> str:
    if not briefing["anew"]:
        return "as it was"
    refused = f", {briefing['refused']} refused for citing no story of the day" if briefing["refused"] else ""
    return f"{counted(briefing['claims'], 'claim')}{refused}"


def _of_the_items(changes: Mapping[str, int]) -> str:
    words = {"new": "new", "text": "changed in words", "counts": "in score or comments alone", "unchanged": "as before"}
    return ", ".join(f"{changes[name]} {phrase}" for name, phrase in words.items() if changes[name]) or "none"


def _changes(changed: list[str], calls: int) -> str:
    if not changed:
        return f"nothing changed: {counted(calls, 'AI call')}, every table of raw, enriched and marts is as it was"
    return f"{counted(len(changed), 'table')} changed: {', '.join(changed)}"


def _outcomes(outcomes: Mapping[str, int], listed: int) -> str:
    """Count the outcomes of the day's items, and the items listed now: fewer where some came from another source."""
    if not listed:
        return _listed(outcomes)
    return f"{_listed(outcomes)}{' of' if sum(outcomes.values()) <= listed else ';'} {listed} listed"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _pairs(rows: list[tuple[Any, ...]]) -> dict[str, int]:
    return {str(row[0]): int(row[1]) for row in rows}
