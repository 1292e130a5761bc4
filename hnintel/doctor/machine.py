"""What every run needs of its machine, whatever the warehouse."""

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
#: Bytes below which a run is likely to fail for want of room, and below which one should look.
_TOO_LITTLE, _LITTLE = 200_000_000, 2_000_000_000
_GIGABYTE = 1_000_000_000
_PATIENCE = 5.0
_LONGEST_PARSE = 120
#: Where a Prefect server listens that was given no port.
_PREFECTS_PORT = 4200


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether the project is tested with this version of Python."""
    told = ".".join(map(str, version))
    if OLDEST <= version[:2] <= NEWEST:
        return Finding.ok("python", told)
    return Finding.missing("python", f"{told} is not one of 3.11, 3.12, 3.13", "make PYTHON=python3.12 setup")


def home(settings: Settings) -> Finding:
    """Whether the home folder can be written or created; it is not created here."""
    there = _nearest(settings.folder)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        mend = "export HNINTEL_HOME=<a folder that can be written>"
        return Finding.missing("home folder", f"{there} cannot be written", mend)
    return Finding.ok(
        "home folder", f"{settings.folder}{'' if there == settings.folder else ', made by the first run'}"
    )


def disk(settings: Settings, free: int | None = None) -> Finding:
    """Whether there is room where the home folder is; *free* bytes in place of those there are."""
    free = shutil.disk_usage(_nearest(settings.folder)).free if free is None else free
    told = f"{free / _GIGABYTE:.1f} GB free"
    if free < _TOO_LITTLE:
        return Finding.missing("disk", f"{told} where {settings.folder} is: make room, or move it by HNINTEL_HOME")
    return Finding.warning("disk", told) if free < _LITTLE else Finding.ok("disk", told)


def enrichments(settings: Settings) -> Finding:
    """Whether the declarations can be loaded, and are unchanged since they were accepted."""
    try:
        there = load_enrichments(settings.enrichments_path)
        found = differences(there, settings.enrichments_path)
    except HnIntelError as error:
        return Finding.missing("enrichments", str(error))
    if found:
        told = ", ".join(f"{one.name} {one.kind}" for one in found)
        return Finding.warning("enrichments", f"not as they were accepted: {told}", "python -m hnintel gen")
    return Finding.ok("enrichments", ", ".join(there))


def prices(settings: Settings, asked: Iterable[tuple[str, str]]) -> Finding:
    """Whether what is *asked*, a function and the model that answers, has a price."""
    on = datetime.now(UTC).date()
    try:
        known = load_prices(settings)
        free = [known.price(function, model, on).is_free for function, model in asked]
    except HnIntelError as error:
        return Finding.missing("prices", str(error))
    return Finding.ok("prices", "what is asked costs nothing" if all(free) else "each question has a price")


def dbt(settings: Settings) -> Finding:
    """Whether dbt can read its project for this warehouse; it connects to nothing, and nothing is kept."""
    code = "from dbt.cli.main import cli; cli()"
    try:
        profile = transform.environment(settings)
    except UsageError as error:  # the check of the connection tells the same as what it is: missing
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
            return Finding.warning("dbt project", f"dbt did not read it within {_LONGEST_PARSE} s")
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        told = " ".join((lines[-1] if lines else "dbt said nothing").split())[:300]
        mend = f"dbt parse --project-dir {transform.PROJECT} --profiles-dir {transform.PROJECT}"
        return Finding.missing("dbt project", f"dbt cannot read it: {told}", mend)
    return Finding.ok("dbt project", f"dbt reads it for {settings.warehouse}")


def prefect(api_url: str | None) -> Finding:
    """Whether the Prefect API of *api_url* answers; a run without one starts a server of its own."""
    if not api_url:
        return Finding.ok("prefect api", "PREFECT_API_URL is not set: a run starts a server of its own")
    if not is_http_url(api_url):
        return Finding.missing("prefect api", "PREFECT_API_URL is no URL: it looks like http://127.0.0.1:4200/api")
    url = httpx.URL(api_url)
    if "/accounts/" in url.path:  # Prefect Cloud answers whom it knows, and the key is Prefect's to read
        return Finding.ok("prefect api", f"Prefect Cloud at {url.host}; not asked, for that takes its key")
    if not url.path.rstrip("/").endswith("/api"):
        return Finding.missing("prefect api", f"{url.host}{url.path}: PREFECT_API_URL ends in /api")
    try:
        answer = httpx.get(f"{api_url.rstrip('/')}/health", timeout=_PATIENCE)
    except httpx.HTTPError as error:
        told = f"{url.copy_with(username=None, password=None)} does not answer ({type(error).__name__})"
        return Finding.missing("prefect api", told, _start_server(url))
    if answer.status_code != httpx.codes.OK:
        return Finding.missing("prefect api", f"{url.host} answers HTTP {answer.status_code}: is it a Prefect server?")
    return Finding.ok("prefect api", f"{url.host} answers")


def _start_server(url: httpx.URL) -> str:
    """What mends an API that does not answer: the command of a server on this machine, at the port that is set."""
    if url.host not in ("127.0.0.1", "localhost", "::1"):
        return f"start the server at {url.host}, or unset PREFECT_API_URL"
    return "prefect server start" if url.port in (None, _PREFECTS_PORT) else f"prefect server start --port {url.port}"


def _nearest(path: Path) -> Path:
    """*path*, or what of it is there."""
    return next(one for one in (path, *path.parents) if one.exists())
