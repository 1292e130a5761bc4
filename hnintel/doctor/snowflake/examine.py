"""Every check of the Snowflake account, for each role that the stages of a run have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from hnintel.doctor.finding import Finding
from hnintel.doctor.questions import Question
from hnintel.doctor.snowflake import cortex, identity, privileges
from hnintel.doctor.snowflake.account import Account, connected, quoted
from hnintel.doctor.snowflake.grants import Held, held
from hnintel.doctor.snowflake.needs import STAGES
from hnintel.errors import HnIntelError, WarehouseError
from hnintel.settings import Settings
from hnintel.settings.snowflake import Stage


def examine(settings: Settings, asked: Sequence[Question], ask: bool) -> Iterator[Finding]:
    """What the account lacks for a run; one login for each role that a stage has."""
    groups = stages_by_role(settings)
    for role, stages in groups.items():
        try:
            with connected(settings, stages[0] if stages else STAGES[0]) as account:
                found = [Finding.ok("connection", f"{settings.snowflake_user or 'somebody'} is logged in")]
                found += of_role(account, settings, role, stages, asked, ask)
        except HnIntelError as error:
            yield Finding.missing("connection", str(error))
            return
        # Where stages have roles of their own, each finding says whose it is.
        whose = f"{', '.join(stages) or 'migrations'}: " if len(groups) > 1 else ""
        yield from (replace(one, name=whose + one.name) for one in found)


def stages_by_role(settings: Settings) -> dict[str | None, tuple[Stage, ...]]:
    """The stages that each role runs; None is the user's own role.

    That which is set for all stages is among them even where it runs none: it makes and migrates the tables.
    """
    found: dict[str | None, tuple[Stage, ...]] = {}
    for stage in STAGES:
        role = settings.snowflake_role_of(stage)
        found[role] = (*found.get(role, ()), stage)
    found.setdefault(settings.snowflake_role, ())
    return found


def of_role(
    account: Account,
    settings: Settings,
    wanted: str | None,
    stages: Sequence[Stage],
    asked: Sequence[Question],
    ask: bool = False,
) -> Iterator[Finding]:
    """What the account lacks for *stages* run by the role *wanted*, and for migrations if it is that of all stages."""
    migrates = wanted == settings.snowflake_role
    finding, role = identity.role(account, wanted, settings.snowflake_user)
    yield finding
    if role is None:
        yield Finding.skipped("everything else", "without a role nothing can be seen")
        return
    found, told = _held(account, role)
    yield identity.grants(found, role, told)
    for stage in stages or STAGES:  # a migration runs on the warehouse of whichever stage is the first
        yield identity.warehouse(account, found, settings.snowflake_warehouse_of(stage), stage, role)
    database = settings.snowflake_database_name
    there = identity.database(account, database, role)
    yield there
    if there.outcome == "ok":
        if found:
            yield privileges.on_database(found, database, stages, migrates)
        yield from privileges.in_schemas(account, found, database, stages, role, migrates)
    if "enrich" in stages:
        if ask and (name := settings.snowflake_warehouse_of("enrich")):
            with suppress(WarehouseError):  # its own check has told; each question below then tells what came of it
                account.execute(f"USE WAREHOUSE {quoted(name)}")
        yield from cortex.functions(account, found, asked, ask, role)
        yield from cortex.models(account, found, asked, settings.cortex_fallback_model, role)
        yield cortex.usage_views(account, role)


def _held(account: Account, role: str) -> tuple[Held | None, str]:
    try:
        return held(account, role), ""
    except WarehouseError as error:
        return None, str(error)
