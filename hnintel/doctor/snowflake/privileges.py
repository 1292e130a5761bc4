"""Checks of the privileges of a run's role on the database, its schemas, and their tables and views."""

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


def on_database(grants: Held, database: str, stages: Iterable[Stage], migrates: bool = False) -> Finding:
    """Check that the role has the privileges that the stages need on the database."""
    missing = [
        privilege
        for privilege in database_needs(stages, migrates)
        if not grants.has(privilege, "DATABASE", plain(database))
    ]
    return _privileges("privileges on the database", grants.role, missing, f"DATABASE {quoted(database)}")


def in_schemas(
    account: Account, grants: Held | None, database: str, stages: Iterable[Stage], role: str, migrates: bool = False
) -> Iterator[Finding]:
    """Check that each schema exists, and that the role has what the stages need on it and its tables and views."""
    try:
        schemas = account.execute(f"SHOW SCHEMAS IN DATABASE {quoted(database)}")
    except WarehouseError as error:
        yield Finding.missing("schemas", str(error))
        return
    for need in schema_needs(stages, migrates):
        name = f"schema {need.schema}"
        if named(schemas, need.schema) is None:
            yield _no_schema(name, database, need, role)
        elif grants is None:
            yield Finding.ok(name, "exists")
        else:
            yield _on_schema(name, grants, database, need)
            yield _on_objects(account, grants, database, need)


def _no_schema(name: str, database: str, need: SchemaNeed, role: str) -> Finding:
    of = f"{quoted(database)}.{need.schema}"
    privileges = ", ".join(need.on_schema)
    return Finding.missing(
        name,
        f"is not in {database}, or {role} may not see it",
        f"CREATE SCHEMA IF NOT EXISTS {of};",
        f"GRANT {privileges} ON SCHEMA {of} TO ROLE {quoted(role)};",
    )


def _on_schema(name: str, grants: Held, database: str, need: SchemaNeed) -> Finding:
    lacks = [
        privilege for privilege in need.on_schema if not grants.has(privilege, "SCHEMA", plain(database), need.schema)
    ]
    return _privileges(name, grants.role, lacks, f"SCHEMA {quoted(database)}.{need.schema}")


def _on_objects(account: Account, grants: Held, database: str, need: SchemaNeed) -> Finding:
    """Check the tables and views that the role may see; SHOW OBJECTS leaves out the others."""
    name, of = f"tables in {need.schema}", f"{quoted(database)}.{need.schema}"
    try:
        objects = account.execute(f"SHOW OBJECTS IN SCHEMA {of}")
    except WarehouseError as error:
        return Finding.missing(name, str(error))
    lacking: dict[str, list[str]] = {}
    for row in objects:
        kind = "VIEW" if "VIEW" in str(row.get("kind", "TABLE")).upper() else "TABLE"
        needed = need.on_objects if kind == "TABLE" or need.on_objects == OWNS else ("SELECT",)
        if not all(_may(grants, privilege, plain(database), need.schema, str(row["name"])) for privilege in needed):
            lacking.setdefault(kind, []).append(str(row["name"]))
    if not lacking:
        return Finding.ok(name, f"{len(objects)}, all as needed" if objects else "none yet")
    names = [privilege for several in lacking.values() for privilege in several]
    detail = f"{grants.role} lacks {', '.join(need.on_objects)} on {', '.join(names[:_SHOWN])}"
    return Finding.missing(name, detail + (", ..." if names[_SHOWN:] else ""), *_grants(grants, of, need, lacking))


def _may(grants: Held, privilege: str, *name: str) -> bool:
    # Versions of SHOW GRANTS list a view as a TABLE or as a VIEW.
    return grants.has(privilege, "TABLE", *name) or grants.has(privilege, "VIEW", *name)


def _grants(grants: Held, of: str, need: SchemaNeed, kinds: Iterable[str]) -> Iterator[str]:
    for kind in kinds:
        privileges = need.on_objects if kind == "TABLE" or need.on_objects == OWNS else ("SELECT",)
        copies = " COPY CURRENT GRANTS" if privileges == OWNS else ""
        for which in ("ALL", "FUTURE"):
            clause = copies if which == "ALL" else ""
            on = f"{which} {kind}S IN SCHEMA {of}"
            yield f"GRANT {', '.join(privileges)} ON {on} TO ROLE {quoted(grants.role)}{clause};"


def _privileges(name: str, role: str, lacks: Sequence[str], on: str) -> Finding:
    if not lacks:
        return Finding.ok(name, f"{role} has what it needs")
    missing = ", ".join(lacks)
    return Finding.missing(name, f"{role} lacks {missing}", f"GRANT {missing} ON {on} TO ROLE {quoted(role)};")
