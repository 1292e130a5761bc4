"""What orchestration costs: a day of 1,000 stories and pages, read by the flow and by a plain script beside it.

    python bench/ingest.py [--quick] [--stories N] [--repeats N] [--latency MS ...]

Both read the same server (``ingest_world.py``, a process of its own, warm) with the same number of requests, and take
text out of the same pages with the same extraction in as many processes. They take turns; the figures are medians.
That they did the same is checked: the requests that the server counted, the items, the texts and their characters.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx
import psutil

from flows.local import prefect_home
from hnintel.settings import ROOT, load_settings

GOAL = 1.3
#: Latencies in milliseconds at which the goal must be met; without latency the figures are only printed.
HELD_AT = (80, 200)
#: Requests under way at once: the flow's four threads, each with its forty.
AT_ONCE = 160
_TIMEOUT = 300.0
_SAMPLED_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a side: seconds by stage, peak megabytes and processor seconds of all its processes, and its results."""

    seconds: dict[str, float]
    peak_mb: float
    cpu: float
    came_to: dict[str, Any]

    @property
    def wall(self) -> float:
        """Seconds in all."""
        return sum(self.seconds.values())


class World:
    """The server's process."""

    def __init__(self, process: subprocess.Popen[str], ready: dict[str, Any]) -> None:
        self._process, self.ready = process, ready

    def served(self) -> dict[str, int]:
        """Requests so far, by service."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        counts: dict[str, int] = json.loads(self._process.stdout.readline())
        return counts

    def warm(self) -> None:
        """Let it answer a few hundred requests of each kind."""
        host = self.ready["private"]
        with httpx.Client(trust_env=False) as client:
            client.get(f"{self.ready['algolia']}/search_by_date", params={"hitsPerPage": 1000}).raise_for_status()
            for number in range(200):
                client.get(f"{self.ready['firebase']}/item/{40_000_000 + number * 10}.json").raise_for_status()
                client.get(f"http://{host[number % len(host)]}/page/{number}").raise_for_status()


@contextmanager
def world(stories: int, latency: float) -> Iterator[World]:
    """Serve a day in a process of its own for the block; warm, then as slow as *latency* (seconds) says."""
    command = [sys.executable, "-m", "bench.ingest_world", "--stories", str(stories), "--port", str(_free_port())]
    process = subprocess.Popen(
        [*command, "--latency", str(latency)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield World(process, json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait()


def measure(module: str, environ: dict[str, str], beside: list[psutil.Process]) -> Run:
    """Run *module* in a process of its own; what *beside* takes meanwhile counts with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    watch = _Watch([psutil.Process(process.pid), *beside])
    try:
        output, _ = process.communicate(timeout=_TIMEOUT)
    finally:
        process.kill()
        peak, cpu = watch.stop()
    if process.returncode:
        sys.exit(f"error: {module} ended with code {process.returncode}; what it said is above")
    result = json.loads(output.strip().splitlines()[-1])
    return Run(result.pop("seconds"), peak, cpu, result)


class _Watch:
    """Looks at processes and their children a few times a second; memory that two of them share counts twice."""

    def __init__(self, processes: list[psutil.Process]) -> None:
        self._processes, self._stopped = processes, threading.Event()
        self._peak = 0
        self._cpu: dict[psutil.Process, float] = {}
        self._before = sum(self._look().values())
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> tuple[float, float]:
        """Stop; return the peak memory in megabytes, and the processor time of all processes in seconds."""
        self._stopped.set()
        self._thread.join()
        return self._peak / 1e6, sum(self._cpu.values()) - self._before

    def _watch(self) -> None:
        while not self._stopped.wait(_SAMPLED_EVERY):
            self._cpu.update(self._look())

    def _look(self) -> dict[psutil.Process, float]:
        """Processor time by process; a process that has ended keeps what it had when it was last seen."""
        memory, cpu = 0, {}
        for process in self._processes:
            with suppress(psutil.NoSuchProcess):
                for member in (process, *process.children(recursive=True)):
                    memory += member.memory_info().rss
                    cpu[member] = sum(member.cpu_times()[:2])
        self._peak = max(self._peak, memory)
        return cpu


