"""Reads deployments/snowflake.sql as an account would: variables filled in, and what each statement makes or grants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from hnintel.warehouse.statements import statements
from tests.conftest import ROOT

SETUP = ROOT / "deployments" / "snowflake.sql"
TEARDOWN = ROOT / "deployments" / "snowflake_teardown.sql"
ENVIRONMENTS = ("dev", "staging", "prod")
DATABASES = {"dev": "HN_INTELLIGENCE_DEV", "staging": "HN_INTELLIGENCE_STAGING", "prod": "HN_INTELLIGENCE"}

_NAME = r"[A-Z_][A-Z0-9_]*"
_QUALIFIED = rf"{_NAME}(?:\.{_NAME})?"
#: The forms of Snowflake's documentation that the two files keep to; names filled in. sqlglot reads most statements
#: about roles, grants and monitors as one opaque command, which proves no more than that it knows their first word.
FORMS = {
    "use role": rf"USE ROLE (?P<name>{_NAME})",
    "create role": rf"CREATE ROLE IF NOT EXISTS (?P<name>{_NAME}) COMMENT = '[^']*'",
    "create database": rf"CREATE DATABASE IF NOT EXISTS (?P<name>{_NAME}) COMMENT = '[^']*'",
    "create schema": rf"CREATE SCHEMA IF NOT EXISTS (?P<name>{_QUALIFIED})",
    "create warehouse": rf"CREATE WAREHOUSE IF NOT EXISTS (?P<name>{_NAME}) WITH WAREHOUSE_SIZE = XSMALL "
    r"AUTO_SUSPEND = (?P<suspend>\d+) AUTO_RESUME = (?P<resume>TRUE|FALSE) INITIALLY_SUSPENDED = TRUE",
    "create resource monitor": rf"CREATE RESOURCE MONITOR IF NOT EXISTS (?P<name>{_NAME}) WITH CREDIT_QUOTA = \d+ "
    r"FREQUENCY = MONTHLY START_TIMESTAMP = IMMEDIATELY "
    r"TRIGGERS(?P<triggers>(?: ON \d+ PERCENT DO (?:NOTIFY|SUSPEND|SUSPEND_IMMEDIATE))+)",
    "set monitor": rf"ALTER WAREHOUSE (?P<name>{_NAME}) SET RESOURCE_MONITOR = '(?P<monitor>{_NAME})'",
    "grant role": rf"GRANT ROLE (?P<name>{_NAME}) TO ROLE (?P<role>{_NAME})",
    "grant database role": rf"GRANT DATABASE ROLE (?P<name>SNOWFLAKE\.{_NAME}) TO ROLE (?P<role>{_NAME})",
    "grant on account": rf"GRANT (?P<privileges>[A-Z ]+) ON ACCOUNT TO ROLE (?P<role>{_NAME})",
    "grant on object": r"GRANT (?P<privileges>[A-Z ]+(?:, [A-Z ]+)*) ON (?P<kind>DATABASE|SCHEMA|WAREHOUSE) "
    rf"(?P<name>{_QUALIFIED}) TO ROLE (?P<role>{_NAME})",
    "grant on many": r"GRANT (?P<privileges>[A-Z]+(?:, [A-Z]+)*) ON (?P<which>ALL|FUTURE) (?P<kind>TABLE|VIEW)S "
    rf"IN SCHEMA (?P<name>{_QUALIFIED}) TO ROLE (?P<role>{_NAME})",
    "drop": rf"DROP (?P<kind>DATABASE|WAREHOUSE|ROLE|RESOURCE MONITOR) IF EXISTS (?P<name>{_NAME})",
}


def expanded(path: Path, environment: str, text: str | None = None) -> list[str]:
    """The statements of a file (or of *text*) for an environment, a line each, with all variables filled in."""
    values: dict[str, str | None] = {}
    found = []
    for statement in statements(path.read_text(encoding="utf-8") if text is None else text):
        line = " ".join(statement.split())
        assignment = re.fullmatch(r"SET (\w+) = (.*)", line)
        if assignment:
            name, value = assignment.groups()
            value = f"'{environment}'" if name == "environment" else value
            values[name] = duckdb.sql(f"SELECT {_filled(value, values)}").fetchall()[0][0]
        else:
            found.append(re.sub(r"IDENTIFIER\('([^']*)'\)", r"\1", _filled(line, values)))
    return found


def _filled(line: str, values: dict[str, str | None]) -> str:
    def literal(match: re.Match[str]) -> str:
        value = values[match.group(1)]
        return "NULL" if value is None else f"'{value}'"

    return re.sub(r"\$(\w+)", literal, line)


def form_of(line: str) -> tuple[str, dict[str, str]]:
    """Which of FORMS a statement has, and what is filled in; fails where it has none."""
    for name, pattern in FORMS.items():
        match = re.fullmatch(pattern, line)
        if match:
            return name, match.groupdict()
    raise AssertionError(f"no form that is known: {line}")


@dataclass
class Provisioned:
    """What an account has after the script: objects by kind, and grants as (privilege, kind, name) by role."""

    objects: dict[str, list[str]] = field(default_factory=dict)
    grants: dict[str, set[tuple[str, str, str]]] = field(default_factory=dict)
    future: dict[str, set[tuple[str, str, str]]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    monitored: set[str] = field(default_factory=set)

    def roles(self, role: str) -> Iterator[str]:
        """The role and all it inherits."""
        yield role
        for one in self.members.get(role, ()):
            yield from self.roles(one)

    def may(self, role: str, privilege: str, kind: str, name: str = "") -> bool:
        """Whether a privilege is granted to the role, or to one that it inherits."""
        return any((privilege, kind, name) in self.grants.get(one, ()) for one in self.roles(role))

    def may_on_tables(self, role: str, privilege: str, schema: str, kind: str = "TABLE") -> bool:
        """The same for each table, or view, that will be in a schema; who makes one owns it, unless another does."""
        owners = {one for one, held in self.future.items() if ("OWNERSHIP", kind, schema) in held}
        makes = not owners and self.may(role, f"CREATE {kind}", "SCHEMA", schema)
        for one in self.roles(role):
            held = self.future.get(one, set())
            if (privilege, kind, schema) in held or ("OWNERSHIP", kind, schema) in held:
                return True
        return makes


def provision(environment: str) -> Provisioned:
    """What snowflake.sql makes of an empty account."""
    made = Provisioned()
    for line in expanded(SETUP, environment):
        form, given = form_of(line)
        if form.startswith("create "):
            made.objects.setdefault(form.removeprefix("create ").upper(), []).append(given["name"])
        elif form == "set monitor":
            made.monitored.add(given["name"])
        elif form == "grant role":
            made.members.setdefault(given["role"], []).append(given["name"])
        elif form == "grant database role":
            made.grants.setdefault(given["role"], set()).add(("USAGE", "DATABASE_ROLE", given["name"]))
        elif form.startswith("grant on"):
            kind = given.get("kind") or "ACCOUNT"
            into = made.future if given.get("which") == "FUTURE" else made.grants
            if given.get("which") != "ALL":  # there is nothing yet in an empty account
                granted = {(one.strip(), kind, given.get("name") or "") for one in given["privileges"].split(",")}
                into.setdefault(given["role"], set()).update(granted)
    return made
