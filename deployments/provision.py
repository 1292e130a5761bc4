"""Make what must exist before ``prefect deploy --all``: the work pool. Safe to run twice; prints what it did."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Create the default work pool of ``pyproject.toml`` as a process pool, unless it is there."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.settings import get_current_settings

    settings = get_current_settings()
    if not settings.api.url:
        print(
            "error: PREFECT_API_URL is not set: start a server (prefect server start) and set it, or log in to Cloud",
            file=sys.stderr,
        )
        return 2
    name = settings.deployments.default_work_pool_name or _default_pool()
    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(WorkPoolCreate(name=name, type="process"))
        except ObjectAlreadyExists:
            print(f"work pool {name}: there already")
        else:
            print(f"work pool {name}: created (process)")
    return 0


def _default_pool() -> str:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["tool"]["prefect"]["deployments"]["default_work_pool_name"])


if __name__ == "__main__":
    raise SystemExit(main())
