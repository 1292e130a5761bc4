"""The poller: turns news of Hacker News, or of a folder of dumps, since the cursor into events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from hnintel.errors import HnIntelError, SourceError
from hnintel.events import DayRequested, Event, StoriesChanged, StoryTrending
from hnintel.models import FirebaseItem
from hnintel.settings import Settings
from hnintel.sources.firebase import Firebase
from hnintel.sources.json_http import json_client
from hnintel.sources.replay import ReplaySource, is_dump
from hnintel.window import day_of

#: A stored cursor may have 5,000 characters, so at most this many announced stories are remembered.
_MOST_ANNOUNCED = 100
#: A dump changed more recently than this may still be written to: the next poll reads it.
_QUIET = timedelta(seconds=10)
#: A dump with more days than this needs a backfill, with a plan and a person's approval.
_MOST_DAYS = 31
#: How far back dumps are read again if the clock was ahead: the dumps since the correction are unknown.
_LOOK_BACK = timedelta(days=1)
_HOUR = 3600.0


class Cursor(BaseModel):
    """The poller's position. Times are seconds since 1970."""

    #: The largest id at the last poll; 0 before the first.
    newest: int = 0
    #: Time of the last poll.
    polled: int = 0
    #: Points of the front page's stories at the last poll, by id.
    seen: dict[int, int] = Field(default_factory=dict)
    #: Times of posting of the stories announced as trending, by id.
    told: dict[int, int] = Field(default_factory=dict)
    #: The last dump read: its time of change (nanoseconds) and its name.
    dump: tuple[int, str] = (0, "")

    @classmethod
    def parse(cls, stored: object) -> Cursor:
        """The stored cursor, or a new cursor if *stored* is missing or invalid."""
        try:
            return cls.model_validate(stored)
        except ValidationError:
            return cls()


@dataclass(frozen=True, slots=True)
class Poll:
    """The result of a poll. Store the cursor after publishing the events: a crash in between publishes them again."""

    events: tuple[Event, ...]
    cursor: Cursor
    #: Reasons why parts were skipped, one line each.
    skipped: tuple[str, ...] = ()
    #: Why Hacker News could not be looked at; None: it was, or is not the source.
    unreachable: str | None = None


async def poll(cursor: Cursor, settings: Settings, now: datetime) -> Poll:
    """Poll Hacker News if it is the source, and the folder of dumps if one is set.

    Args:
        cursor: the cursor of the last poll.
        settings: the rules for trending stories, the source and the folder.
        now: the present time, with its zone.
    """
    events: list[Event] = []
    skipped: list[str] = []
    unreachable = None
    if settings.source == "live":
        try:
            new_events, cursor = await _poll_live(cursor, settings, int(now.timestamp()))
            events += new_events
            if not new_events:
                skipped.append(f"nothing is new since item {cursor.newest}")
        except SourceError as error:
            unreachable = str(error)
            skipped.append(unreachable)
    else:
        skipped.append(f"HNINTEL_SOURCE={settings.source}: only Hacker News itself moves")
    if settings.watch_dumps is not None:
        new_events, cursor, reasons = _poll_dumps(cursor, settings.watch_dumps, settings, now)
        events += new_events
        skipped += reasons
    return Poll(tuple(events), cursor, tuple(skipped), unreachable)


async def _poll_live(cursor: Cursor, settings: Settings, now: int) -> tuple[list[Event], Cursor]:
    async with json_client(settings) as client:
        firebase = Firebase(client, settings)
        newest = await firebase.max_id()
        changed, top = await firebase.changed(), (await firebase.top())[: settings.watch_stories]
        readings = await firebase.read(top)
    stories = [story for reading in readings if reading.raw is not None and (story := _story(reading.raw)) is not None]
    events: list[Event] = []
    if newest > cursor.newest > 0:  # the first poll only records its position
        events.append(StoriesChanged(after=cursor.newest, newest=newest, changed=len(changed)))
    announced = {story: posted for story, posted in cursor.told.items() if now - posted <= settings.watch_hours * _HOUR}
    for story in stories:
        pace = _points_per_hour(story, cursor, now)
        if story.id not in announced and is_trending(story, pace, now, settings):
            announced[story.id] = story.time or now
            events.append(_trending(story, pace))
    latest = dict(sorted(announced.items(), key=lambda reading: reading[1])[-_MOST_ANNOUNCED:])
    update = {"newest": max(newest, cursor.newest), "polled": now, "told": latest}
    return events, cursor.model_copy(update={**update, "seen": {story.id: story.score or 0 for story in stories}})