class Bench:
    """Both sides over the same world.

    Args:
        folder: each run gets a home of its own below it.
        prefect: the processes of Prefect's server, which the flow's memory includes.
    """

    def __init__(self, folder: Path, prefect: list[psutil.Process]) -> None:
        self._folder, self._prefect = folder, prefect

    def script(self, served: World) -> Run:
        """The plain script."""
        return self._run("bench.ingest_plain", served, [])

    def flow(self, served: World) -> Run:
        """The stages of the flow."""
        return self._run("bench.ingest_flow", served, self._prefect)

    def _run(self, module: str, served: World, beside: list[psutil.Process]) -> Run:
        before = served.served()
        home = Path(tempfile.mkdtemp(dir=self._folder))  # nothing of an earlier run, nor its cached results
        run = measure(module, self._environ(served, home), beside)
        shutil.rmtree(home)
        run.came_to["requests"] = {name: count - before.get(name, 0) for name, count in served.served().items()}
        return run

    def _environ(self, served: World, home: Path) -> dict[str, str]:
        theirs = {name: value for name, value in os.environ.items() if not name.startswith("HNINTEL_")}
        return {
            **theirs,
            "HNINTEL_HOME": str(home),
            "HNINTEL_SOURCE": "live",
            "HNINTEL_FIREBASE_URL": served.ready["firebase"],
            "HNINTEL_ALGOLIA_URL": served.ready["algolia"],
            "HNINTEL_ALLOWED_PRIVATE_HOSTS": json.dumps(served.ready["private"]),
            "HNINTEL_ARTICLE_HOST_DELAY": "0",
            "HNINTEL_LISTING_SAMPLE": "0",  # the script lists by a search too, and proves nothing
            "HNINTEL_LISTING_WHOLE": "false",
            "PREFECT_LOCAL_STORAGE_PATH": str(home / "results"),
            "BENCH_DAY": served.ready["day"],
            "BENCH_AT_ONCE": str(AT_ONCE),
        }


def at(bench: Bench, stories: int, latency: int, repeats: int) -> float:
    """Measure at a latency (ms), the sides in turn; print a row and return the ratio of the medians."""
    scripts, flows = [], []
    with world(stories, latency / 1000) as served:
        served.warm()
        for _ in range(repeats):
            scripts.append(bench.script(served))
            flows.append(bench.flow(served))
    different = {json.dumps(run.came_to, sort_keys=True) for run in scripts + flows}
    if len(different) > 1:
        sys.exit(
            "error: the two sides have different results, which cannot be compared:\n" + "\n".join(sorted(different))
        )
    script, flow = _median(scripts), _median(flows)
    print(
        _row(f"{latency} ms", f"{script:.2f}", f"{flow:.2f}", f"{flow / script:.2f}", *_taken(scripts), *_taken(flows))
    )
    stages = (f"{stage} {statistics.median(run.seconds[stage] for run in flows):.1f} s" for stage in flows[0].seconds)
    print(f"{'':>9} each {_each(scripts)} / {_each(flows)}; of the flow {', '.join(stages)}")
    print(f"{'':>9} both: {different.pop()}", flush=True)
    return flow / script


def _median(runs: list[Run]) -> float:
    return statistics.median(run.wall for run in runs)


def _each(runs: list[Run]) -> str:
    return " ".join(f"{run.wall:.2f}" for run in runs)


def _taken(runs: list[Run]) -> tuple[str, str]:
    return f"{statistics.median(run.cpu for run in runs):.1f}", f"{max(run.peak_mb for run in runs):.0f}"


def _row(*cells: str) -> str:
    return "".join(f"{cell:>10}" for cell in cells)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Print the table; return 1 if the flow misses its goal at a latency of the goal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="200 stories, once each: to try it, not to measure")
    parser.add_argument("--stories", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3, help="runs of each side at each latency")
    parser.add_argument("--latency", type=int, nargs="+", default=[0, *HELD_AT], metavar="MS")
    arguments = parser.parse_args()
    stories, repeats = (200, 1) if arguments.quick else (arguments.stories, arguments.repeats)
    print(
        f"{stories} stories and pages; {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    )
    with tempfile.TemporaryDirectory(prefix="hnintel-bench-") as folder:
        began = time.monotonic()
        with prefect_home.prefect(load_settings(home=folder), False, prefect_home.own_api()) as wait:
            servers = psutil.Process().children()
            wait()
            print(f"Prefect's server was up after {time.monotonic() - began:.1f} s; that is no part of what follows")
            print(_row("latency", "script s", "flow s", "ratio", "CPU s", "peak MB", "flow CPU", "flow MB"))
            bench = Bench(Path(folder), servers)
            ratios = {latency: at(bench, stories, latency, repeats if latency else 1) for latency in arguments.latency}
    missed = [latency for latency in HELD_AT if ratios.get(latency, 0) > GOAL]
    where = ", ".join(f"{latency} ms" for latency in missed)
    latencies = ", ".join(f"{latency} ms" for latency in HELD_AT)
    print(f"goal: at most {GOAL} times the script's time at {latencies}: {'MISSED at ' + where if missed else 'met'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
