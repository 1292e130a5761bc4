"""The poller's thinking: what of Hacker News, or of a folder of dumps, is new since the cursor, as events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from hnintel.errors import HnIntelError, SourceError
from hnintel.events import DayRequested, Event, StoriesChanged, StoryTrending
from hnintel.models import FirebaseItem
from hnintel.settings import Settings
from hnintel.sources.firebase import Firebase
from hnintel.sources.json_http import json_client
from hnintel.sources.replay import ReplaySource, is_dump

#: A cursor is kept where 5,000 characters fit; no more stories than this are remembered as told.
_MOST_TOLD = 100
#: A dump that was written to so lately may still be: it is left to the next poll.
_QUIET = timedelta(seconds=10)
#: A dump of more days than this is a backfill, which wants a plan and a person.
_MOST_DAYS = 31
_HOUR = 3600.0


class Cursor(BaseModel):
    """How far the poller is. Times are seconds since 1970."""

    #: The largest id at the last poll; 0 before the first.
    newest: int = 0
    #: When that was.
    polled: int = 0
    #: Points of the front page's stories then, by id.
    seen: dict[int, int] = Field(default_factory=dict)
    #: When a story was posted that was told as trending, by id.
    told: dict[int, int] = Field(default_factory=dict)
    #: The dump that was taken last: when it was last changed (nanoseconds), and its name.
    dump: tuple[int, str] = (0, "")

    @classmethod
    def parse(cls, kept: object) -> Cursor:
        """The cursor as it was kept, or a new one where none is, or what is there is none."""
        try:
            return cls.model_validate(kept)
        except ValidationError:
            return cls()


@dataclass(frozen=True, slots=True)
class Poll:
    """What a poll came to. The cursor is kept once the events are out: a crash in between has them told again."""

    events: tuple[Event, ...]
    cursor: Cursor
    #: Why it looked at less than it might have; one line a reason.
    skipped: tuple[str, ...] = ()


async def poll(cursor: Cursor, settings: Settings, now: datetime) -> Poll:
    """Look at Hacker News, where that is the source, and at the folder of dumps, where one is set.

    Args:
        cursor: of the last poll.
        settings: what counts as trending, and where to look.
        now: an instant, with its zone.
    """
    events: list[Event] = []
    skipped: list[str] = []
    if settings.source == "live":
        try:
            found, cursor = await _poll_live(cursor, settings, int(now.timestamp()))
            events += found
            if not found:
                skipped.append(f"nothing is new since item {cursor.newest}")
        except SourceError as error:
            skipped.append(str(error))
    else:
        skipped.append(f"HNINTEL_SOURCE={settings.source}: only Hacker News itself moves")
    if settings.watch_dumps is not None:
        found, cursor, why = _poll_dumps(cursor, settings.watch_dumps, settings, now)
        events += found
        skipped += why
    return Poll(tuple(events), cursor, tuple(skipped))


async def _poll_live(cursor: Cursor, settings: Settings, now: int) -> tuple[list[Event], Cursor]:
    async with json_client(settings) as client:
        firebase = Firebase(client, settings)
        newest = await firebase.max_id()
        changed, top = await firebase.changed(), (await firebase.top())[: settings.watch_stories]
        readings = await firebase.read(top)
    stories = [story for one in readings if one.raw is not None and (story := _story(one.raw)) is not None]
    events: list[Event] = []
    if newest > cursor.newest > 0:  # the first poll only learns where it is
        events.append(StoriesChanged(after=cursor.newest, newest=newest, changed=len(changed)))
    told = {story: posted for story, posted in cursor.told.items() if now - posted <= settings.watch_hours * _HOUR}
    for story in stories:
        pace = _points_per_hour(story, cursor, now)
        if story.id not in told and is_trending(story, pace, now, settings):
            told[story.id] = story.time or now
            events.append(_trending(story, pace))
    kept = dict(sorted(told.items(), key=lambda one: one[1])[-_MOST_TOLD:])
    update = {"newest": max(newest, cursor.newest), "polled": now, "told": kept}
    return events, cursor.model_copy(update={**update, "seen": {story.id: story.score or 0 for story in stories}})


def is_trending(story: FirebaseItem, points_per_hour: float, now: int, settings: Settings) -> bool:
    """Whether a story is young, has points enough, and gathers them fast enough."""
    age = now - (story.time or 0)
    return (
        0 <= age <= settings.watch_hours * _HOUR
        and (story.score or 0) >= settings.watch_min_score
        and points_per_hour >= settings.watch_points_per_hour
    )


def _points_per_hour(story: FirebaseItem, cursor: Cursor, now: int) -> float:
    """Since it was last seen; at first sight since it was posted, an hour at the least, for a minute proves nothing."""
    score, last = story.score or 0, cursor.seen.get(story.id)
    if last is None:
        return score / max((now - (story.time or now)) / _HOUR, 1.0)
    hours = (now - cursor.polled) / _HOUR
    return (score - last) / hours if hours > 0 else 0.0


def _trending(story: FirebaseItem, pace: float) -> StoryTrending:
    return StoryTrending(
        story_id=story.id, score=story.score or 0, comments=story.descendants or 0, points_per_hour=round(pace, 1)
    )


def _story(raw: Mapping[str, object]) -> FirebaseItem | None:
    try:
        story = FirebaseItem.model_validate(raw)
    except ValidationError:
        return None
    return story if story.type == "story" and story.status == "ok" and story.time is not None else None


def _poll_dumps(
    cursor: Cursor, folder: Path, settings: Settings, now: datetime
) -> tuple[list[Event], Cursor, list[str]]:
    """The days of the dumps that were dropped since, in the order in which they came; and what was left, and why."""
    try:
        dumps = [one for one in folder.iterdir() if one.is_file() and is_dump(one)]
        there = sorted((one.stat().st_ctime_ns, one.name) for one in dumps if _is_text(one.name))
    except OSError as error:
        return [], cursor, [f"{folder} cannot be read ({error.strerror}): make it, or mend HNINTEL_WATCH_DUMPS"]
    new = [one for one in there if one > cursor.dump]
    events: list[Event] = []
    skipped = [] if new else [f"no dump is new in {folder}"]
    skipped += [f"{one.name!a} is left out: its name is no text, rename it" for one in dumps if not _is_text(one.name)]
    for changed, name in new:
        if now.timestamp() - changed / 1e9 < _QUIET.total_seconds():
            skipped.append(f"{name} may still be written to: it is left to the next poll")
            break  # those after it came later still
        found, why = _days_of(folder / name, settings)
        events += found
        skipped += why
        cursor = cursor.model_copy(update={"dump": (changed, name)})
    return events, cursor, skipped


def _is_text(name: str) -> bool:
    """Whether a file's name can be written down: the bytes of some are no text, and no event could name them."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _days_of(dump: Path, settings: Settings) -> tuple[list[Event], list[str]]:
    try:
        source = ReplaySource(dump)
        days = source.days(settings.time_zone)
    except HnIntelError as error:
        return [], [f"{dump.name} is left out: {error}"]
    if len(days) > _MOST_DAYS:
        told = f"{dump.name} is left out: it holds {len(days)} days, {days[0]} to {days[-1]}; backfill them on purpose"
        return [], [told]
    asked = [DayRequested(day=day, source=f"replay:{dump}", version_of=source.identity) for day in days]
    return list(asked), [] if asked else [f"{dump.name} is left out: it holds no story with a time"]