def is_trending(story: FirebaseItem, points_per_hour: float, now: int, settings: Settings) -> bool:
    """Whether a story is recent, has enough points, and gains them fast enough."""
    age = now - (story.time or 0)
    return (
        0 <= age <= settings.watch_hours * _HOUR
        and (story.score or 0) >= settings.watch_min_score
        and points_per_hour >= settings.watch_points_per_hour
    )


def _points_per_hour(story: FirebaseItem, cursor: Cursor, now: int) -> float:
    """Points per hour since the last poll; for a new story since it was posted, but over an hour at least."""
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
    """Events for the days of new dumps, oldest dump first; the new cursor; and what was skipped, with reasons."""
    try:
        dumps = [file for file in folder.iterdir() if file.is_file() and is_dump(file)]
        changes = sorted((_changed_ns(file), file.name) for file in dumps if _is_text(file.name))
    except OSError as error:
        return [], cursor, [f"{folder} cannot be read ({error.strerror}): create it, or correct HNINTEL_WATCH_DUMPS"]
    cursor, skipped = _not_ahead(cursor, now)
    new = [file for file in changes if file > cursor.dump]
    events: list[Event] = []
    skipped += [] if new else [f"no dump is new in {folder}"]
    skipped += [
        f"{file.name!a} is left out: its name is not valid text, rename it" for file in dumps if not _is_text(file.name)
    ]
    for changed, name in new:
        if now.timestamp() - changed / 1e9 < _QUIET.total_seconds():
            skipped.append(f"{name} may still be written to: the next poll reads it")
            break  # the dumps after it are newer still
        day_events, reasons = _days_of(folder / name, settings, now)
        events += day_events
        skipped += reasons
        cursor = cursor.model_copy(update={"dump": (changed, name)})
    return events, cursor, skipped


def _changed_ns(dump: Path) -> int:
    """When the file, or the link to it, was last changed (nanoseconds); a new link may lead to an old file."""
    return max(dump.stat().st_ctime_ns, dump.lstat().st_ctime_ns)


def _not_ahead(cursor: Cursor, now: datetime) -> tuple[Cursor, list[str]]:
    """The cursor and a note; a cursor in the future is set back, because until then no dump would count as new.

    Repeated events have the same ids, and a finished day is not run again.
    """
    if cursor.dump[0] / 1e9 <= now.timestamp():
        return cursor, []
    back = now - _LOOK_BACK
    reason = f"the clock was ahead at the last dump: dumps since {back:%Y-%m-%d %H:%M} UTC are read again"
    return cursor.model_copy(update={"dump": (int(back.timestamp() * 1e9), "")}), [reason]


def _is_text(name: str) -> bool:
    """Whether a file's name is valid text; an event cannot name any other file."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _days_of(dump: Path, settings: Settings, now: datetime) -> tuple[list[Event], list[str]]:
    """Events for the days of a dump that can be run, and what was skipped, with reasons."""
    try:
        source = ReplaySource(dump)
        days, unreadable = source.days(settings.time_zone), source.unreadable
        version = source.identity
    except HnIntelError as error:
        return [], [f"{dump.name} is left out: {error}"]
    except Exception as error:  # an unforeseen error, such as lack of memory, must not skip the other dumps
        return [], [f"{dump.name} is left out: unexpected {type(error).__name__}, replay it by hand to see why"]
    if not days:
        why = "it is not readable as JSON lines" if unreadable else "it holds no story with a time"
        return [], [f"{dump.name} is left out: {why}"]
    runnable, skipped = _runnable_days(dump.name, days, settings, now)
    if len(runnable) > _MOST_DAYS:
        why = f"it holds {len(runnable)} days, {_span(runnable)}; run a backfill"
        return [], [*skipped, f"{dump.name} is left out: {why}"]
    return [DayRequested(day=day, source=f"replay:{dump}", version_of=version) for day in runnable], skipped


def _runnable_days(name: str, days: list[date], settings: Settings, now: datetime) -> tuple[list[date], list[str]]:
    """The *days* that a run accepts, and the reasons why the others are skipped."""
    today = day_of(now, settings.time_zone)
    early = [day for day in days if day < settings.first_day]
    late = [day for day in days if day > today]
    skipped = []
    if early:
        why = f"before the first day, HNINTEL_FIRST_DAY={settings.first_day}"
        skipped.append(f"{name}: days {why}, are left out: {_span(early)}")
    if late:
        skipped.append(f"{name}: days that have not begun in {settings.time_zone} are left out: {_span(late)}")
    return [day for day in days if settings.first_day <= day <= today], skipped


def _span(days: list[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
