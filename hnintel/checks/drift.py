"""How far the labels of a day are from those of the days before it. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hnintel.checks.check import Verdict
from hnintel.settings import Settings


@dataclass(frozen=True, slots=True)
class Drift:
    """The distance between two distributions, and the label that moved most.

    ``distance`` is the total variation: the share of answers that would have to be another label, 0 to 1. ``chance``
    is the distance that two samples of this size are apart on average though nothing has changed: with many labels
    and few rows that is much, so it is not held against a day.
    """

    distance: float
    chance: float
    label: str
    before: float
    after: float

    @property
    def beyond_chance(self) -> float:
        """What chance does not explain."""
        return max(0.0, self.distance - self.chance)


def drift(before: Mapping[str, int], after: Mapping[str, int]) -> Drift:
    """How far *after* is from *before*; both are counts by label, with at least one row each."""
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
    """Whether the labels of *day* are spread as on the other days together; *what* names what they are labels of."""
    after = by_day.get(day, Counter())
    others = [counts for other, counts in by_day.items() if other != day]
    before = sum(others, Counter())
    rows, days = after.total(), len(others)
    if min(rows, before.total()) < settings.check_min_rows or days < settings.check_min_days:
        wanted = f"{what} {rows} (needs {settings.check_min_rows}), earlier days {days}"
        return Verdict(True, f"not enough to judge: {wanted} (needs {settings.check_min_days})")
    found = drift(before, after)
    told = (
        f"{found.distance:.2f} from the {days} days before, of which {found.chance:.2f} is chance with {rows} "
        f"{what}; moved most: {found.label} {found.before:.0%} → {found.after:.0%}"
    )
    return Verdict(found.beyond_chance <= settings.check_drift, told)
