"""What is due again: days that are to be read once more, and days of which something waits to be tried again."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from hnintel import dead_letters, settle
from hnintel.settings import Settings
from hnintel.settle import Due
from hnintel.warehouse.base import Session


def days_due(session: Session, settings: Settings, source: str, now: datetime) -> list[Due]:
    """The days to be run again at *now* (UTC without a zone), oldest first.

    A day is due when it settles (:func:`hnintel.settle.due_days`), and when a dead letter of it is due: an article
    whose site was down, an item that was not read, a bad answer. A letter that was tried often enough is not.
    """
    readings = settle.day_readings(session, source)
    settling = settle.due_days(readings, now, settings.settle_days, settings.time_zone)
    why = {due.day: [due.why] for due in settling}
    # Only days that are this source's: another's would be read from where they never were.
    own = {reading.day for reading in readings}
    letters = dead_letters.letters(session, settings, now)
    waiting = Counter(letter.day for letter in letters if letter.due and letter.day in own)
    for day, count in waiting.items():
        why.setdefault(day, []).append(f"{count} dead letter{'s are' if count > 1 else ' is'} due")
    return [Due(day, "; ".join(reasons)) for day, reasons in sorted(why.items())]
