"""Who a run is in the account, and what it runs on: role, warehouses, database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hnintel.doctor.finding import Finding
from hnintel.doctor.snowflake.account import Account, like, plain, quoted
from hnintel.doctor.snowflake.grants import Held
from hnintel.errors import WarehouseError


def role(account: Account, wanted: str | None, user: str | None) -> tuple[Finding, str | None]:
    """Whether the user may take the role *wanted*, or has one by default; and the role, now that of the session."""
    try:
        if wanted:
            account.execute(f"USE ROLE {quoted(wanted)}")
            return Finding.ok("role", plain(wanted)), plain(wanted)
        found = account.execute("SELECT CURRENT_ROLE() AS current_role")[0]["current_role"]
    except WarehouseError as error:
        mend = f"GRANT ROLE {quoted(wanted)} TO USER {quoted(user)};" if wanted and user else ""
        return Finding.missing("role", str(error), *([mend] if mend else [])), None
    if not found:
        return Finding.missing(
            "role", "the user has none by default", "export SNOWFLAKE_ROLE=<a role of the user>"
        ), None
    return Finding.ok("role", f"{found}, the user's own"), str(found)


def grants(found: Held | None, role: str, told: str = "") -> Finding:
    """Whether what the role holds can be seen at all."""
    if found is None:
        return Finding.warning("grants", f"those of {role} cannot be listed, so no privilege was checked: {told}")
    if found.unseen:
        told = (
            f"those of {', '.join(found.unseen)}, which {role} holds, cannot be listed: what they give is not counted"
        )
        return Finding.warning("grants", told)
    others = sorted(found.roles - {role, "PUBLIC"})
    return Finding.ok("grants", f"of {role}{', ' if others else ''}{', '.join(others)} and PUBLIC")


def warehouse(account: Account, found: Held | None, name: str | None, stage: str, role: str) -> Finding:
    """Whether a stage's warehouse is there, may be used, and wakes when it is asked."""
    label = f"warehouse for {stage}"
    try:
        name = plain(name) if name else _default_warehouse(account)
        rows = account.execute(f"SHOW WAREHOUSES LIKE {like(name)}") if name else []
    except WarehouseError as error:
        return Finding.missing(label, str(error))
    if not name:
        told = "none is set, and the user has none by default"
        return Finding.missing(label, told, f"export HNINTEL_SNOWFLAKE_WAREHOUSE_{stage.upper()}=<a warehouse>")
    grant = f"GRANT USAGE ON WAREHOUSE {quoted(name)} TO ROLE {quoted(role)};"
    row = named(rows, name)
    if row is None:
        make = f"CREATE WAREHOUSE IF NOT EXISTS {quoted(name)} WITH AUTO_SUSPEND = 60 AUTO_RESUME = TRUE;"
        return Finding.missing(label, f"{name} is not there, or {role} may not see it", make, grant)
    if found and not found.has("USAGE", "WAREHOUSE", name):
        return Finding.missing(label, f"{role} may see {name}, but not use it", grant)
    wakes, state = str(row.get("auto_resume", "")).lower() == "true", str(row.get("state", "")).upper()
    if state == "SUSPENDED" and not wakes:
        mend = f"ALTER WAREHOUSE {quoted(name)} SET AUTO_RESUME = TRUE;"
        return Finding.missing(label, f"{name} is suspended, and does not resume by itself", mend)
    return Finding.ok(label, f"{name}, {row.get('size', 'of some size')}, {state.lower() or 'there'}")


def database(account: Account, name: str, role: str) -> Finding:
    """Whether the database is there for the role."""
    try:
        there = named(account.execute(f"SHOW DATABASES LIKE {like(name)}"), plain(name))
    except WarehouseError as error:
        return Finding.missing("database", str(error))
    if there is None:
        make = f"CREATE DATABASE IF NOT EXISTS {quoted(name)};"
        grant = f"GRANT USAGE ON DATABASE {quoted(name)} TO ROLE {quoted(role)};"
        return Finding.missing("database", f"{name} is not there, or {role} may not see it", make, grant)
    return Finding.ok("database", plain(name))


def named(rows: Any, name: str) -> Mapping[str, Any] | None:
    """The row of that very name: LIKE takes ``_`` for any character, and small letters for capitals."""
    return next((row for row in rows if str(row["name"]) == name), None)


def _default_warehouse(account: Account) -> str | None:
    found = account.execute("SELECT CURRENT_WAREHOUSE() AS current_warehouse")[0]["current_warehouse"]
    return str(found) if found else None
