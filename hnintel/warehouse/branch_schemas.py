"""The schemas of a branch: what dbt builds behind ``HNINTEL_SCHEMA_PREFIX``, beside those of all; dropping them.

A branch tries its marts over what was read and answered for all; those schemas, and the ledger, have no prefix.
"""

from __future__ import annotations

import re
from typing import get_args

from hnintel.errors import UsageError
from hnintel.settings import Settings, variable
from hnintel.settings.snowflake import Stage
from hnintel.warehouse.base import Session

#: What dbt builds into (dbt/dbt_project.yml).
BUILT = ("staging", "marts")
_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,60}_")


def as_owner(settings: Settings) -> Settings:
    """*settings* with the role of all stages alone: dbt by hand builds as that, and who owns a schema may drop it."""
    return settings.model_copy(update={f"snowflake_role_{stage}": None for stage in get_args(Stage)})


def of_branch(session: Session, prefix: str) -> list[str]:
    """The schemas that are there of the branch with this prefix, by name.

    Raises:
        UsageError: it is no prefix of a branch.
    """
    if not _PREFIX.fullmatch(prefix):
        raise UsageError(f"--prefix {prefix!r}: it is lower-case letters, digits and _, and ends in _: pr_12_")
    names = [prefix + one for one in BUILT]
    rows = session.execute(
        "SELECT DISTINCT lower(schema_name) FROM information_schema.schemata WHERE lower(schema_name) IN (?, ?)", names
    )
    return sorted(str(row[0]) for row in rows)


def drop(session: Session, prefix: str) -> list[str]:
    """Drop the schemas of a branch with all that is in them; those that were there.

    Raises:
        UsageError: it is no prefix of a branch.
    """
    there = of_branch(session, prefix)
    for name in there:
        session.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
    return there


def refuse_branch(settings: Settings) -> None:
    """Raise UsageError where a prefix is set: a run reads the marts of all, and its ledger speaks of those."""
    if settings.schema_prefix:
        raise UsageError(
            f"{variable('schema_prefix')}={settings.schema_prefix} is for dbt by hand: unset it for a run, or give a "
            "branch that runs the whole day a database of its own (docs/snowflake.md)"
        )
