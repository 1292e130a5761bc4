"""Write the briefing of a day: ask over its lines, hold every claim to stories that exist, keep it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from hnintel import ledger
from hnintel.briefing.sections import CLAIMS_PROMPT, CLAIMS_SCHEMA, MODEL, SECTIONS, fingerprint
from hnintel.enrich import Enriched
from hnintel.prices import credits
from hnintel.warehouse.base import Query, Session, Step, Warehouse
from hnintel.warehouse.engines.base import TEXT_CLOSES, TEXT_OPENS
from hnintel.warehouse.statements import literal, merge_rows, statement

STAGE = "briefing"


@dataclass(frozen=True, slots=True)
class Written:
    """What writing came to; ``claims`` that were kept, and ``refused``: those that cite no story of the day."""

    usage: Enriched = field(default_factory=Enriched)
    claims: int = 0
    refused: int = 0


def write_briefing(warehouse: Warehouse, day: date, run_id: str) -> Written:
    """Write the briefing of *day*, unless the one there is answers the same question over the same lines."""
    model = warehouse.model(MODEL)
    question = fingerprint(model)
    with warehouse.transaction() as session:
        lines = _lines_hash(session, warehouse, day)
        there = session.execute(
            "SELECT count(*) FROM enriched.briefings WHERE day = ? AND fingerprint = ? AND input_hash = ?",
            [day, question, lines],
        )
        if there[0][0]:
            return Written()
        ledger.begin_stage(session, day, STAGE, run_id, _now())

    def keep(session: Session) -> Written:
        answers = session.rows("SELECT * FROM counted ORDER BY section")
        known = _stories(session, day)
        written, claims = _account(answers, known, model)
        _save(session, day, question, lines, claims, len(known), model, run_id)
        _add_usage(session, day, question, model, run_id, written.usage)
        return written

    written = warehouse.ask(Query(statement("briefing_lines"), [day, day]), _steps(warehouse, model), keep)
    if written is not None:
        return written
    with warehouse.transaction() as session:  # a day without a story has a briefing too: one that says so
        _save(session, day, question, lines, [], 0, model, run_id)
    return Written()


def _steps(warehouse: Warehouse, model: str) -> list[Step]:
    fenced = f"{literal(CLAIMS_PROMPT + TEXT_OPENS)} || digest || {literal(TEXT_CLOSES)}"
    response_format = literal({"type": "json", "schema": CLAIMS_SCHEMA})
    call = f"AI_COMPLETE({literal(model)}, {fenced}, {{'temperature': 0}}, {response_format})"
    return [
        Step("digests", statement("briefing_digests", sections=SECTIONS)),
        Step("answered", statement("briefing_claims", call=warehouse.dialect.with_error_details(call))),
        Step("counted", statement("briefing_counted")),
    ]


def _account(answers: Iterable[Mapping[str, Any]], known: set[int], model: str) -> tuple[Written, list[dict[str, Any]]]:
    kept: list[dict[str, Any]] = []
    usage, refused = Enriched(), 0
    for answer in answers:
        claims = _claims(answer["answer"])
        for claim in claims or ():
            ids = [item_id for item_id in dict.fromkeys(claim["ids"]) if item_id in known]
            if ids:
                kept.append({"section": answer["section"], "text": claim["text"], "ids": ids})
            else:
                refused += 1
        # Two questions a section: AI_AGG over its lines, AI_COMPLETE over the digest.
        read = int(answer["line_tokens"]) + int(answer["digest_tokens"])
        wrote = int(answer["digest_tokens"]) + int(answer["answer_tokens"])
        failed = 1 if claims is None else 0
        usage += Enriched(2, 2 - failed, failed, read, wrote, credits(model, read, wrote))
    return Written(usage, len(kept), refused), kept


def _claims(answer: str) -> list[dict[str, Any]] | None:
    """The claims of an answer's envelope that have the promised shape; None where the answer itself is none."""
    try:
        value = json.loads(answer)["value"]
        claims = value["claims"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(claims, list):
        return None
    return [claim for claim in claims if _has_shape(claim)]


def _has_shape(claim: object) -> bool:
    return (
        isinstance(claim, dict)
        and isinstance(claim.get("text"), str)
        and bool(claim["text"].strip())
        and isinstance(claim.get("ids"), list)
        and all(isinstance(item_id, int) and not isinstance(item_id, bool) for item_id in claim["ids"])
    )


def _lines_hash(session: Session, warehouse: Warehouse, day: date) -> str:
    hashed = warehouse.dialect.row_hash(["section", "item_id", "line"])
    return str(session.execute(f"SELECT {hashed} FROM ({statement('briefing_lines')})", [day, day])[0][0])


def _stories(session: Session, day: date) -> set[int]:
    return {
        row[0] for row in session.execute("SELECT item_id FROM marts.stories WHERE day = ? AND status = 'ok'", [day])
    }


def _save(
    session: Session,
    day: date,
    question: str,
    lines: str,
    claims: list[dict[str, Any]],
    stories: int,
    model: str,
    run_id: str,
) -> None:
    now = _now()
    row = {
        "day": day,
        "fingerprint": question,
        "input_hash": lines,
        "claims": json.dumps(claims, ensure_ascii=False),
        "stories": stories,
        "text": "",  # the Markdown needs the row to be there; `page.publish` fills it in
        "model": model,
        "run_id": run_id,
        "written_at": now,
    }
    merge_rows(session, "enriched.briefings", [row], keys=("day", "fingerprint"))
    ledger.end_stage(session, day, STAGE, "complete", run_id, now, rows=len(claims), fingerprint=question)


def _add_usage(session: Session, day: date, question: str, model: str, run_id: str, usage: Enriched) -> None:
    session.merge(
        statement("add_usage"),
        [
            *(run_id, day, STAGE, question, "AI_AGG, AI_COMPLETE", model, usage.asked),
            *(usage.input_tokens, usage.output_tokens, "estimated", usage.credits, _now()),
        ],
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
