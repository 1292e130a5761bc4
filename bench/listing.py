"""What proving a day's listing costs: requests and minutes, of a sample and of reading every id of the day.

    python bench/listing.py [--ids N] [--stories N] [--latency MS ...]

A day of so many ids on a loopback server that answers each request after the given latency, read as the live source
reads it, at the default number of requests at once. Ends with 1 where a listing is not complete.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from hnintel.settings import Settings
from hnintel.sources.base import Listing, Prove
from hnintel.sources.hacker_news import HackerNews
from hnintel.window import Window
from tests.servers import LoopbackServer, Weather, World

WINDOW = Window.of(date(2026, 10, 22), "America/New_York")
#: Ids before and after the day, so that its ends have to be found.
_AROUND = 2_000


def world(ids: int, stories: int) -> World:
    """A day of so many ids: stories evenly among comments, with comments before and after it."""
    first, every, seconds = 45_000_000, ids // stories, 86_400 / ids
    return World.of(
        {
            "id": first + number,
            "type": "story" if 0 <= number < ids and number % every == 0 else "comment",
            "time": int(WINDOW.start_epoch + number * seconds),
        }
        for number in range(-_AROUND, ids + _AROUND)
    )


def listed(server: LoopbackServer, settings: Settings, prove: Prove) -> tuple[Listing, int, float]:
    """The listing, its requests and its seconds."""
    server.requests.clear()
    began = time.monotonic()
    listing = asyncio.run(HackerNews(settings).list_day(WINDOW, prove))
    return listing, sum(server.requests.values()), time.monotonic() - began


def main() -> int:
    """Print a line for each latency and proof; 1 where a story is missing."""
    parser = argparse.ArgumentParser(prog="python bench/listing.py", description=main.__doc__)
    parser.add_argument("--ids", type=int, default=12_000, help="how many ids the day has")
    parser.add_argument("--stories", type=int, default=1_000)
    parser.add_argument("--latency", type=float, nargs="+", default=[80.0], help="milliseconds")
    asked = parser.parse_args()
    print(f"{asked.ids} ids, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    print(f"{'latency':>10}  {'proof':<10}{'requests':>10}{'minutes':>10}{'listed':>10}")
    is_complete = True
    with tempfile.TemporaryDirectory() as home:
        for latency in asked.latency:
            with LoopbackServer(world(asked.ids, asked.stories), Weather(latency=latency / 1000)) as server:
                settings = Settings(home=Path(home), firebase_url=server.firebase_url, algolia_url=server.algolia_url)
                expected = sum(raw is not None and raw["type"] == "story" for raw in server.world.items.values())
                for prove in ("sample", "whole"):
                    listing, requests, seconds = listed(server, settings, prove)
                    is_complete &= len(listing.ids) == expected
                    told = f"{listing.proof.kind:<10}{requests:>10}{seconds / 60:>10.2f}{len(listing.ids):>10}"
                    print(f"{latency:>7.0f} ms  {told}", flush=True)
    print(f"every story is listed: {'yes' if is_complete else 'no'}")
    return 0 if is_complete else 1


if __name__ == "__main__":
    sys.exit(main())
