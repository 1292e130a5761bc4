"""The embedded warehouse: its file, the shape of its tables, and what answers its AI functions."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import httpx

from hnintel.doctor.finding import Finding
from hnintel.engines import open_engine
from hnintel.errors import HnIntelError, WarehouseError, first_line
from hnintel.settings import Settings
from hnintel.warehouse.duckdb.ai_functions import connect
from hnintel.warehouse.duckdb.file import holder_in, is_of_another_kind
from hnintel.warehouse.duckdb.lock import HeldElsewhere, hold_on
from hnintel.warehouse.duckdb.remains import refuse_what_is_no_file
from hnintel.warehouse.migrations import known_migrations

_PATIENCE = 10.0
_QUESTION = "Answer with the one word: ready."
_FEW = 16


def warehouse_file(path: Path) -> Finding:
    """Check that the file can be opened for writing, or created; nothing is written."""
    try:
        refuse_what_is_no_file(path)
    except WarehouseError as error:
        return Finding.missing("warehouse file", str(error))
    except OSError as error:
        return Finding.missing("warehouse file", f"{path} cannot be opened ({error.strerror})")
    if not path.exists():
        parent = next(folder for folder in path.parents if folder.exists())
        if not os.access(parent, os.W_OK | os.X_OK):
            mend = "export HNINTEL_HOME=<a folder that can be written>"
            return Finding.missing("warehouse file", f"{path} cannot be created in {parent}", mend)
        return Finding.ok("warehouse file", f"{path}, created by the first run")
    if not os.access(path, os.W_OK):
        return Finding.missing("warehouse file", f"{path} cannot be written", f"chmod u+w {path}")
    try:
        with hold_on(path).taken(0):
            connect(str(path)).close()
    except HeldElsewhere as lock_error:
        return _held_by(path, str(lock_error))
    except duckdb.Error as error:
        return _cannot_be_opened(path, error)
    return Finding.ok("warehouse file", f"{path}, {path.stat().st_size / 1e6:.1f} MB")


def _cannot_be_opened(path: Path, error: duckdb.Error) -> Finding:
    if holder := holder_in(error):
        return _held_by(path, holder)
    why = "it is not a DuckDB file" if is_of_another_kind(error) else first_line(error, 200).rstrip("!.")
    return Finding.missing("warehouse file", f"{path} cannot be opened ({why})", f"mv {path} {path}.broken")


def _held_by(path: Path, holder: str) -> Finding:
    return Finding.warning(
        "warehouse file", f"{path} is held by {holder}: a run waits for it HNINTEL_LOCK_WAIT seconds"
    )


def schema_version(path: Path) -> Finding:
    """Check that this code knows the schema version of the tables; the next run migrates an older version."""
    known = max(known_migrations())
    try:
        refuse_what_is_no_file(path)
    except (WarehouseError, OSError):
        return Finding.skipped("schema version", "the warehouse file cannot be opened now")
    if not path.exists():
        return Finding.ok("schema version", f"none yet; the first run creates version {known}")
    try:
        with hold_on(path).taken(0), connect(str(path)) as connection:
            row = connection.execute("SELECT max(version) FROM ops.schema_versions").fetchone()
    except duckdb.CatalogException:
        return Finding.ok("schema version", f"none yet; the first run creates version {known}")
    except (duckdb.Error, HeldElsewhere):
        return Finding.skipped("schema version", "the warehouse file cannot be opened now")
    version = int(row[0] or 0) if row else 0
    if version > known:
        return Finding.missing("schema version", f"{version}, and this code knows {known}: update the code", "git pull")
    return Finding.ok(
        "schema version", str(version) if version == known else f"{version}; the next run migrates it to {known}"
    )


def engine(settings: Settings, ask: bool) -> Finding:
    """Check that the engine of the AI functions is available; with *ask*, send an endpoint a short question."""
    try:
        opened = open_engine(settings)
        model = opened.model("")
        if settings.engine == "offline":
            return Finding.ok("engine", f"{model} counts {opened.count_tokens(_QUESTION)} tokens in {_QUESTION!r}")
        if not ask:
            return _listing(settings, model)
        answer = opened.complete(model, [_QUESTION], {"max_tokens": _FEW}, None)[0]
    except HnIntelError as error:
        return Finding.missing("engine", str(error))
    if answer.error:
        return Finding.missing("engine", f"{settings.openai_base_url} does not answer: {answer.error}")
    return Finding.ok("engine", f"{model} at {settings.openai_base_url} answers")


def _listing(settings: Settings, model: str) -> Finding:
    """Check that the endpoint lists the model; no question is sent to a model."""
    url = settings.openai_base_url
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
    try:
        answer = httpx.get(
            f"{url}/models", headers={"Authorization": f"Bearer {key}"} if key else {}, timeout=_PATIENCE
        )
    except httpx.HTTPError as error:
        return Finding.missing(
            "engine", f"{url} does not answer ({type(error).__name__}): start it, or correct HNINTEL_OPENAI_BASE_URL"
        )
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return Finding.missing(
            "engine", f"{url} refuses the login (HTTP {answer.status_code})", "export HNINTEL_OPENAI_API_KEY=<key>"
        )
    try:
        models = sorted(str(listed["id"]) for listed in answer.raise_for_status().json()["data"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        detail = f"{url} answers, but lists no models (HTTP {answer.status_code}): --ask sends it a short question"
        return Finding.warning("engine", detail)
    if model not in models:
        detail = f"{url} does not list {model}; it lists {', '.join(models[:8]) or 'none'}"
        return Finding.missing("engine", detail, "export HNINTEL_OPENAI_MODEL=<one of those>")
    return Finding.ok("engine", f"{url} lists {model}")
