"""Checks of what every run needs on its machine, whichever warehouse it uses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from hnintel import transform
from hnintel.cost.prices import load_prices
from hnintel.doctor.finding import Finding
from hnintel.enrich.accepted import differences
from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import HnIntelError, UsageError
from hnintel.settings import Settings
from hnintel.settings.http_url import is_http_url

OLDEST, NEWEST = (3, 11), (3, 13)
#: Free bytes below which a run is likely to fail, and below which the check warns.
_TOO_LITTLE, _LITTLE = 200_000_000, 2_000_000_000
_GIGABYTE = 1_000_000_000
_PATIENCE = 5.0
_LONGEST_PARSE = 120
#: Where a Prefect server listens that was given no port.
_PREFECTS_PORT = 4200


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Check that the project is tested with this version of Python."""
    running = ".".join(map(str, version))
    if OLDEST <= version[:2] <= NEWEST:
        return Finding.ok("python", running)
    return Finding.missing("python", f"{running} is none of 3.11, 3.12, 3.13", "make PYTHON=python3.12 setup")


def home(settings: Settings) -> Finding:
    """Check that the home folder can be written or created; this does not create it."""
    existing = _nearest(settings.folder)
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        mend = "export HNINTEL_HOME=<a folder that can be written>"
        return Finding.missing("home folder", f"{existing} cannot be written", mend)
    return Finding.ok(
        "home folder", f"{settings.folder}{'' if existing == settings.folder else ', created by the first run'}"
    )


def disk(settings: Settings, free: int | None = None) -> Finding:
    """Check the free space of the home folder's disk; *free* bytes, if given, replace the measured space."""
    free = shutil.disk_usage(_nearest(settings.folder)).free if free is None else free
    free_space = f"{free / _GIGABYTE:.1f} GB free"
    if free < _TOO_LITTLE:
        return Finding.missing(
            "disk", f"{free_space} where {settings.folder} is: make room, or move it by HNINTEL_HOME"
        )
    return Finding.warning("disk", free_space) if free < _LITTLE else Finding.ok("disk", free_space)


def enrichments(settings: Settings) -> Finding:
    """Check that the declarations can be loaded, and are unchanged since they were accepted."""
    try:
        declared = load_enrichments(settings.enrichments_path)
        changes = differences(declared, settings.enrichments_path)
    except HnIntelError as error:
        return Finding.missing("enrichments", str(error))
    if changes:
        described = ", ".join(f"{change.name} {change.kind}" for change in changes)
        return Finding.warning("enrichments", f"not as they were accepted: {described}", "python -m hnintel gen")
    return Finding.ok("enrichments", ", ".join(declared))


def prices(settings: Settings, calls: Iterable[tuple[str, str]]) -> Finding:
    """Check that each pair of *calls*, an AI function and the model that answers it, has a price."""
    on = datetime.now(UTC).date()
    try:
        known = load_prices(settings)
        free = [known.price(function, model, on).is_free for function, model in calls]
    except HnIntelError as error:
        return Finding.missing("prices", str(error))
    return Finding.ok("prices", "no question costs anything" if all(free) else "each question has a price")


def dbt(settings: Settings) -> Finding:
    """Check that dbt can parse its project for this warehouse; dbt does not connect, and its output is deleted."""
    code = "from dbt.cli.main import cli; cli()"
    try:
        profile = transform.environment(settings)
    except UsageError as error:  # the check of the connection reports this as missing
        return Finding.skipped("dbt project", f"no profile for {settings.warehouse}: {error}")
    with tempfile.TemporaryDirectory() as scratch:
        environ = {**profile, "DBT_TARGET_PATH": scratch, "DBT_LOG_PATH": scratch}
        project = ("--project-dir", str(transform.PROJECT), "--profiles-dir", str(transform.PROJECT))
        command = [sys.executable, "-c", code, "parse", *project, "--target", settings.warehouse, "--no-use-colors"]
        try:
            done = subprocess.run(  # noqa: S603
                command, env=environ, capture_output=True, text=True, timeout=_LONGEST_PARSE, check=False
            )
        except subprocess.TimeoutExpired:
            return Finding.warning("dbt project", f"dbt did not parse it within {_LONGEST_PARSE} s")
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        message = " ".join((lines[-1] if lines else "dbt printed nothing").split())[:300]
        mend = f"dbt parse --project-dir {transform.PROJECT} --profiles-dir {transform.PROJECT}"
        return Finding.missing("dbt project", f"dbt cannot parse it: {message}", mend)
    return Finding.ok("dbt project", f"dbt parses it for {settings.warehouse}")


def prefect(api_url: str | None) -> Finding:
    """Check that the Prefect API of *api_url* answers; without a URL a run starts its own server."""
    if not api_url:
        return Finding.ok("prefect api", "PREFECT_API_URL is not set: a run starts its own server")
    if not is_http_url(api_url):
        return Finding.missing(
            "prefect api", "PREFECT_API_URL is not a URL: set it to one like http://127.0.0.1:4200/api"
        )
    url = httpx.URL(api_url)
    if "/accounts/" in url.path:  # Prefect Cloud needs a key, which only Prefect reads
        return Finding.ok("prefect api", f"Prefect Cloud at {url.host}; not checked, since that needs its key")
    if not url.path.rstrip("/").endswith("/api"):
        return Finding.missing("prefect api", f"{url.host}{url.path}: PREFECT_API_URL must end in /api")
    try:
        answer = httpx.get(f"{api_url.rstrip('/')}/health", timeout=_PATIENCE)
    except httpx.HTTPError as error:
        detail = f"{url.copy_with(username=None, password=None)} does not answer ({type(error).__name__})"
        return Finding.missing("prefect api", detail, _start_server(url))
    if answer.status_code != httpx.codes.OK:
        return Finding.missing("prefect api", f"{url.host} answers HTTP {answer.status_code}: is it a Prefect server?")
    return Finding.ok("prefect api", f"{url.host} answers")


def _start_server(url: httpx.URL) -> str:
    """What mends an API that does not answer: the command of a server on this machine, at the port that is set."""
    if url.host not in ("127.0.0.1", "localhost", "::1"):
        return f"start the server at {url.host}, or unset PREFECT_API_URL"
    return "prefect server start" if url.port in (None, _PREFECTS_PORT) else f"prefect server start --port {url.port}"


def _nearest(path: Path) -> Path:
    """Return *path*, or its nearest parent that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())
