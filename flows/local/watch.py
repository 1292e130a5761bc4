"""``python flows/watch.py``: its arguments and what it prints."""

from __future__ import annotations

import json
import sys

from flows.local.command import (
    Parser,
    Ran,
    flow_at,
    guarded,
    in_prefect,
)
from hnintel.settings import load_settings


def main_watch(argv: list[str]) -> int:
    """``flows/watch.py``: poll once, and say what was announced and what was left out; the exit code."""

    def run() -> int:
        made = Parser(
            prog="python flows/watch.py",
            description="Poll once: announce what is new at the source (HNINTEL_SOURCE) and in HNINTEL_WATCH_DUMPS.",
            epilog="Deployed as flows/watch.py:watch it polls every five minutes. Who is to hear of it listens at "
            "PREFECT_API_URL: where that is not set, the run's own server takes what is announced, and ends with it.",
        )
        made.add_argument("--json", action="store_true", help="end with one JSON object on stdout")
        made.add_argument("--prefect-logs", action="store_true", help="show Prefect's own logs too")
        asked = made.parse_args(argv)

        def start() -> Ran:
            return flow_at("flows/watch.py:watch")  # of a state, Prefect gives the caller what is in it

        told = in_prefect(load_settings(), asked.prefect_logs, start)
        for line in [*(f"announced: {event}" for event in told["told"]), *told["skipped"]]:
            print(line, file=sys.stderr)
        if asked.json:
            print(json.dumps(told))
        return 0

    return guarded(run)
