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
    """Run the deployment over *days* days; return its final state, and the seconds from request to end."""
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
    """Return all records of a kind on the server."""
    records: list[dict[str, Any]] = []
    while True:
        page = service.get(f"{kind}/filter", {"limit": _PAGE, "offset": len(records), "sort": "ID_DESC"})
        records += page
        if len(page) < _PAGE:
            return records


def lost(service: Service, days: int) -> list[str]:
    """Return the problems of the run records: days without a run, and runs that did not complete."""
    runs = [run for run in every(service, "flow_runs") if run["start_time"]]
    expected_days = [str(FIRST + timedelta(days=number)) for number in range(days)]
    children = Counter(run["parameters"]["day"] for run in service.runs("hacker-news/day"))
    problems = [f"{day}: {children[day]} runs" for day in expected_days if children[day] != 1]
    problems += [f"run {run['name']}: {run['state']['name']}" for run in runs if run["state"]["type"] != "COMPLETED"]
    known, tasks = {run["id"] for run in runs}, every(service, "task_runs")
    problems += [f"task {task['name']}: of no run" for task in tasks if task["flow_run_id"] not in known]
    problems += [
        f"task {task['name']}: {task['state']['name']}" for task in tasks if task["state"]["type"] not in _ENDED
    ]
    print(f"records: {len(runs)} flow runs, {len(tasks)} task runs")
    return problems


def occupied_limits(service: Service) -> list[str]:
    """Return the limits with occupied slots."""
    limits = service.get("v2/concurrency_limits/filter", {})
    return [f"{limit['name']}: {limit['active_slots']} occupied" for limit in limits if limit["active_slots"]]


def twice(service: Service, days: int, stories: int) -> list[str]:
    """Return the kinds of rows or questions with duplicates; a spotlight of the service is of another day."""
    of_them = f"day BETWEEN '{FIRST}' AND '{FIRST + timedelta(days=days - 1)}'"
    ((calls, kinds),) = service.rows(
        f"SELECT sum(calls), count(DISTINCT enrichment) FROM ops.ai_usage WHERE enrichment <> 'briefing' AND {of_them}"
    )
    ((items, distinct),) = service.rows(f"SELECT count(*), count(DISTINCT id) FROM raw.items WHERE {of_them}")
    ((complete,),) = service.rows("SELECT count(DISTINCT day) FROM ops.partitions WHERE stage = 'publish'")
    print(f"rows: {items} items of {days} days; AI calls: {calls} of {kinds} enrichments")
    checks = {
        f"{calls} AI calls": calls == kinds * days * stories,
        f"{items} items": items == distinct == days * stories,
        f"{complete} days published": complete == days,
    }
    return [what for what, is_right in checks.items() if not is_right]


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is None:
        with tempfile.TemporaryDirectory() as temporary:
            yield Path(temporary)
    else:
        chosen.mkdir(parents=True)
        yield chosen


def main() -> int:
    """Run the burst; print its duration, and whether anything was lost or done twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--stories", type=int, default=100, help="a day (100)")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="keep all files there, with the logs")
    arguments = parser.parse_args()
    if arguments.keep and arguments.keep.exists():
        parser.error(f"{arguments.keep} exists already: name a new folder")
    with _folder(arguments.keep) as folder:
        source = folder / "dump.ndjson"
        dump(source, arguments.days, arguments.stories)
        try:
            with postgres_and_redis() as stores, running_service(folder, SERVERS, stores) as service:
                state, seconds = backfilled(service, arguments.days, f"replay:{source}")
                rate = arguments.days / seconds * 60
                size = f"{arguments.days} days of {arguments.stories} stories"
                print(f"{size}: {state} in {seconds:.0f} s, {rate:.1f} a minute")
                time.sleep(15)  # records and slots are updated a moment later
                wrong = {
                    "lost": lost(service, arguments.days),
                    "slots": occupied_limits(service),
                    "done twice": twice(service, arguments.days, arguments.stories),
                }
        except NotInstalled as error:
            print(error, file=sys.stderr)
            return 2
    for what, lines in wrong.items():
        print(f"{what}: {'; '.join(lines) or 'nothing'}")
    return 0 if state.startswith("COMPLETED") and not any(wrong.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
