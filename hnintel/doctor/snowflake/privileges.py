"""What a run's role must be allowed on the database, in its schemas, and on what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hnintel.doctor.finding import Finding
from hnintel.doctor.snowflake.account import Account, plain, quoted
from hnintel.doctor.snowflake.grants import Held
from hnintel.doctor.snowflake.identity import named
from hnintel.doctor.snowflake.needs import OWNS, SchemaNeed, database_needs, schema_needs
from hnintel.errors import WarehouseError
from hnintel.settings.snowflake import Stage

_SHOWN = 5


def on_database(found: Held, database: str, stages: Iterable[Stage], migrates: bool = False) -> Finding:
    """Whether the role holds what the stages need on the database."""
    lacks = [one for one in database_needs(stages, migrates) if not found.has(one, "DATABASE", plain(database))]
    return _privileges("privileges on the database", found.role, lacks, f"DATABASE {quoted(database)}")


def in_schemas(
    account: Account, found: Held | None, database: str, stages: Iterable[Stage], role: str, migrates: bool = False
) -> Iterator[Finding]:
    """Whether each schema is there, and the role holds what the stages need on it and on its tables and views."""
    try:
        there = account.execute(f"SHOW SCHEMAS IN DATABASE {quoted(database)}")
    except WarehouseError as error:
        yield Finding.missing("schemas", str(error))
        return
    for need in schema_needs(stages, migrates):
        name = f"schema {need.schema}"
        if named(there, need.schema) is None:
            yield _no_schema(name, database, need, role)
        elif found is None:
            yield Finding.ok(name, "is there")
        else:
            yield _on_schema(name, found, database, need)
            yield _on_objects(account, found, database, need)


def _no_schema(name: str, database: str, need: SchemaNeed, role: str) -> Finding:
    of = f"{quoted(database)}.{need.schema}"
    wanted = ", ".join(need.on_schema)
    return Finding.missing(
        name,
        f"is not in {database}, or {role} may not see it",
        f"CREATE SCHEMA IF NOT EXISTS {of};",
        f"GRANT {wanted} ON SCHEMA {of} TO ROLE {quoted(role)};",
    )


def _on_schema(name: str, found: Held, database: str, need: SchemaNeed) -> Finding:
    lacks = [one for one in need.on_schema if not found.has(one, "SCHEMA", plain(database), need.schema)]
    return _privileges(name, found.role, lacks, f"SCHEMA {quoted(database)}.{need.schema}")


def _on_objects(account: Account, found: Held, database: str, need: SchemaNeed) -> Finding:
    """The tables and views that the role can see; one that it cannot is told by the check of what the code reads."""
    name, of = f"tables in {need.schema}", f"{quoted(database)}.{need.schema}"
    try:
        objects = account.execute(f"SHOW OBJECTS IN SCHEMA {of}")
    except WarehouseError as error:
        return Finding.missing(name, str(error))
    short: dict[str, list[str]] = {}
    for row in objects:
        kind = "VIEW" if "VIEW" in str(row.get("kind", "TABLE")).upper() else "TABLE"
        wanted = need.on_objects if kind == "TABLE" or need.on_objects == OWNS else ("SELECT",)
        if not all(_may(found, one, plain(database), need.schema, str(row["name"])) for one in wanted):
            short.setdefault(kind, []).append(str(row["name"]))
    if not short:
        return Finding.ok(name, f"{len(objects)}, all as needed" if objects else "none yet")
    names = [one for several in short.values() for one in several]
    told = f"{found.role} lacks {', '.join(need.on_objects)} on {', '.join(names[:_SHOWN])}"
    return Finding.missing(name, told + (", ..." if names[_SHOWN:] else ""), *_grants(found, of, need, short))


def _may(found: Held, privilege: str, *name: str) -> bool:
    # Which of the two a view is listed as differs between versions of SHOW GRANTS.
    return found.has(privilege, "TABLE", *name) or found.has(privilege, "VIEW", *name)


def _grants(found: Held, of: str, need: SchemaNeed, kinds: Iterable[str]) -> Iterator[str]:
    for kind in kinds:
        wanted = need.on_objects if kind == "TABLE" or need.on_objects == OWNS else ("SELECT",)
        keep = " COPY CURRENT GRANTS" if wanted == OWNS else ""
        for which in ("ALL", "FUTURE"):
            copy = keep if which == "ALL" else ""
            yield f"GRANT {', '.join(wanted)} ON {which} {kind}S IN SCHEMA {of} TO ROLE {quoted(found.role)}{copy};"


def _privileges(name: str, role: str, lacks: Sequence[str], on: str) -> Finding:
    if not lacks:
        return Finding.ok(name, f"{role} holds what it needs")
    told = ", ".join(lacks)
    return Finding.missing(name, f"{role} lacks {told}", f"GRANT {told} ON {on} TO ROLE {quoted(role)};")
