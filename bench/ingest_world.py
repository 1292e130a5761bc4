"""The world that ``bench/ingest.py`` reads: a day of stories and their pages, served by a process of its own.

    python -m bench.ingest_world --stories 1000 --latency 0.08

Each host name is an address of its own, 127.0.1.1 and on, all of this machine; the story's URL names it. The pages are
real ones where the benchmark of articles is at hand, else the bundled sample's, so that taking their text out costs
what it costs. Prints a line of JSON when it is ready; after that, a line of JSON with what it has served for every
line on its standard input, and ends with that input.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import json
import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from hnintel.settings import ROOT, Settings
from hnintel.window import Window
from tests.servers import LoopbackServer, Page, Weather, World
from tests.servers.material import day_of_stories

DAY = date(2025, 4, 18)
HOSTS = 400
_ROBOTS = Page(b"User-agent: *\nDisallow: /private/\nDisallow: /search\nCrawl-delay: 0\n", "text/plain")


class ManyHosts(LoopbackServer):
    """The loopback server at many addresses of this machine, so that each is a host with connections of its own."""

    def __init__(self, world: World, weather: Weather, port: int, hosts: list[str]) -> None:
        super().__init__(world, weather, port=port)
        self._hosts = hosts

    async def _serve(self) -> None:
        listening = [await asyncio.start_server(self._connected, host, self.port, backlog=256) for host in self._hosts]
        try:
            await super()._serve()
        finally:
            for server in listening:
                server.close()


def hosts(count: int) -> list[str]:
    """So many addresses of this machine, none of them 127.0.0.1."""
    return [f"127.0.{1 + number // 250}.{1 + number % 250}" for number in range(count)]


def world(stories: int, port: int, names: list[str]) -> World:
    """Return a day of *stories*, each with its own page on a host of *names*; every host has a robots.txt."""
    start = Window.of(DAY, Settings.model_fields["time_zone"].default).start_epoch
    items = day_of_stories(stories, start)
    pages = {f"{name}/robots.txt": _ROBOTS for name in names}
    for number, (item, body) in enumerate(zip(items, itertools.cycle(list(_bodies())), strict=False)):
        place = f"{names[number % len(names)]}/page/{number}"
        host, _, path = place.partition("/")
        item["url"] = f"http://{host}:{port}/{path}"
        pages[place] = Page(body)
    return World.of(items, pages)


def _bodies() -> Iterator[bytes]:
    data = Path(os.environ.get("HNINTEL_TEST_DATA") or ROOT.parent / "shared" / "data")
    real = sorted((data / "articles" / "article_extraction_benchmark" / "html").glob("*.html.gz"))
    if real:
        yield from (gzip.decompress(path.read_bytes()) for path in real)
    else:
        yield from (path.read_bytes() for path in sorted((ROOT / "hnintel" / "sample").glob("*/pages/**/*.html")))


def main() -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m bench.ingest_world", description=main.__doc__)
    parser.add_argument("--stories", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--port", type=int, required=True, help="free at every address")
    arguments = parser.parse_args()
    names = hosts(HOSTS)
    with ManyHosts(
        world(arguments.stories, arguments.port, names), Weather(latency=arguments.latency), arguments.port, names
    ) as server:
        ready = {
            "firebase": server.firebase_url,
            "algolia": server.algolia_url,
            "day": DAY.isoformat(),
            "private": [f"{name}:{arguments.port}" for name in names],
        }
        print(json.dumps(ready), flush=True)
        for _ in sys.stdin:
            print(json.dumps(dict(server.requests)), flush=True)


if __name__ == "__main__":
    main()
