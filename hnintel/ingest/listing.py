"""Lists a day: from its source and from what the warehouse has of it, with the proof that it is complete."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from statistics import median

from hnintel.errors import ListingTooSmall, SourceError
from hnintel.ingest import loading, scraping
from hnintel.ledger import listings
from hnintel.ledger.stage_names import INGEST
from hnintel.ledger.statuses import IS_DONE
from hnintel.settings import Settings
from hnintel.sources.base import Listing, Source
from hnintel.sources.proof import Proof
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement
from hnintel.window import Window

#: The least earlier days of the same weekday to compare with: of two, one could be a holiday.
_ENOUGH_WEEKS = 3


@dataclass(frozen=True, slots=True)
class Before:
    """The warehouse's knowledge of a day before it is listed.

    ``known``: its stored ids that may still change. ``waiting``: its ids in the dead letters. ``proof``: of the last
    listing, if that was ``whole`` and all its items are still there; else None. ``usual``: the median number of live
    stories on this weekday; None where too few weeks are known.
    """

    known: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()
    proof: Proof | None = None
    usual: float | None = None


def before(session: Session, window: Window, spec: str, source: Source, settings: Settings) -> Before:
    """Read what the warehouse knows of the day of *window*.

    Args:
        session: the transaction; nothing is written.
        window: the day.
        spec: the source as the user named it.
        source: the source.
        settings: for how many weeks the weekday's usual is taken from.
    """
    day = window.day
    last = listings.listed(session, day, spec)
    is_whole = last is not None and last.is_whole(window) and listings.count(session, day) >= last.listed
    return Before(
        tuple(loading.known_ids(session, day, source.name)),
        tuple(loading.waiting_ids(session, day)),
        last.proof if last is not None and is_whole else None,
        _usual(session, day, source.name, settings),
    )


async def list_day(source: Source, window: Window, known: Before, settings: Settings, now: datetime) -> Listing:
    """List the day of *window*: the items listed now and, where the source lists no dead items, those known before.

    All ids of the day are read once, at D+1 or later (``listing_whole``); after that the stored ids are the listing,
    and a search only adds to it.

    Args:
        source: the source to list.
        window: the day.
        known: the warehouse's knowledge of the day.
        settings: when a listing is to be whole, and below which share of the usual a day is nearly empty.
        now: UTC without a zone.

    Raises:
        Unreachable, SourceError: the day cannot be listed.
    """
    if source.lists_gone:
        listing = await source.list_day(window)
        return listing if listing.ids else _refused(listing, f"the source holds no story of {window.day}")
    if known.proof is not None:
        return _with_stored(await _added(source, window), known, known.proof)
    listing = await source.list_day(window, prove="whole" if is_due_whole(window, settings, now) else "sample")
    if why := _too_small(listing, window, known.usual, settings, now):
        listing = _refused(listing, why)
    return scraping.with_known(listing, known.known)


def is_due_whole(window: Window, settings: Settings, now: datetime) -> bool:
    """Whether all ids of the day are to be read at *now* (UTC without a zone): it has been over for a whole day."""
    after = Window.of(window.day + timedelta(days=1), settings.time_zone)
    return settings.listing_whole and now.replace(tzinfo=UTC) >= after.end


def refuse_too_small(listing: Listing, day: date) -> None:
    """Raise ListingTooSmall if the listing has too few stories to be believed."""
    if listing.too_small:
        raise ListingTooSmall(
            f"{listing.too_small}: no page of {day} was published; run it again later, or another day"
        )


async def _added(source: Source, window: Window) -> Listing:
    """A search alone; an empty listing where it fails, since the day's listing is proven without it."""
    try:
        return await source.list_day(window, prove="not")
    except SourceError as error:
        return Listing((), Counter({f"not searched again ({error})": 1}))


def _with_stored(searched: Listing, known: Before, proof: Proof) -> Listing:
    listing = scraping.with_known(replace(searched, proof=proof), known.known)
    return replace(listing, ids=tuple(sorted({*listing.ids, *known.waiting})))


def _too_small(listing: Listing, window: Window, usual: float | None, settings: Settings, now: datetime) -> str:
    """Why the listing has too few stories to be believed; empty where it has enough."""
    if not listing.ids:
        return f"the source has no story of {window.day}"
    least = (usual or 0.0) * settings.listing_min_share
    if window.is_over(now) and len(listing.ids) < least:
        return f"the source has {len(listing.ids)} stories of {window.day}, usually {usual:g} on a {window.day:%A}"
    return ""


def _refused(listing: Listing, why: str) -> Listing:
    return replace(listing, proof=Proof("unproven", reason=why), too_small=why)


def _usual(session: Session, day: date, source: str, settings: Settings) -> float | None:
    first = day - timedelta(days=settings.check_baseline_days)
    params = [source, INGEST, first, day - timedelta(days=1)]
    rows = session.execute(statement("ingest/weekday_counts", is_done=IS_DONE), params)
    alike = [int(count) for other, count in rows if other.weekday() == day.weekday()]
    usual = median(alike) if len(alike) >= _ENOUGH_WEEKS else None
    return usual if usual is not None and usual >= settings.check_min_rows else None
