"""Every check of the Snowflake account, for each role that stages of a run use."""

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


def examine(settings: Settings, calls: Sequence[Question], ask: bool) -> Iterator[Finding]:
    """Check what a run needs of the account, with a login for each role that a stage uses."""
    groups = stages_by_role(settings)
    for role, stages in groups.items():
        try:
            with connected(settings, stages[0] if stages else STAGES[0]) as account:
                findings = [Finding.ok("connection", f"{settings.snowflake_user or 'the user'} is logged in")]
                findings += of_role(account, settings, role, stages, calls, ask)
        except HnIntelError as error:
            yield Finding.missing("connection", str(error))
            return
        # Where stages have different roles, each finding names its stages.
        whose = f"{', '.join(stages) or 'migrations'}: " if len(groups) > 1 else ""
        yield from (replace(finding, name=whose + finding.name) for finding in findings)


def stages_by_role(settings: Settings) -> dict[str | None, tuple[Stage, ...]]:
    """Return the stages that each role runs; None is the user's own role.

    The role that is set for all stages is included even where it runs no stage: it creates and migrates the tables.
    """
    by_role: dict[str | None, tuple[Stage, ...]] = {}
    for stage in STAGES:
        role = settings.snowflake_role_of(stage)
        by_role[role] = (*by_role.get(role, ()), stage)
    by_role.setdefault(settings.snowflake_role, ())
    return by_role


def of_role(
    account: Account,
    settings: Settings,
    role_name: str | None,
    stages: Sequence[Stage],
    calls: Sequence[Question],
    ask: bool = False,
) -> Iterator[Finding]:
    """Check what *stages* need as *role_name*; migrations too, if it is the role that is set for all stages."""
    migrates = role_name == settings.snowflake_role
    finding, role = identity.role(account, role_name, settings.snowflake_user)
    yield finding
    if role is None:
        yield Finding.skipped("everything else", "without a role nothing can be checked")
        return
    grants, reason = _list_grants(account, role)
    yield identity.grants(grants, role, reason)
    for stage in stages or STAGES:  # a migration runs on the warehouse of the first stage
        yield identity.warehouse(account, grants, settings.snowflake_warehouse_of(stage), stage, role)
    database = settings.snowflake_database_name
    exists = identity.database(account, database, role)
    yield exists
    if exists.outcome == "ok":
        if grants:
            yield privileges.on_database(grants, database, stages, migrates)
        yield from privileges.in_schemas(account, grants, database, stages, role, migrates)
    if "enrich" in stages:
        if ask and (name := settings.snowflake_warehouse_of("enrich")):
            with suppress(WarehouseError):  # the warehouse's own check reports it; the questions below fail
                account.execute(f"USE WAREHOUSE {quoted(name)}")
        yield from cortex.functions(account, grants, calls, ask, role)
        yield from cortex.models(account, grants, calls, settings.cortex_fallback_model, role)
        yield cortex.usage_views(account, role)


def _list_grants(account: Account, role: str) -> tuple[Held | None, str]:
    try:
        return held(account, role), ""
    except WarehouseError as error:
        return None, str(error)
