"""Write the briefing of a day: ask over its lines, check that every claim cites existing stories, store it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hnintel.briefing.claims import Held, hold
from hnintel.briefing.evidence import Evidence
from hnintel.briefing.sections import ASKER, CLAIMS_PROMPT, CLAIMS_SCHEMA, MODEL, SECTIONS, answering, fingerprint
from hnintel.cost.budget import DIGEST_CHARS, Budget, Estimate, Stamp, book_stopped, estimate
from hnintel.cost.usage import AIFunction, Enriched
from hnintel.engines.base import AskingStopped
from hnintel.enrich.question import DIGESTING
from hnintel.errors import ModelUnavailable, Stopped
from hnintel.ledger import dead_letters, stage_rows
from hnintel.ledger.stage_names import BRIEFING
from hnintel.ledger.statuses import COMPLETE
from hnintel.process import progress
from hnintel.settings import Settings
from hnintel.warehouse.base import Query, Session, Staged, Step, Warehouse
from hnintel.warehouse.query_tags import tagged
from hnintel.warehouse.statements import fenced, literal, merge_rows, statement
from hnintel.window import utc_now

#: How many writings may try a section whose claims came back as no claims.
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Written:
    """What writing came to; ``claims`` that were kept, and ``refused``: those that are none, that cite no story which
    bears them, or that are too many.

    ``digests`` is what AI_AGG was asked, ``asked`` what AI_COMPLETE was asked over those, ``usage`` both together.
    ``anew`` is False where the briefing that was there still held.
    """

    digests: Enriched = field(default_factory=Enriched)
    asked: Enriched = field(default_factory=Enriched)
    claims: int = 0
    refused: int = 0
    anew: bool = False

    @property
    def usage(self) -> Enriched:
        """The sum of all questions."""
        return self.digests + self.asked


@dataclass(frozen=True, slots=True)
class _Functions:
    """The two that are asked."""

    agg: AIFunction
    complete: AIFunction

    @classmethod
    def of(cls, warehouse: Warehouse, settings: Settings) -> _Functions:
        return cls(
            AIFunction.of(DIGESTING, warehouse, "", settings),
            AIFunction.of("AI_COMPLETE", warehouse, MODEL, settings, ASKER),
        )

    @property
    def are_free(self) -> bool:
        return self.agg.price.is_free and self.complete.price.is_free


def write_briefing(warehouse: Warehouse, day: date, run_id: str, settings: Settings) -> Written:
    """Write the briefing of *day*, unless the stored briefing answers the same question over the same lines.

    A section whose answer was bad is in the dead letters, and makes the next writings ask again, a few times.

    Raises:
        BudgetReached: it may exceed a budget; nothing was asked.
        WarehouseError: a price is not known, or the warehouse refused.
    """
    model = answering(warehouse)
    try:
        with tagged(run=run_id, day=day, enrichment=BRIEFING, fingerprint=fingerprint(model)):
            return _write(warehouse, day, run_id, settings, model)
    except ModelUnavailable:
        if not warehouse.fall_back(model):
            raise
    return write_briefing(warehouse, day, run_id, settings)


def _write(warehouse: Warehouse, day: date, run_id: str, settings: Settings, model: str) -> Written:
    functions, question = _Functions.of(warehouse, settings), fingerprint(model)
    budget = Budget(settings, run_id, day, BRIEFING)
    with warehouse.transaction(stage="enrich") as session:
        lines = lines_hash(session, warehouse, day)
        there = _is_there(session, day, question, lines)
        if there and not _tries_left(session, day):
            return Written()
        if not there:
            letters = [_letter(day, section.name) for section in SECTIONS]
            dead_letters.settle_letters(
                session, dead_letters.stage_letters(session, day, {}, letters, run_id, utc_now())
            )
        stage_rows.begin_stage(session, day, BRIEFING, run_id, utc_now())
        if not functions.are_free:
            wanted = estimate_briefing(session, warehouse, settings, _line_chars(session, day))
            budget.reserve(session, wanted, utc_now())

    def keep(session: Session) -> Written:
        answers = session.rows("SELECT * FROM counted ORDER BY section")
        evidence = _evidence(session, day)
        held = {answer["section"]: hold(answer["section"], answer["answer"], evidence) for answer in answers}
        written = _account(answers, held, functions)
        letters = _stage_letters(session, day, answers, held, run_id)
        claims = [claim for one in held.values() for claim in one.kept]
        _save(session, day, question, lines, claims, len(evidence.stories), model, run_id)
        dead_letters.settle_letters(session, letters)
        stamp = (session, run_id, day, BRIEFING, question)
        functions.agg.add_usage(*stamp, written.digests, counted=False)
        if written.asked.asked:
            functions.complete.add_usage(*stamp, written.asked, counted=False)
        budget.release(session)
        return written

    try:
        written = warehouse.ask(
            Query(statement("briefing/lines"), [day, day]), _steps(warehouse, model), keep, stage="enrich"
        )
    except AskingStopped as stopped:
        with warehouse.transaction(stage="enrich") as session:
            budget.release(session)
            stamp = Stamp(run_id, day, BRIEFING, question)
            told = book_stopped(session, [functions.agg, functions.complete], stamp, stopped)
        progress.finish("brief", f"stopped: {told}")
        raise Stopped(f"the briefing of {day} was stopped: {told}") from None
    if written is not None:
        return written
    with warehouse.transaction(stage="enrich") as session:  # a day without a story has a briefing that says so
        _save(session, day, question, lines, [], 0, model, run_id)
    return Written(anew=True)


def holds_still(session: Session, warehouse: Warehouse, day: date) -> bool:
    """Whether the stored briefing answers the same question over the same lines, with no section to retry."""
    lines, question = lines_hash(session, warehouse, day), fingerprint(answering(warehouse))
    return _is_there(session, day, question, lines) and not _tries_left(session, day)


def estimate_briefing(session: Session, warehouse: Warehouse, settings: Settings, chars: int) -> Estimate:
    """Estimate a briefing over lines with the given number of characters."""
    functions = _Functions.of(warehouse, settings)
    overhead = len(CLAIMS_PROMPT) + len(json.dumps(CLAIMS_SCHEMA)) + DIGEST_CHARS
    agg = estimate(session, BRIEFING, functions.agg, len(SECTIONS), chars)
    return agg + estimate(session, BRIEFING, functions.complete, len(SECTIONS), 0, overhead)


def is_free(warehouse: Warehouse, settings: Settings) -> bool:
    """Whether a briefing costs nothing, however long."""
    return _Functions.of(warehouse, settings).are_free


def _is_there(session: Session, day: date, question: str, lines: str) -> bool:
    found = session.execute(
        "SELECT count(*) FROM enriched.briefings WHERE day = ? AND fingerprint = ? AND input_hash = ?",
        [day, question, lines],
    )
    return bool(found[0][0])


def _line_chars(session: Session, day: date) -> int:
    sql = f"SELECT coalesce(sum(length(line)), 0) FROM ({statement('briefing/lines')})"
    return int(session.execute(sql, [day, day])[0][0])


def _steps(warehouse: Warehouse, model: str) -> list[Step]:
    prompt = f"{literal(CLAIMS_PROMPT)} || {fenced('digest')}"
    response_format = literal({"type": "json", "schema": CLAIMS_SCHEMA})
    call = f"AI_COMPLETE({literal(model)}, {prompt}, {{'temperature': 0}}, {response_format})"
    return [
        Step("digests", statement("briefing/digests", sections=SECTIONS)),
        Step("answered", statement("briefing/claims", call=warehouse.dialect.with_error_details(call))),
        Step("counted", statement("briefing/counted", model=model)),
    ]


def _account(answers: Iterable[Mapping[str, Any]], held: Mapping[str, Held], functions: _Functions) -> Written:
    digests, asked = Enriched(), Enriched()
    for answer in answers:
        # Two questions a section: AI_AGG over its lines, and AI_COMPLETE over the digest where there is one.
        digest, answered = int(answer["digest_tokens"]), int(answer["answer_tokens"])
        digests += functions.agg.came_to(1, 0, int(answer["line_tokens"]), digest)
        if answer["digest"] is not None:
            is_bad = held[answer["section"]].bad is not None
            asked += functions.complete.came_to(1, int(is_bad), digest, answered)
    claims, refused = sum(len(one.kept) for one in held.values()), sum(one.refused for one in held.values())
    return Written(digests, asked, claims, refused, anew=True)


def _stage_letters(
    session: Session, day: date, answers: Iterable[Mapping[str, Any]], held: Mapping[str, Held], run_id: str
) -> Staged:
    """Store a dead letter for each section whose answer was bad; a section without a digest has none."""
    failed: dict[dead_letters.Key, str] = {}
    well: list[dead_letters.Key] = []
    for answer in answers:
        letter, bad = _letter(day, answer["section"]), held[answer["section"]].bad
        if bad is not None and answer["digest"] is not None:
            failed[letter] = bad
        else:
            well.append(letter)
    return dead_letters.stage_letters(session, day, failed, well, run_id, utc_now())


def _letter(day: date, section: str) -> dead_letters.Key:
    return BRIEFING, f"{day} {section}"


def _tries_left(session: Session, day: date) -> bool:
    found = session.execute(
        "SELECT count(*) FROM ops.dead_letters WHERE stage = ? AND day = ? AND attempts < ?", [BRIEFING, day, _ATTEMPTS]
    )
    return bool(found[0][0])


def lines_hash(session: Session, warehouse: Warehouse, day: date) -> str:
    """A hash of what the briefing of *day* is asked over; the marts are there."""
    hashed = warehouse.dialect.row_hash(["section", "item_id", "line"])
    return str(session.execute(f"SELECT {hashed} FROM ({statement('briefing/lines')})", [day, day])[0][0])


def _evidence(session: Session, day: date) -> Evidence:
    """What can be cited, the stories that had a line, and what each says of itself."""
    rows = session.execute(
        "SELECT item_id, title, takeaway, replace(topic, '_', ' '), replace(domain, '.', ' ') FROM marts.stories "
        "WHERE day = ? AND status = 'ok' AND title IS NOT NULL",
        [day],
    )
    told = {int(row[0]): [text for text in row[1:] if text] for row in rows}
    for number, name in session.execute(
        "SELECT item_id, entity FROM staging.int_entities__mentions WHERE day = ?", [day]
    ):
        if number in told and name:
            told[number].append(name)
    return Evidence({number: "\n".join(texts) for number, texts in told.items()})


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
    now = utc_now()
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
    merge_rows(session, session.stage("enriched.briefings", [row]), keys=("day", "fingerprint"))
    stage_rows.end_stage(session, day, BRIEFING, COMPLETE, run_id, now, rows=len(claims), fingerprint=question)
