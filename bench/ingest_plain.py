"""What ``bench/ingest.py`` measures the flow against: the same reading as a plain asyncio and httpx script.

It lists the day, reads the items, each host's robots.txt and the pages, and takes their text out in two processes; a
story's page is asked for as soon as its item is there. No order, retries, guard, politeness, warehouse or ledger: what
was read is in memory, and gone at the end. Prints a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
from protego import Protego

from hnintel.settings import Settings, load_settings
from hnintel.web import extract, media
from hnintel.web.extract import Extracted
from hnintel.window import Window, parse_day

_CAP = 1000
_IDLE = 20
_ROBOT = "hn-intelligence"


def take_text(body: bytes, content_type: str, url: str) -> Extracted:
    """What a page holds, from its bytes; runs in a process of the pool."""
    return extract.article(media.to_text(body, content_type), url)


class Script:
    """One run.

    Args:
        client: for everything.
        pool: takes text out.
        settings: where Hacker News is.
        at_once: the most concurrent requests.
    """

    def __init__(self, client: httpx.AsyncClient, pool: ProcessPoolExecutor, settings: Settings, at_once: int) -> None:
        self._client, self._pool, self._settings = client, pool, settings
        self._gate = asyncio.Semaphore(at_once)
        self._rules: dict[str, asyncio.Task[Protego | None]] = {}

    async def run(self, window: Window) -> dict[str, int]:
        """Read the day; return the number of items, of pages with a text, and of characters of text."""
        ids = await self._list(window.start_epoch, window.end_epoch)
        read = await asyncio.gather(*(self._story(item_id) for item_id in ids))
        texts = [
            extracted.text[: self._settings.article_max_chars] for _, extracted in read if extracted and extracted.text
        ]
        return {"items": len({item["id"] for item, _ in read}), "texts": len(texts), "chars": sum(map(len, texts))}

    async def _get(self, url: str, params: dict[str, str] | None = None) -> httpx.Response:
        async with self._gate:
            return await self._client.get(url, params=params)

    async def _list(self, start: int, end: int) -> list[int]:
        """The ids of [start, end): by halves, where Algolia's cap is met."""
        response = await self._get(
            f"{self._settings.algolia_url}/search_by_date",
            {
                "tags": "(story,poll,job)",
                "numericFilters": f"created_at_i>={start},created_at_i<{end}",
                "hitsPerPage": str(_CAP),
                "attributesToRetrieve": "objectID",
                "attributesToHighlight": "",
            },
        )
        answer = response.json()
        if answer["nbHits"] < _CAP and "message" not in answer:
            return [int(hit["objectID"]) for hit in answer["hits"]]
        middle = (start + end) // 2
        return await self._list(start, middle) + await self._list(middle, end)

    async def _story(self, item_id: int) -> tuple[dict[str, Any], Extracted | None]:
        item = (await self._get(f"{self._settings.firebase_url}/item/{item_id}.json")).json()
        rules = await self._robots(item["url"])
        if rules is not None and not rules.can_fetch(item["url"], _ROBOT):
            return item, None
        page = await self._get(item["url"])
        content = page.content, page.headers.get("content-type", ""), item["url"]
        return item, await asyncio.get_running_loop().run_in_executor(self._pool, take_text, *content)

    async def _robots(self, url: str) -> Protego | None:
        site = urlsplit(url).netloc
        if site not in self._rules:
            self._rules[site] = asyncio.create_task(self._read_robots(site))
        return await self._rules[site]

    async def _read_robots(self, site: str) -> Protego | None:
        answer = await self._get(f"http://{site}/robots.txt")
        return Protego.parse(answer.text) if answer.status_code == 200 else None


async def _run(settings: Settings, window: Window, at_once: int) -> dict[str, int]:
    # httpx looks at every idle connection with each request: 160 of them would cost more than all else together.
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=_IDLE)
    headers = {"User-Agent": settings.user_agent}
    client = httpx.AsyncClient(limits=limits, headers=headers, timeout=30, trust_env=False)
    with ProcessPoolExecutor(settings.article_workers) as pool:
        async with client:
            return await Script(client, pool, settings, at_once).run(window)


def main() -> None:
    """Run once, as the environment says."""
    settings = load_settings()
    window = Window.of(parse_day(os.environ["BENCH_DAY"]), settings.time_zone)
    began = time.monotonic()
    came_to = asyncio.run(_run(settings, window, int(os.environ["BENCH_AT_ONCE"])))
    print(json.dumps({"seconds": {"all": time.monotonic() - began}, **came_to}))


if __name__ == "__main__":
    main()
