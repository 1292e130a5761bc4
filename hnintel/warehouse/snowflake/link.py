"""A login to Snowflake: sends statements with the query tags of the sending thread."""

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
from hnintel.warehouse.snowflake.errors import translated
from hnintel.warehouse.statement_order import verb_of

#: The schema of temporary tables, which are named without one. Both roles that write may create tables in it.
SCHEMA = "ops"
_NAME = re.compile(r"\b(?:into|from|update|table|view|schema(?:\s+if\s+not\s+exists)?)\s+([a-z_][a-z0-9_.]*)", re.I)


class Link:
    """A session with one stage's role and warehouse, open between transactions and renewed after it was lost."""

    def __init__(self, settings: Settings, stage: Stage) -> None:
        self.stage = stage
        self._settings = settings
        self._connection: snowflake.connector.SnowflakeConnection | None = None
        self._tag = ""
        self._schema: str | None = None
        #: Whether the session has state that a new session would lack: an open transaction, or temporary tables.
        self.has_state = False

    @property
    def connection(self) -> snowflake.connector.SnowflakeConnection:
        """The connector's connection; logs in at the first use.

        Raises:
            WarehouseError: the login was rejected, or Snowflake cannot be reached.
        """
        if self._connection is None:
            arguments = connection_arguments(self._settings, self.stage, _current_tags())
            self._tag = arguments["session_parameters"]["QUERY_TAG"]
            with translated("logging in"):
                self._connection = snowflake.connector.connect(**arguments)
                if self._schema:
                    self._connection.cursor().execute(f"USE SCHEMA {self._schema}")
        return self._connection

    def use(self, schema: str) -> None:
        """Use *schema* for tables named without a schema, in this session and in a session that replaces it."""
        if self._schema != schema:
            self.send(f"USE SCHEMA {schema}")
            self._schema = schema

    def retag(self) -> None:
        """Set the query tag of this thread for later statements; call it before BEGIN."""
        new_tag = tag(self.stage, _current_tags())
        if self._connection is not None and new_tag != self._tag:
            self.send("ALTER SESSION SET QUERY_TAG = " + _literal(new_tag))
            self._tag = new_tag

    def send(self, sql: str, params: Sequence[Any] = ()) -> SnowflakeCursor:
        """Run one statement; retry it in a new session if the old session was lost and had no state.

        Raises:
            WarehouseError: Snowflake rejected the statement, or cannot be reached.
        """
        try:
            return self._send(sql, params)
        except WarehouseLost:
            had_state = self.has_state
            self.drop()
            if had_state:
                raise
        return self._send(sql, params)

    def drop(self) -> None:
        """Close the session, ignoring errors."""
        lost, self._connection = self._connection, None
        self.has_state = False
        if lost is not None:
            try:
                lost.close(retry=False)
            except snowflake.connector.errors.Error:
                return

    def _send(self, sql: str, params: Sequence[Any]) -> SnowflakeCursor:
        with translated(what_of(sql)):
            # It is None only where the statement is empty, and none of ours is.
            return self.connection.cursor().execute(sql, list(params) or None)  # type: ignore[return-value]


def what_of(sql: str) -> str:
    """The verb of a statement and the first table it names; nothing else of a statement may be shown."""
    name = _NAME.search(sql)
    return f"{verb_of(sql)} {name[1].lower()}" if name else verb_of(sql)


def _current_tags() -> dict[str, object]:
    now = query_tags.current()
    return {"run": now.run, "day": now.day, "enrichment": now.enrichment, "fingerprint": now.fingerprint}


def _literal(text: str) -> str:
    """*text* as a literal: ALTER SESSION binds no values, and Snowflake reads JSON's backslashes as escapes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
