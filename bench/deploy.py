"""A burst through a worker: a backfill of many days on Postgres and Redis, and whether anything is lost or done twice.

    python bench/deploy.py [--days 30] [--stories 100] [--keep FOLDER]

The server and its services have the settings of deployments/compose.yaml; the worker runs each day in a process of its
own, four at once. Ends with 1 where a run's record is lost, a slot is still taken, or something was done twice; with 2
where Postgres or Redis is not installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from bench.backfill import FIRST, dump
from tests.deploy.service import Service, running_service
from tests.deploy.stores import NotInstalled, postgres_and_redis

SERVERS = [["server", "start", "--no-services", "--no-ui"], ["server", "services", "start"]]
_LONGEST = 3600.0
_PAGE = 200
_ENDED = ("COMPLETED", "FAILED")


def backfilled(service: Service, days: int, source: str) -> tuple[str, float]:
    """Have the deployment do so many days; its last state, and the seconds from request to end."""
    last = FIRST + timedelta(days=days - 1)
    began = time.monotonic()
    run = service.request("backfill/backfill", from_day=str(FIRST), to_day=str(last), source=source, concurrency=4)
    while time.monotonic() - began < _LONGEST:
        state = service.get(f"flow_runs/{run}")["state"]
        if state["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            return f"{state['type']} {state['message'] or ''}".strip(), time.monotonic() - began
        time.sleep(2)
    return "not ended within an hour", _LONGEST


def every(service: Service, kind: str) -> list[dict[str, Any]]:
    """All records of a kind that the server has."""
    found: list[dict[str, Any]] = []
    while True:
        page = service.get(f"{kind}/filter", {"limit": _PAGE, "offset": len(found), "sort": "ID_DESC"})
        found += page
        if len(page) < _PAGE:
            return found


def lost(service: Service, days: int) -> list[str]:
    """What is wrong with the records of the runs: a day without one of its own, or one that never ended."""
    runs = [run for run in every(service, "flow_runs") if run["start_time"]]
    wanted = [str(FIRST + timedelta(days=number)) for number in range(days)]
    children = Counter(run["parameters"]["day"] for run in service.runs("hacker-news/day"))
    found = [f"{day}: {children[day]} runs" for day in wanted if children[day] != 1]
    found += [f"run {run['name']}: {run['state']['name']}" for run in runs if run["state"]["type"] != "COMPLETED"]
    known, tasks = {run["id"] for run in runs}, every(service, "task_runs")
    found += [f"task {one['name']}: of no run" for one in tasks if one["flow_run_id"] not in known]
    found += [f"task {one['name']}: {one['state']['name']}" for one in tasks if one["state"]["type"] not in _ENDED]
    print(f"records: {len(runs)} flow runs, {len(tasks)} task runs")
    return found


def taken(service: Service) -> list[str]:
    """Limits that still count somebody."""
    limits = service.get("v2/concurrency_limits/filter", {})
    return [f"{one['name']}: {one['active_slots']} taken" for one in limits if one["active_slots"]]


def twice(service: Service, days: int, stories: int) -> list[str]:
    """Questions or rows beyond one for each; what the service does beside (a spotlight) is of other days."""
    of_them = f"day BETWEEN '{FIRST}' AND '{FIRST + timedelta(days=days - 1)}'"
    ((calls, kinds),) = service.rows(
        f"SELECT sum(calls), count(DISTINCT enrichment) FROM ops.ai_usage WHERE enrichment <> 'briefing' AND {of_them}"
    )
    ((items, distinct),) = service.rows(f"SELECT count(*), count(DISTINCT id) FROM raw.items WHERE {of_them}")
    ((complete,),) = service.rows("SELECT count(DISTINCT day) FROM ops.partitions WHERE stage = 'publish'")
    print(f"rows: {items} items of {days} days; AI calls: {calls} of {kinds} enrichments")
    wanted = {
        f"{calls} AI calls": calls == kinds * days * stories,
        f"{items} items": items == distinct == days * stories,
        f"{complete} days published": complete == days,
    }
    return [what for what, is_right in wanted.items() if not is_right]


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is None:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    else:
        kept.mkdir(parents=True)
        yield kept


def main() -> int:
    """Run the burst, print what it took, say whether all is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--stories", type=int, default=100, help="a day (100)")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="leave there what was made, logs and all")
    asked = parser.parse_args()
    if asked.keep and asked.keep.exists():
        parser.error(f"{asked.keep} is there already: name a folder that is not")
    with _folder(asked.keep) as folder:
        source = folder / "dump.ndjson"
        dump(source, asked.days, asked.stories)
        try:
            with postgres_and_redis() as stores, running_service(folder, SERVERS, stores) as service:
                state, seconds = backfilled(service, asked.days, f"replay:{source}")
                rate = asked.days / seconds * 60
                print(f"{asked.days} days of {asked.stories} stories: {state} in {seconds:.0f} s, {rate:.1f} a minute")
                time.sleep(15)  # records and slots come in a moment later
                wrong = {
                    "lost": lost(service, asked.days),
                    "slots": taken(service),
                    "done twice": twice(service, asked.days, asked.stories),
                }
        except NotInstalled as error:
            print(error, file=sys.stderr)
            return 2
    for what, lines in wrong.items():
        print(f"{what}: {'; '.join(lines) or 'nothing'}")
    return 0 if state.startswith("COMPLETED") and not any(wrong.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
