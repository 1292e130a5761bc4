"""``python -m tests.servers --port 8808 --latency 0.08``: the loopback server by itself, for measurements and play."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from tests.servers import LoopbackServer, Weather, World
from tests.servers.material import day_of_stories, real_stretch
from tests.servers.weather import FAULTS
from tests.servers.web import article


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--stories", type=int, default=1000, help="how many stories the day has")
    parser.add_argument("--start", type=int, default=1_745_020_800, help="when the day begins, epoch seconds")
    parser.add_argument("--real", type=Path, help="the folder of real material, to serve the real stretch instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=RATE", help=", ".join(FAULTS))
    asked = parser.parse_args()
    items = real_stretch(asked.real) if asked.real else day_of_stories(asked.stories, asked.start)
    rates = {name: float(rate) for name, _, rate in (one.partition("=") for one in asked.fault)}
    weather = Weather(rates, latency=asked.latency, seed=asked.seed)
    with LoopbackServer(World.of(items), weather, make_page=article, port=asked.port) as server:
        print(f"HNINTEL_FIREBASE_URL={server.firebase_url}")
        print(f"HNINTEL_ALGOLIA_URL={server.algolia_url}")
        print(f"web: any host name at 127.0.0.1:{server.port}", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print(f"served {dict(server.requests)}, met {dict(server.met)}")


if __name__ == "__main__":
    main()
