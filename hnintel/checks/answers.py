"""Checks of AI's answers: derived from an enrichment's columns, followed by the enrichment's own rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from hnintel.checks.check import Check, Verdict, share_of
from hnintel.checks.drift import as_usual
from hnintel.enrich.column import Column
from hnintel.enrich.declaration import Enrichment
from hnintel.settings import Settings
from hnintel.warehouse.base import Session
from hnintel.warehouse.catalog import columns_of
from hnintel.warehouse.statements import literal, statement

_ABSENT, _PRESENT, _BROKEN = "(absent)", "(there)", "(none of its values)"

Measure = Callable[[Session, date, Settings], Verdict]


def answer_checks(enrichment: Enrichment, fingerprint: str, stored: Collection[str]) -> list[Check]:
    """The checks of a day's answers to an enrichment.

    Args:
        enrichment: the declaration.
        fingerprint: of the current question; answers and dead letters of another question do not count.
        stored: the columns of the enrichment's table; empty if it was never asked. Other columns are not checked.
    """
    answers, name = _Answers(enrichment, fingerprint), enrichment.name
    if not stored:
        return [Check(name, "unanswered", False, _never_asked)]
    checks = [Check(name, "unanswered", False, answers.unanswered)]
    for column in enrichment.columns:
        if column.name in stored:
            checks += _column_checks(answers, column)
    for rule in enrichment.checks:
        broken = answers.faults(f"NOT ({rule.holds}\n)", "break it", rule.allowed)
        checks.append(Check(name, rule.name, rule.blocking, broken))
    return checks


def stored_columns(session: Session, enrichment: Enrichment) -> frozenset[str]:
    """The columns of the enrichment's table in the warehouse; empty if it was never asked."""
    return frozenset(columns_of(session, enrichment.table))


def _column_checks(answers: _Answers, column: Column) -> list[Check]:
    guards, name = answers.enrichment.name, column.name
    checks = []
    if not column.nullable:
        checks.append(Check(guards, f"{name} is there", True, answers.faults(f"{name} IS NULL", "are NULL")))
    if column.one_of:
        values = ", ".join(literal(value) for value in column.one_of)
        outside = answers.faults(f"{name} NOT IN ({values})", f"are none of its {len(column.one_of)} values", 0.0)
        checks.append(Check(guards, f"{name} is one of its values", True, outside))
    if column.one_of or column.nullable:
        checks.append(Check(guards, f"{name} as usual", False, partial(answers.as_usual, column)))
    if column.max_length is not None:
        longer = answers.faults(
            f"length({name}) > {column.max_length}", f"are over {column.max_length} characters", 0.0
        )
        checks.append(Check(guards, f"{name} is no longer than allowed", True, longer))
    if column.between:
        least, most = column.between
        outside = answers.faults(f"{name} NOT BETWEEN {least} AND {most}", f"are not between {least} and {most}", 0.0)
        checks.append(Check(guards, f"{name} is in its range", True, outside))
    return checks


def _never_asked(session: Session, day: date, settings: Settings) -> Verdict:
    return Verdict(True, "nothing to judge: it was never asked")


@dataclass(frozen=True, slots=True)
class _Answers:
    """The answers to one question, and measures of those of a day."""

    enrichment: Enrichment
    fingerprint: str

    def faults(self, fault: str, words: str, allowed: float | None = None) -> Measure:
        """Measure the share of answers for which the SQL condition *fault* is true.

        Args:
            fault: the condition.
            words: describes the faulty answers in the verdict: ``are NULL``.
            allowed: the share allowed; by default ``check_null_share``.
        """

        def measure(session: Session, day: date, settings: Settings) -> Verdict:
            answers, at_fault = self._count(session, day, fault)
            return share_of(at_fault, answers, settings.check_null_share if allowed is None else allowed, words)

        return measure

    def unanswered(self, session: Session, day: date, settings: Settings) -> Verdict:
        """Measure the share of the day's items whose question failed or had no valid answer."""
        answers, _ = self._count(session, day, "FALSE")
        failed = session.execute(
            "SELECT count(*) FROM ops.dead_letters WHERE stage = ? AND fingerprint = ? AND day = ?",
            [self.enrichment.stage, self.fingerprint, day],
        )[0][0]
        return share_of(int(failed), answers + int(failed), settings.check_lost_share, "wait in the dead letters")

    def as_usual(self, column: Column, session: Session, day: date, settings: Settings) -> Verdict:
        """Compare the day's distribution of labels with that of earlier days; without labels, that of NULLs."""
        first = day - timedelta(days=settings.check_baseline_days)
        name = f"answers.{column.name}"
        label = f"coalesce({name}, '{_ABSENT}')" if column.one_of else f"CASE WHEN {name} IS NULL THEN '{_ABSENT}' END"
        sql = statement("checks/labels", table=self.enrichment.table, label=label)
        by_day: dict[date, Counter[str]] = defaultdict(Counter)
        for when, label, count in session.execute(sql, [self.fingerprint, first, day]):
            known = label == _ABSENT or label in column.one_of
            by_day[when][label if known else _BROKEN if column.one_of else _PRESENT] += int(count)
        return as_usual(by_day, day, settings, "answers")

    def _count(self, session: Session, day: date, fault: str) -> tuple[int, int]:
        sql = statement("checks/answers", table=self.enrichment.table, fault=fault)
        answers, at_fault = session.execute(sql, [self.fingerprint, day])[0]
        return int(answers), int(at_fault)
