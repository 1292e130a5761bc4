"""The schemas of a branch, which dbt builds under ``HNINTEL_SCHEMA_PREFIX`` beside the shared schemas; dropping them.

A branch builds its marts from the shared raw rows and answers; the schemas of those, and the ledger, have no prefix.
"""

from __future__ import annotations

import re
from typing import get_args

from hnintel.errors import UsageError
from hnintel.settings import Settings, variable
from hnintel.settings.snowflake import Stage
from hnintel.warehouse.base import Session

#: The schemas that dbt builds (dbt/dbt_project.yml).
BUILT = ("staging", "marts")
_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,60}_")


def as_owner(settings: Settings) -> Settings:
    """*settings* with the common role for every stage: dbt by hand uses that role, so it owns a branch's schemas."""
    return settings.model_copy(update={f"snowflake_role_{stage}": None for stage in get_args(Stage)})


def of_branch(session: Session, prefix: str) -> list[str]:
    """The existing schemas of the branch with *prefix*, ordered by name.

    Raises:
        UsageError: *prefix* is not a valid prefix of a branch.
    """
    if not _PREFIX.fullmatch(prefix):
        raise UsageError(f"--prefix {prefix!r}: give lower-case letters, digits and _, ending in _, for example pr_12_")
    names = [prefix + schema for schema in BUILT]
    rows = session.execute(
        "SELECT DISTINCT lower(schema_name) FROM information_schema.schemata WHERE lower(schema_name) IN (?, ?)", names
    )
    return sorted(str(row[0]) for row in rows)


def drop(session: Session, prefix: str) -> list[str]:
    """Drop the schemas of a branch with all their tables; return the names of the schemas dropped.

    Raises:
        UsageError: *prefix* is not a valid prefix of a branch.
    """
    schemas = of_branch(session, prefix)
    for name in schemas:
        session.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
    return schemas


def refuse_branch(settings: Settings) -> None:
    """Raise UsageError where a schema prefix is set: a run reads the shared marts, and its ledger records those."""
    if settings.schema_prefix:
        raise UsageError(
            f"{variable('schema_prefix')}={settings.schema_prefix} is for dbt by hand: unset it for a run, or use a "
            "separate database for a branch that runs the whole day (docs/snowflake.md)"
        )
