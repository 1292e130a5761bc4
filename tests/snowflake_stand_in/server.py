"""The stand-in, served: one fakesnow a database, so that no test sees another's, and its AI functions by an engine."""

from __future__ import annotations

import atexit
import gzip
import json
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from types import TracebackType
from typing import Any, Self

import fakesnow.server
import uvicorn
from fakesnow.instance import FakeSnow
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hnintel.engines.base import Engine
from hnintel.engines.offline import OfflineEngine
from hnintel.warehouse.duckdb import ai_functions
from hnintel.warehouse.statements import statement, statements
from tests.snowflake_stand_in import history
from tests.snowflake_stand_in.mends import MACROS, mend

#: DuckDB's SQL, and what is bound.
Statement = tuple[str, Sequence[Any]]
#: So many databases are kept; a test opens two or three, and each takes memory.
_KEPT = 12
_AI_MACROS = [macro.removeprefix("CREATE MACRO ") for macro in statements(statement("warehouse/duckdb/ai_functions"))]


class StandIn:
    """A server on loopback; whoever logs in with a database's name gets that database, made anew where it is not."""

    def __init__(self) -> None:
        mend()
        self._databases: dict[str, FakeSnow] = {}
        others = [route for route in fakesnow.server.routes if route.path != "/session/v1/login-request"]
        login = Route("/session/v1/login-request", self._login, methods=["POST"])
        app = Starlette(routes=[login, *others])
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
        self._thread = threading.Thread(target=self._server.run, name="snowflake stand-in", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings that log in here."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return {
            "warehouse": "snowflake",
            "snowflake_account": "stand-in",
            "snowflake_user": "LOADER",
            "snowflake_password": "any",
            "snowflake_host": "127.0.0.1",
            "snowflake_port": str(port),
            "snowflake_protocol": "http",
            "network_timeout": 20,
        }

    def make(self, database: str, engine: Engine | None = None, holding: Sequence[Statement] = ()) -> None:
        """Have *engine* answer the AI functions of a database; unless it is there, it holds what these make."""
        if database.upper() not in self._databases:
            made = self._databases[database.upper()] = _made(engine or OfflineEngine())
            with made.connect(database=database) as connection:
                for sql, params in holding:
                    connection._duck_conn.execute(sql, params)
        while len(self._databases) > _KEPT:
            self._databases.pop(next(iter(self._databases))).duck_conn.close()

    def contents(self, database: str) -> list[Statement]:
        """What makes the schemas, tables and rows of a database anew, past the connector and its translation."""
        duck = self._databases[database.upper()].duck_conn
        ours = f"FROM duckdb_tables() WHERE database_name = '{database.upper()}' AND schema_name NOT LIKE '%fs_%'"
        made: list[Statement] = []
        for (schema,) in duck.execute(f"SELECT DISTINCT schema_name {ours}").fetchall():
            made.append((f"CREATE SCHEMA IF NOT EXISTS {schema}", []))
        for schema, table, sql in duck.execute(f"SELECT schema_name, table_name, sql {ours}").fetchall():
            rows = duck.execute(f"SELECT * FROM {database}.{schema}.{table}").fetchall()
            made.append((sql, []))
            made += [(f"INSERT INTO {schema}.{table} VALUES ({', '.join('?' * len(row))})", row) for row in rows]
        return made

    def close(self) -> None:
        """Stop serving, and let go of every database, which DuckDB complains about otherwise."""
        self.__exit__(None, None, None)
        while self._databases:
            self._databases.popitem()[1].duck_conn.close()

    async def _login(self, request: Request) -> JSONResponse:
        database = str(request.query_params["databaseName"])
        self.make(database)
        here = self._databases[database.upper()]
        fakesnow.server.shared_fs, before = here, fakesnow.server.shared_fs
        try:
            answer = await fakesnow.server.login_request(request)
        finally:
            fakesnow.server.shared_fs = before
        session = fakesnow.server.sessions[next(reversed(fakesnow.server.sessions))]
        history.log_in(session, request.query_params, await _parameters(request))
        for macro in (*MACROS, *_AI_MACROS):
            session._duck_conn.execute(f"CREATE OR REPLACE TEMP MACRO {macro}")
        return answer


@cache
def stand_in() -> StandIn:
    """The one of this process, served until its end."""
    served = StandIn().__enter__()
    atexit.register(served.close)
    return served


async def _parameters(request: Request) -> dict[str, Any]:
    body = await request.body()
    asked = gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body
    return dict(json.loads(asked)["data"]["SESSION_PARAMETERS"])


def _made(engine: Engine) -> FakeSnow:
    made = FakeSnow()
    ai_functions._register(made.duck_conn, engine, lambda error: None, None, ai_functions.Meter())
    return made
