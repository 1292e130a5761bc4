"""Drift: the distance between the labels of a day and those of earlier days. Pure functions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hnintel.checks.check import Verdict
from hnintel.errors import counted
from hnintel.settings import Settings


@dataclass(frozen=True, slots=True)
class Drift:
    """The distance between two distributions, and the label that moved most.

    ``distance`` is the total variation: the share of answers that would have to change their label, 0 to 1. ``chance``
    is the average distance of two samples of this size from one distribution: it is large with many labels and few
    rows, so it is subtracted.
    """

    distance: float
    chance: float
    label: str
    before: float
    after: float

    @property
    def beyond_chance(self) -> float:
        """The distance beyond ``chance``."""
        return max(0.0, self.distance - self.chance)


def drift(before: Mapping[str, int], after: Mapping[str, int]) -> Drift:
    """The drift from *before* to *after*, both counts by label with at least one row."""
    rows_before, rows_after = sum(before.values()), sum(after.values())
    was = {label: before.get(label, 0) / rows_before for label in before.keys() | after.keys()}
    now = {label: after.get(label, 0) / rows_after for label in was}
    # The mean absolute deviation of a normal variable is sqrt(2 variance / pi); shares are nearly normal.
    spread = (1 / rows_before + 1 / rows_after) * 2 / math.pi
    chance = sum(math.sqrt(share * (1 - share) * spread) for share in was.values()) / 2
    moved = max(sorted(was), key=lambda label: abs(now[label] - was[label]))
    distance = sum(abs(now[label] - was[label]) for label in was) / 2
    return Drift(distance, chance, moved, was[moved], now[moved])


def as_usual(by_day: Mapping[date, Counter[str]], day: date, settings: Settings, what: str) -> Verdict:
    """Whether the labels of *day* are distributed as on the other days together; *what* names the labelled rows."""
    after = by_day.get(day, Counter())
    others = [counts for other, counts in by_day.items() if other != day]
    before = sum(others, Counter())
    rows, days = after.total(), len(others)
    if min(rows, before.total()) < settings.check_min_rows or days < settings.check_min_days:
        counts = f"{what} {rows} (needs {settings.check_min_rows}), earlier days {days}"
        return Verdict(True, f"not enough to judge: {counts} (needs {settings.check_min_days})")
    moved = drift(before, after)
    detail = (
        f"{moved.distance:.2f} from the {counted(days, 'day')} before, of which {moved.chance:.2f} is chance "
        f"with {rows} {what}; moved most: {moved.label} {moved.before:.0%} → {moved.after:.0%}"
    )
    return Verdict(moved.beyond_chance <= settings.check_drift, detail)
