"""Checks of the role, the warehouses and the database of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hnintel.doctor.finding import Finding
from hnintel.doctor.snowflake.account import Account, like, plain, quoted
from hnintel.doctor.snowflake.grants import Held
from hnintel.errors import WarehouseError


def role(account: Account, name: str | None, user: str | None) -> tuple[Finding, str | None]:
    """Check that the user may use the role *name*, or has a default role; also return it, now the session's role."""
    try:
        if name:
            account.execute(f"USE ROLE {quoted(name)}")
            return Finding.ok("role", plain(name)), plain(name)
        current = account.execute("SELECT CURRENT_ROLE() AS current_role")[0]["current_role"]
    except WarehouseError as error:
        mend = f"GRANT ROLE {quoted(name)} TO USER {quoted(user)};" if name and user else ""
        return Finding.missing("role", str(error), *([mend] if mend else [])), None
    if not current:
        return Finding.missing(
            "role", "the user has no default role", "export SNOWFLAKE_ROLE=<a role of the user>"
        ), None
    return Finding.ok("role", f"{current}, the user's default role"), str(current)


def grants(listed: Held | None, role: str, reason: str = "") -> Finding:
    """Check that the grants of the role can be listed."""
    if listed is None:
        return Finding.warning(
            "grants", f"the grants of {role} cannot be listed, so no privilege was checked: {reason}"
        )
    if listed.unseen:
        reason = f"the grants of {', '.join(listed.unseen)}, granted to {role}, cannot be listed and were not checked"
        return Finding.warning("grants", reason)
    others = sorted(listed.roles - {role, "PUBLIC"})
    return Finding.ok("grants", f"of {role}{', ' if others else ''}{', '.join(others)} and PUBLIC")


def warehouse(account: Account, listed: Held | None, name: str | None, stage: str, role: str) -> Finding:
    """Check that a stage's warehouse exists, may be used, and resumes for a statement."""
    label = f"warehouse for {stage}"
    try:
        name = plain(name) if name else _default_warehouse(account)
        rows = account.execute(f"SHOW WAREHOUSES LIKE {like(name)}") if name else []
    except WarehouseError as error:
        return Finding.missing(label, str(error))
    if not name:
        told = "no warehouse is set, and the user has no default warehouse"
        return Finding.missing(label, told, f"export HNINTEL_SNOWFLAKE_WAREHOUSE_{stage.upper()}=<a warehouse>")
    grant = f"GRANT USAGE ON WAREHOUSE {quoted(name)} TO ROLE {quoted(role)};"
    row = named(rows, name)
    if row is None:
        make = f"CREATE WAREHOUSE IF NOT EXISTS {quoted(name)} WITH AUTO_SUSPEND = 60 AUTO_RESUME = TRUE;"
        return Finding.missing(label, f"{name} does not exist, or {role} may not see it", make, grant)
    if listed and not listed.has("USAGE", "WAREHOUSE", name):
        return Finding.missing(label, f"{role} may see {name}, but not use it", grant)
    wakes, state = str(row.get("auto_resume", "")).lower() == "true", str(row.get("state", "")).upper()
    if state == "SUSPENDED" and not wakes:
        mend = f"ALTER WAREHOUSE {quoted(name)} SET AUTO_RESUME = TRUE;"
        return Finding.missing(label, f"{name} is suspended, and does not resume by itself", mend)
    return Finding.ok(label, f"{name}, {row.get('size', 'size unknown')}, {state.lower() or 'state unknown'}")


def database(account: Account, name: str, role: str) -> Finding:
    """Check that the database exists and the role may see it."""
    try:
        row = named(account.execute(f"SHOW DATABASES LIKE {like(name)}"), plain(name))
    except WarehouseError as error:
        return Finding.missing("database", str(error))
    if row is None:
        make = f"CREATE DATABASE IF NOT EXISTS {quoted(name)};"
        grant = f"GRANT USAGE ON DATABASE {quoted(name)} TO ROLE {quoted(role)};"
        return Finding.missing("database", f"{name} does not exist, or {role} may not see it", make, grant)
    return Finding.ok("database", plain(name))


def named(rows: Any, name: str) -> Mapping[str, Any] | None:
    """Return the row with exactly this name: LIKE matches ``_`` with any character, and ignores case."""
    return next((row for row in rows if str(row["name"]) == name), None)


def _default_warehouse(account: Account) -> str | None:
    name = account.execute("SELECT CURRENT_WAREHOUSE() AS current_warehouse")[0]["current_warehouse"]
    return str(name) if name else None
