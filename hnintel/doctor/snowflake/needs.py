"""What each stage of a run needs to be allowed. ``deployments/snowflake.sql`` grants it; a test holds them together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hnintel.settings.snowflake import Stage

STAGES: tuple[Stage, ...] = ("ingest", "enrich", "transform")

READS: tuple[str, ...] = ("SELECT",)
WRITES: tuple[str, ...] = ("SELECT", "INSERT", "UPDATE", "DELETE")
OWNS: tuple[str, ...] = ("OWNERSHIP",)

#: Per stage and schema: what may be made there, and what must be allowed on the tables and views that are there.
#: A table that is altered, or a view that is replaced, must be owned.
_SCHEMAS: dict[Stage, dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "ingest": {
        "RAW": ((), WRITES),
        "OPS": ((), WRITES),
    },
    "enrich": {
        "RAW": ((), READS),
        "ENRICHED": (("CREATE TABLE", "CREATE VIEW"), OWNS),
        "OPS": ((), WRITES),
        "STAGING": ((), READS),
        "MARTS": ((), READS),
    },
    "transform": {
        "RAW": ((), READS),
        "ENRICHED": ((), READS),
        "STAGING": (("CREATE TABLE", "CREATE VIEW"), OWNS),
        "MARTS": (("CREATE TABLE", "CREATE VIEW"), OWNS),
    },
}
#: What migrations need on top, whichever stage is the first: they make and alter the tables of all.
_MIGRATIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    schema: (("CREATE TABLE",), OWNS) for schema in ("RAW", "ENRICHED", "OPS")
}


@dataclass(frozen=True, slots=True)
class SchemaNeed:
    """What is needed in one schema: privileges on it, and on each table and view in it."""

    schema: str
    on_schema: tuple[str, ...]
    on_objects: tuple[str, ...]


def schema_needs(stages: Iterable[Stage], migrates: bool = False) -> list[SchemaNeed]:
    """What *stages*, run by one role, need in each schema, and migrations where it runs those too."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for needed in (*(_SCHEMAS[stage] for stage in stages), *([_MIGRATIONS] if migrates else [])):
        for schema, (on_schema, on_objects) in needed.items():
            wanted = found.setdefault(schema, ({"USAGE": None}, {}))
            wanted[0].update(dict.fromkeys(on_schema))
            wanted[1].update(dict.fromkeys(on_objects))
    return [SchemaNeed(schema, tuple(on), _least(objects)) for schema, (on, objects) in found.items()]


def database_needs(stages: Iterable[Stage], migrates: bool = False) -> tuple[str, ...]:
    """What *stages*, run by one role, need on the database, and migrations where it runs those too."""
    # `CREATE SCHEMA IF NOT EXISTS` takes the privilege even where the schema is there; dbt looks first.
    return ("USAGE", "CREATE SCHEMA") if migrates else ("USAGE",)


def _least(privileges: Iterable[str]) -> tuple[str, ...]:
    """Who owns a table may do everything with it."""
    wanted = tuple(privileges)
    return OWNS if OWNS[0] in wanted else wanted
