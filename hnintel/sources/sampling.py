"""Looks for a sample of a day's live stories in its listing, by reading runs of ids from Firebase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hnintel.errors import Unreachable
from hnintel.sources.base import Reading
from hnintel.sources.firebase import Reader, first_id_at, is_live_story, time_at
from hnintel.window import Window

#: Ids in a row that are read together, and how many such runs are read before the next look at the result.
_RUN, _ROUND = 10, 16
_HOUR = 3600
#: The fields by which a story of the range is judged; the texts of a range would fill the memory.
_KEPT = ("id", "type", "time", "dead", "deleted")


class Remembering:
    """A reader that requests each id once: probes, sample and range share what was read. Failed ids are read again."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._readings: dict[int, Reading] = {}

    async def max_id(self) -> int:
        """The largest id at present."""
        return await self._reader.max_id()

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        """One reading for each id, in order, with the fields by which a story is judged."""
        new = {reading.id: _trimmed(reading) for reading in await self._reader.read(self._unread(ids))}
        self._readings |= {item_id: reading for item_id, reading in new.items() if reading.outcome != "failed"}
        return [new.get(item_id) or self._readings[item_id] for item_id in ids]

    def _unread(self, ids: Sequence[int]) -> list[int]:
        return [item_id for item_id in ids if item_id not in self._readings]


@dataclass(frozen=True, slots=True)
class Sample:
    """The result of a sample.

    ``looked_for``: how many live stories, spread over the window, were looked for. ``missing``: the live stories that
    the listing lacks, of these and of the last hour. ``is_enough``: whether the sample has the requested size.
    """

    looked_for: int
    missing: tuple[int, ...]
    is_enough: bool


async def sample(reader: Reader, window: Window, listed: frozenset[int], least: int) -> Sample:
    """Look in *listed* for live stories of *window*: of its last hour first, then spread over all of it.

    It ends with the first story that is missing. Where the range has fewer live stories than *least*, it has been read
    to its end: then the sample is not enough, and reading the rest of the range costs less than another proof.

    Args:
        reader: reads the items; give one that remembers.
        window: the window that was listed.
        listed: the listed ids.
        least: how many live stories are looked for over the window; half as many of its last hour.

    Raises:
        Unreachable, SourceError: Firebase does not answer.
    """
    newest = await reader.max_id()
    first = await first_id_at(reader, window.start_epoch, newest)
    last = min(await first_id_at(reader, window.end_epoch, newest), newest + 1)
    latest = await time_at(reader, max(1, newest - _ROUND), newest + 1)
    ends = min(window.end_epoch, latest[1]) if latest else window.end_epoch
    late = await first_id_at(reader, max(window.start_epoch, ends - _HOUR), newest)
    recent, missing = await _look(reader, window, listed, range(max(first, late), last), least // 2)
    if missing:
        return Sample(recent, missing, True)
    # Only the stories spread over the window count: a bound on the day does not follow from its last hour.
    looked_for, missing = await _look(reader, window, listed, range(first, last), least)
    return Sample(looked_for, missing, bool(missing) or looked_for >= least)


async def _look(
    reader: Reader, window: Window, listed: frozenset[int], ids: range, least: int
) -> tuple[int, tuple[int, ...]]:
    """Read runs of *ids* until *least* live stories were looked for; return how many, and the missing ones."""
    looked_for = 0
    for batch in _rounds(ids):
        readings = await reader.read(batch)
        if all(reading.outcome == "failed" for reading in readings):
            raise Unreachable(f"no item can be read while a listing is sampled: {readings[0].reason}")
        live = [reading.id for reading in readings if is_live_story(reading, window)]
        looked_for += len(live)
        missing = tuple(item_id for item_id in live if item_id not in listed)
        if missing or looked_for >= least:
            return looked_for, missing
    return looked_for, ()


def _rounds(ids: range) -> Iterator[list[int]]:
    """All of *ids*, in rounds of runs; the runs of each round are spread evenly over all ids."""
    starts = [ids[place * _RUN] for place in _spread(-(-len(ids) // _RUN))]
    for begin in range(0, len(starts), _ROUND):
        runs = [range(start, min(start + _RUN, ids.stop)) for start in starts[begin : begin + _ROUND]]
        yield [item_id for run in runs for item_id in run]


def _spread(count: int) -> list[int]:
    """The numbers below *count*, each halving the gaps between those before it (a van der Corput sequence)."""
    bits = max(count - 1, 1).bit_length()
    places = (int(f"{number:0{bits}b}"[::-1], 2) for number in range(1 << bits))
    return [place for place in places if place < count]


def _trimmed(reading: Reading) -> Reading:
    if reading.raw is None:
        return reading
    return Reading(reading.id, reading.outcome, {name: reading.raw[name] for name in _KEPT if name in reading.raw})
