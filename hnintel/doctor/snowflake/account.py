"""A read-only session with the account, and functions that write names as SQL does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from hnintel.settings import Settings
from hnintel.settings.snowflake import Stage

#: The connection's arguments that have their own checks; a login with them would fail at the first wrong argument.
_CHECKED = ("role", "warehouse", "database")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


class Account(Protocol):
    """The access that the checks have to the account."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Sequence[Mapping[str, Any]]:
        """Return the rows of a statement by column name, in lower case.

        Raises:
            WarehouseError: Snowflake refused the statement.
        """


class Connected:
    """An ``Account`` through a connection of Snowflake's connector, or an object with the same methods."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Sequence[Mapping[str, Any]]:
        """Return the rows of a statement by column name, in lower case."""
        import snowflake.connector

        from hnintel.warehouse.snowflake.errors import translate

        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, list(params) or None)
                names = [column[0].lower() for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except snowflake.connector.Error as error:
            raise translate(error, "the doctor's question") from None


@contextmanager
def connected(settings: Settings, stage: Stage) -> Iterator[Account]:
    """Log in as a stage does, before a role, a warehouse and a database are chosen.

    Raises:
        UsageError: the settings name no user or credentials.
        WarehouseError: Snowflake refused the login, or does not answer.
    """
    import snowflake.connector

    from hnintel.warehouse.snowflake.connection import connection_arguments
    from hnintel.warehouse.snowflake.errors import translate

    arguments = connection_arguments(settings, stage, {"run": "doctor"})
    arguments = {name: value for name, value in arguments.items() if name not in _CHECKED}
    try:
        connection = snowflake.connector.connect(**arguments)
    except snowflake.connector.Error as error:
        raise translate(error, "login") from None
    try:
        yield Connected(connection)
    finally:
        connection.close()


def plain(name: str) -> str:
    """Return *name* as Snowflake stores a name without quotes: in capitals."""
    return name.upper() if _PLAIN.fullmatch(name) else name


def quoted(name: str) -> str:
    """Return *name* as SQL writes it, in quotes where it needs them."""
    return plain(name) if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def parts(name: str) -> tuple[str, ...]:
    """Split a qualified name as Snowflake's SHOW commands write it: ``DB."Odd.Name"`` has two parts."""
    matches = re.findall(r'"((?:[^"]|"")*)"|([^".]+)', name)
    return tuple(quoted_part.replace('""', '"') if quoted_part else plain_part for quoted_part, plain_part in matches)


def like(name: str) -> str:
    """Return *name* as the pattern of a SHOW ... LIKE, which may match more names: ``_`` matches any character."""
    return "'" + name.replace("\\", "\\\\").replace("'", "''") + "'"
