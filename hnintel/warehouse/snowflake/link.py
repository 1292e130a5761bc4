"""One login to Snowflake: statements go through it with the tags of who sends them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import snowflake.connector
from snowflake.connector.cursor import SnowflakeCursor

from hnintel.errors import WarehouseLost
from hnintel.settings import Settings
from hnintel.settings.snowflake import Stage
from hnintel.warehouse import query_tags
from hnintel.warehouse.snowflake.connection import connection_arguments, tag
from hnintel.warehouse.snowflake.errors import told_in_one_line
from hnintel.warehouse.statement_order import verb_of

#: Where tables without a schema are: the temporary ones of a session. Both roles that write may make them there.
SCHEMA = "ops"
_NAME = re.compile(r"\b(?:into|from|update|table|view|schema(?:\s+if\s+not\s+exists)?)\s+([a-z_][a-z0-9_.]*)", re.I)


class Link:
    """A session of one stage's role and warehouse, kept open between transactions and renewed where it was lost."""

    def __init__(self, settings: Settings, stage: Stage) -> None:
        self.stage = stage
        self._settings = settings
        self._connection: snowflake.connector.SnowflakeConnection | None = None
        self._tag = ""
        self._schema: str | None = None
        #: Whether the session holds what a new one would not: an open transaction, or temporary tables.
        self.holds_something = False

    @property
    def connection(self) -> snowflake.connector.SnowflakeConnection:
        """The connector's connection, logged in by now.

        Raises:
            WarehouseError: logging in was refused, or Snowflake cannot be reached.
        """
        if self._connection is None:
            arguments = connection_arguments(self._settings, self.stage, _told())
            self._tag = arguments["session_parameters"]["QUERY_TAG"]
            with told_in_one_line("logging in"):
                self._connection = snowflake.connector.connect(**arguments)
                if self._schema:
                    self._connection.cursor().execute(f"USE SCHEMA {self._schema}")
        return self._connection

    def use(self, schema: str) -> None:
        """Have tables without a schema in *schema*, in this session and in one that replaces it."""
        if self._schema != schema:
            self.send(f"USE SCHEMA {schema}")
            self._schema = schema

    def retag(self) -> None:
        """Tag what is sent from here on by what this thread is at; call it before BEGIN."""
        wanted = tag(self.stage, _told())
        if self._connection is not None and wanted != self._tag:
            self.send("ALTER SESSION SET QUERY_TAG = " + _literal(wanted))
            self._tag = wanted

    def send(self, sql: str, params: Sequence[Any] = ()) -> SnowflakeCursor:
        """Run one statement; again in a new session where the old one was lost and had nothing to lose.

        Raises:
            WarehouseError: Snowflake refused it, or cannot be reached.
        """
        try:
            return self._send(sql, params)
        except WarehouseLost:
            had_something = self.holds_something
            self.drop()
            if had_something:
                raise
        return self._send(sql, params)

    def drop(self) -> None:
        """Let go of the session, and say nothing of what goes wrong in that."""
        lost, self._connection = self._connection, None
        self.holds_something = False
        if lost is not None:
            try:
                lost.close(retry=False)
            except snowflake.connector.errors.Error:
                return

    def _send(self, sql: str, params: Sequence[Any]) -> SnowflakeCursor:
        with told_in_one_line(what_of(sql)):
            # It is None only where the statement is empty, and none of ours is.
            return self.connection.cursor().execute(sql, list(params) or None)  # type: ignore[return-value]


def what_of(sql: str) -> str:
    """A statement in a word or two, the verb and the first table it names: nothing else of it may be told."""
    found = _NAME.search(sql)
    return f"{verb_of(sql)} {found[1].lower()}" if found else verb_of(sql)


def _told() -> dict[str, object]:
    now = query_tags.current()
    return {"run": now.run, "day": now.day, "enrichment": now.enrichment, "fingerprint": now.fingerprint}


def _literal(text: str) -> str:
    """ALTER SESSION binds no values. JSON may hold backslashes, which Snowflake reads as escapes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
