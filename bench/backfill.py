"""What a backfill takes: days a minute, AI calls and memory, for 10 days and for 30; what daily runs would ask.

    python bench/backfill.py [--stories N] [--days 10 30]

Days of invented stories, the offline engine, each size in a home and a process of its own. Ends with 1 where memory
grows with the number of days, or where calls are not stories times enrichments.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psutil

ROOT = Path(__file__).resolve().parent.parent
FIRST = date(2026, 9, 1)
_ALLOWED_GROWTH = 1.25
_WORDS = "a new storage engine for SQL indexes was released and it works well on small machines".split()


def dump(path: Path, days: int, stories: int) -> None:
    """Write the stories of *days* days, each with a different text."""
    with path.open("w", encoding="utf-8") as stream:
        for number in range(days):
            noon = 1_788_278_400 + 86_400 * number  # 2026-09-01, 12:00 in New York
            for place in range(stories):
                key = number * stories + place
                words = " ".join(_WORDS[key % len(_WORDS) :] + _WORDS[: key % len(_WORDS)])
                story = {
                    "id": 1_000_000 + key,
                    "type": "story",
                    "by": f"user{key % 97}",
                    "time": noon + place,
                    "title": f"Notes number {key}: {_WORDS[key % len(_WORDS)]}",
                    "text": f"{words}, says note {key}.",
                    "score": 1 + key % 19,  # below what has comments read
                    "descendants": 0,
                }
                stream.write(json.dumps(story) + "\n")


def measured(days: int, stories: int) -> dict[str, Any]:
    """Backfill *days* days in a separate process; record the peak memory of the process and its children."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "dump.ndjson"
        dump(source, days, stories)
        last = FIRST + timedelta(days=days - 1)
        script = str(ROOT / "flows" / "backfill.py")
        argv = [
            sys.executable,
            script,
            "--source",
            f"replay:{source}",
            "--from",
            str(FIRST),
            "--to",
            str(last),
            "--yes",
        ]
        own = {name: value for name, value in os.environ.items() if not name.startswith(("HNINTEL_", "PREFECT_"))}
        environ = {**own, "HOME": folder, "HNINTEL_HOME": f"{folder}/home"}
        began = time.monotonic()
        process = subprocess.Popen(argv, env=environ, cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        peak = _peak(process)
        _, err = process.communicate()
        assert process.returncode == 0, err.decode()
        seconds = time.monotonic() - began
        with duckdb.connect(f"{folder}/home/hnintel.duckdb", read_only=True) as connection:
            calls = dict(
                connection.execute(
                    "SELECT CASE enrichment WHEN 'briefing' THEN 'briefing' ELSE 'enrichments' END, sum(calls) "
                    "FROM ops.ai_usage GROUP BY 1"
                ).fetchall()
            )
            row = connection.execute(
                "SELECT count(DISTINCT enrichment) FROM ops.ai_usage WHERE enrichment <> 'briefing'"
            ).fetchone()
    return {
        "days": days,
        "days_a_minute": days / seconds * 60,
        "calls": int(calls["enrichments"]),
        "briefing_calls": int(calls["briefing"]),
        "enrichments": int(row[0]) if row else 0,
        "peak_mb": peak / 1e6,
    }


def _peak(process: subprocess.Popen[bytes]) -> int:
    """The largest resident memory of the process itself; Prefect's server is another one."""
    peak, watched = 0, psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.2)
    return peak


def main() -> int:
    """Measure every size, print the figures and whether the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stories", type=int, default=100, help="a day (100)")
    parser.add_argument("--days", type=int, nargs="+", default=[10, 30])
    arguments = parser.parse_args()
    print(f"{'days':>6} {'days/min':>9} {'AI calls':>9} {'whole table daily':>18} {'briefing':>9} {'peak MB':>8}")
    results = []
    for days in arguments.days:
        result = measured(days, arguments.stories)
        # Asking about the whole table every day asks about all earlier days once a day.
        whole = result["enrichments"] * arguments.stories * days * (days + 1) // 2
        figures = (result["days_a_minute"], result["calls"], whole, result["briefing_calls"], result["peak_mb"])
        print("{:>6} {:>9.1f} {:>9} {:>18} {:>9} {:>8.0f}".format(days, *figures), flush=True)
        results.append(result)
    linear = all(result["calls"] == result["enrichments"] * arguments.stories * result["days"] for result in results)
    flat = results[-1]["peak_mb"] <= results[0]["peak_mb"] * _ALLOWED_GROWTH
    print(f"calls are stories times enrichments: {'met' if linear else 'MISSED'}")
    print(
        f"memory of the most days at most {_ALLOWED_GROWTH:g} times that of the fewest: {'met' if flat else 'MISSED'}"
    )
    return 0 if linear and flat else 1


if __name__ == "__main__":
    sys.exit(main())
