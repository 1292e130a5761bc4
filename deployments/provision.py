"""Create what a Prefect server needs besides the deployments: ``python deployments/provision.py [--plan]``.

The work pool, limits, variables, the blocks of alerts, automations. Safe to run twice; prints each change.
"""

from __future__ import annotations

import os
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from deployments.provisioning.pools import TARGETS
from flows.local.command import Parser
from hnintel.errors import HnIntelError, UsageError
from hnintel.settings.http_url import is_http_url

ROOT = Path(__file__).resolve().parent.parent


def main(argv: list[str]) -> int:
    """Provision as the arguments say; return the exit code."""
    parser = Parser(prog="python deployments/provision.py", description=__doc__.splitlines()[0])
    parser.add_argument("--target", choices=TARGETS, default="local", help="where runs go (default: local)")
    parser.add_argument("--pool", help="the work pool's name (default: that of pyproject.toml, followed by the target)")
    parser.add_argument("--plan", action="store_true", help="only print what would be created or changed")
    try:
        arguments = parser.parse_args(argv)
        _provision(arguments.target, arguments.pool, arguments.plan)
    except HnIntelError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _provision(target: str, pool: str | None, plan: bool) -> None:
    if os.environ.get("PREFECT_API_URL"):
        _refuse_no_url(os.environ["PREFECT_API_URL"])  # Prefect prints a traceback for some values
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.exceptions import PrefectHTTPStatusError
    from prefect.settings import get_current_settings

    from deployments.provisioning import changes

    settings = get_current_settings()
    if not settings.api.url:
        raise UsageError(
            "PREFECT_API_URL is not set: start a server (prefect server start) and set it, or `prefect cloud login`"
        )
    _refuse_no_url(settings.api.url)
    name = pool or pool_of(target, settings.deployments.default_work_pool_name)
    _refuse_no_name(name)
    done = 0
    try:
        with get_client(sync_client=True) as client:
            for change in changes.changes(client, target, name, os.environ):
                print(f"{change.what}: {'would ' if plan else ''}{change.how}")
                if not plan:
                    change.make()
                done += 1
            for alert in changes.undelivered(client, datetime.now(UTC)):
                print(f"an alert was not delivered: {alert}", file=sys.stderr)
    except httpx.TransportError as error:
        raise UsageError(f"{settings.api.url} does not answer ({type(error).__name__}): is the server up?") from None
    except PrefectHTTPStatusError as error:
        raise UsageError(
            f"{settings.api.url} answered HTTP {error.response.status_code}: may you do this there?"
        ) from None
    if not done:
        print(f"nothing to change for work pool {name}")


def _refuse_no_url(value: str) -> None:
    """Raise UsageError if *value* cannot be the URL of an API."""
    if not is_http_url(value):
        raise UsageError(f"PREFECT_API_URL={value[:80]} is not a URL: set it to one like http://127.0.0.1:4200/api")


def _refuse_no_name(pool: str) -> None:
    """Raise UsageError if Prefect does not allow *pool* as the name of a work pool."""
    from prefect.client.schemas.actions import WorkPoolCreate

    try:
        WorkPoolCreate(name=pool)
    except ValueError:  # pydantic's
        message = f"{pool[:80]!r} is not a valid work pool name: give another --pool, without any of / % & < >"
        raise UsageError(message) from None


def pool_of(target: str, configured: str | None) -> str:
    """Return the *configured* pool; append the target to the default name, unless it is local or cloud."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        name = str(tomllib.load(file)["tool"]["prefect"]["deployments"]["default_work_pool_name"])
    if configured and configured != name:
        return configured
    return name if target in ("local", "cloud") else f"{name}-{target}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
