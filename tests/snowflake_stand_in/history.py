"""What QUERY_HISTORY tells of each statement on Snowflake: which role sent it, where it ran, how it was tagged."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fakesnow.fakes import FakeSnowflakeConnection

_TAG = re.compile(r"ALTER SESSION SET QUERY_TAG = '(.*)'", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Statement:
    """As it came in; role, warehouse and database as the session was logged in with them."""

    sql: str
    role: str | None
    warehouse: str | None
    database: str | None
    tag: Mapping[str, Any]


#: Of every session, the oldest first.
HISTORY: deque[Statement] = deque(maxlen=20_000)


def log_in(session: FakeSnowflakeConnection, named: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
    """Note what a session was logged in with."""
    session.logged_in = tuple(named.get(f"{one}Name", named.get(one)) for one in ("role", "warehouse", "database"))
    session.query_tag = parameters.get("QUERY_TAG", "")


def note(session: FakeSnowflakeConnection, sql: str) -> None:
    """Keep a statement, under the tag of its session; one that nobody logged in to is no session of the pipeline."""
    if not hasattr(session, "logged_in"):
        return
    if told := _TAG.match(sql):
        session.query_tag = told[1].replace("''", "'").replace("\\\\", "\\")
    HISTORY.append(Statement(sql, *session.logged_in, json.loads(session.query_tag or "{}")))
