"""``hnintel watch``: its arguments and what it prints."""

from __future__ import annotations

import json
import sys

from flows.local.command import Ran, flow_at, in_prefect, tell
from flows.local.options import AsJson, PrefectLogs, guarded_with_json, run_script
from hnintel.errors import Unreachable
from hnintel.settings import load_settings

EXAMPLE = "HNINTEL_WATCH_DUMPS=dumps hnintel watch"


def run(as_json: AsJson = False, prefect_logs: PrefectLogs = False) -> int:
    """Poll once, and emit events for new items at HNINTEL_SOURCE and new dumps in HNINTEL_WATCH_DUMPS.

    The deployed flow polls every five minutes. Events go to the API at PREFECT_API_URL; if it is not set, to a server
    that ends with this command.
    """
    return guarded_with_json(lambda: _run(as_json, prefect_logs), as_json)


def main_watch(argv: list[str]) -> int:
    """``python flows/watch.py``: the same command as a script; the exit code."""
    return run_script(run, "flows/watch.py", EXAMPLE.replace("hnintel watch", "python flows/watch.py"), argv)


def _run(as_json: bool, prefect_logs: bool) -> int:
    def start() -> Ran:
        return flow_at("flows/watch.py:watch")  # of a state, Prefect gives the caller what is in it

    report = in_prefect(load_settings(), prefect_logs, start)
    unreachable = report["unreachable"]
    skipped = [line for line in report["skipped"] if line != unreachable]
    for line in [*(f"announced: {event}" for event in report["told"]), *skipped]:
        print(line, file=sys.stderr)
    if as_json:
        print(json.dumps(report))
    if unreachable is not None:
        return tell(f"{unreachable}: check the network, then run it again", Unreachable.exit_code)
    return 0
