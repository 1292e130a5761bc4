"""A session with the account for looking only, and names as SQL writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from hnintel.settings import Settings
from hnintel.settings.snowflake import Stage

#: Of the connection's arguments those that each have a check of their own; a login with them would fail at the first.
_CHECKED = ("role", "warehouse", "database")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


class Account(Protocol):
    """What checks look through."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Sequence[Mapping[str, Any]]:
        """The rows of one statement by column name, in lower case.

        Raises:
            WarehouseError: Snowflake refused it.
        """


class Connected:
    """An ``Account`` through a connection of Snowflake's connector, or one that is like it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Sequence[Mapping[str, Any]]:
        """The rows of one statement by column name, in lower case."""
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
    """Log in as a stage does, with no role, warehouse and database chosen yet.

    Raises:
        UsageError: the settings do not say who logs in.
        WarehouseError: Snowflake refused, or is not there.
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
    """*name* as Snowflake keeps it where no quotes are: in capitals."""
    return name.upper() if _PLAIN.fullmatch(name) else name


def quoted(name: str) -> str:
    """*name* as SQL writes it."""
    return plain(name) if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def parts(name: str) -> tuple[str, ...]:
    """A qualified name as Snowflake's SHOW commands write it, taken apart: ``DB."Odd.Name"`` are two."""
    found = re.findall(r'"((?:[^"]|"")*)"|([^".]+)', name)
    return tuple(odd.replace('""', '"') if odd else plain_one for odd, plain_one in found)


def like(name: str) -> str:
    """*name* as the pattern of a SHOW ... LIKE, which then also finds others: ``_`` stands for any character."""
    return "'" + name.replace("\\", "\\\\").replace("'", "''") + "'"
