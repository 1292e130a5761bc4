"""The poller's thinking: what of Hacker News, or of a folder of dumps, is new since the cursor, as events."""

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

#: A cursor is kept where 5,000 characters fit; no more stories than this are remembered as told.
_MOST_TOLD = 100
#: A dump that was written to so lately may still be: it is left to the next poll.
_QUIET = timedelta(seconds=10)
#: A dump of more days than this is a backfill, which wants a plan and a person.
_MOST_DAYS = 31
#: So far back dumps are looked at again where the clock was ahead: nobody knows what came since it was set right.
_LOOK_BACK = timedelta(days=1)
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
        there = sorted((_came(one), one.name) for one in dumps if _is_text(one.name))
    except OSError as error:
        return [], cursor, [f"{folder} cannot be read ({error.strerror}): make it, or mend HNINTEL_WATCH_DUMPS"]
    cursor, skipped = _not_ahead(cursor, now)
    new = [one for one in there if one > cursor.dump]
    events: list[Event] = []
    skipped += [] if new else [f"no dump is new in {folder}"]
    skipped += [f"{one.name!a} is left out: its name is no text, rename it" for one in dumps if not _is_text(one.name)]
    for changed, name in new:
        if now.timestamp() - changed / 1e9 < _QUIET.total_seconds():
            skipped.append(f"{name} may still be written to: it is left to the next poll")
            break  # those after it came later still
        found, why = _days_of(folder / name, settings, now)
        events += found
        skipped += why
        cursor = cursor.model_copy(update={"dump": (changed, name)})
    return events, cursor, skipped


def _came(dump: Path) -> int:
    """When it was last changed or dropped (nanoseconds): a link that is new may lead to a file that is old."""
    return max(dump.stat().st_ctime_ns, dump.lstat().st_ctime_ns)


def _not_ahead(cursor: Cursor, now: datetime) -> tuple[Cursor, list[str]]:
    """The cursor, set back where it is of a time to come, in which no dump would be new before that; and that it was.

    What is announced again has the same ids, and a day that is done is not done again.
    """
    if cursor.dump[0] / 1e9 <= now.timestamp():
        return cursor, []
    back = now - _LOOK_BACK
    told = f"the clock was ahead at the last dump: those that came since {back:%Y-%m-%d %H:%M} UTC are looked at again"
    return cursor.model_copy(update={"dump": (int(back.timestamp() * 1e9), "")}), [told]


def _is_text(name: str) -> bool:
    """Whether a file's name can be written down: the bytes of some are no text, and no event could name them."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _days_of(dump: Path, settings: Settings, now: datetime) -> tuple[list[Event], list[str]]:
    """The days of a dump that can be run; and what of it was left out, and why."""
    try:
        source = ReplaySource(dump)
        days, unreadable = source.days(settings.time_zone), source.unreadable
        version = source.identity
    except HnIntelError as error:
        return [], [f"{dump.name} is left out: {error}"]
    except Exception as error:  # of what nobody foresaw, memory among it: no reason to leave the others
        return [], [f"{dump.name} is left out: unexpected {type(error).__name__}, replay it by hand to see why"]
    if not days:
        why = "it is not readable as JSON lines" if unreadable else "it holds no story with a time"
        return [], [f"{dump.name} is left out: {why}"]
    wanted, skipped = _wanted(dump.name, days, settings, now)
    if len(wanted) > _MOST_DAYS:
        told = f"it holds {len(wanted)} days, {_span(wanted)}; backfill them on purpose"
        return [], [*skipped, f"{dump.name} is left out: {told}"]
    return [DayRequested(day=day, source=f"replay:{dump}", version_of=version) for day in wanted], skipped


def _wanted(name: str, days: list[date], settings: Settings, now: datetime) -> tuple[list[date], list[str]]:
    """Those of *days* that a run would not refuse; and the others, with why."""
    today = day_of(now, settings.time_zone)
    early = [day for day in days if day < settings.first_day]
    late = [day for day in days if day > today]
    skipped = []
    if early:
        why = f"before the first day wanted, HNINTEL_FIRST_DAY={settings.first_day}"
        skipped.append(f"of {name} is left out what is {why}: {_span(early)}")
    if late:
        skipped.append(f"of {name} is left out what has not begun in {settings.time_zone}: {_span(late)}")
    return [day for day in days if settings.first_day <= day <= today], skipped


def _span(days: list[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
