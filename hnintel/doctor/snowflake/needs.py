"""The privileges that each stage of a run needs. ``deployments/snowflake.sql`` grants them; a test compares the two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hnintel.settings.snowflake import Stage

STAGES: tuple[Stage, ...] = ("ingest", "enrich", "transform")

READS: tuple[str, ...] = ("SELECT",)
WRITES: tuple[str, ...] = ("SELECT", "INSERT", "UPDATE", "DELETE")
OWNS: tuple[str, ...] = ("OWNERSHIP",)

#: By stage and schema: privileges on the schema, and privileges on its tables and views.
#: Altering a table or replacing a view takes ownership.
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
#: The further privileges of migrations, which create and alter the tables of all stages.
_MIGRATIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    schema: (("CREATE TABLE",), OWNS) for schema in ("RAW", "ENRICHED", "OPS")
}


@dataclass(frozen=True, slots=True)
class SchemaNeed:
    """The privileges needed on a schema, and on each of its tables and views."""

    schema: str
    on_schema: tuple[str, ...]
    on_objects: tuple[str, ...]


def schema_needs(stages: Iterable[Stage], migrates: bool = False) -> list[SchemaNeed]:
    """Return what a role needs in each schema to run *stages*, and migrations where it runs those too."""
    needs: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for needed in (*(_SCHEMAS[stage] for stage in stages), *([_MIGRATIONS] if migrates else [])):
        for schema, (on_schema, on_objects) in needed.items():
            privileges = needs.setdefault(schema, ({"USAGE": None}, {}))
            privileges[0].update(dict.fromkeys(on_schema))
            privileges[1].update(dict.fromkeys(on_objects))
    return [SchemaNeed(schema, tuple(on), _least(objects)) for schema, (on, objects) in needs.items()]


def database_needs(stages: Iterable[Stage], migrates: bool = False) -> tuple[str, ...]:
    """Return what a role needs on the database to run *stages*, and migrations where it runs those too."""
    # `CREATE SCHEMA IF NOT EXISTS` needs the privilege even where the schema exists; dbt checks for it first.
    return ("USAGE", "CREATE SCHEMA") if migrates else ("USAGE",)


def _least(privileges: Iterable[str]) -> tuple[str, ...]:
    """Drop the privileges that ownership of a table includes."""
    listed = tuple(privileges)
    return OWNS if OWNS[0] in listed else listed
