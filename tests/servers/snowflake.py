"""A stand-in for Snowflake's side of its drivers' protocol, on loopback: logins, sessions, and answers to statements.

It is no Snowflake. It runs no SQL: a statement is accepted, or refused as a test has it, with the codes and words that
Snowflake is known to use (hnintel/warehouse/snowflake/codes.py says from where). What it does keep to is the contract
of a login: users, passwords, key pairs, tokens, roles, warehouses and databases are looked up, never taken for granted.
"""

from __future__ import annotations

import gzip
import json
import secrets
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

#: Seconds that a held statement waits to be cancelled, before the test that holds it has failed anyway.
_HELD = 30.0


class Refusal(Exception):
    """What is answered in place of success: a code, a SQL state and words, all of them Snowflake's."""

    def __init__(self, code: str, message: str, sqlstate: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.sqlstate = code, message, sqlstate


WRONG_PASSWORD = Refusal("390100", "Incorrect username or password was specified.")
WRONG_KEY = Refusal("390144", "JWT token is invalid. [0ce9eb56-821d-4ca9-a774-04ae89a0cf5a]")
WRONG_TOKEN = Refusal("390303", "Invalid OAuth access token. [0ce9eb56-821d-4ca9-a774-04ae89a0cf5a]")
SESSION_GONE = Refusal("390111", "Session no longer exists.  New login required to access the service.")
SESSION_EXPIRED = Refusal("390112", "Your session has expired. Please login again.")
MASTER_EXPIRED = Refusal("390114", "Authentication token has expired.  The user must authenticate again.")
CANCELLED = Refusal("000604", "SQL execution canceled", "57014")
NO_WAREHOUSE = Refusal(
    "000606",
    "No active warehouse selected in the current session.  "
    "Select an active warehouse with the 'use warehouse' command.",
    "57P03",
)


@dataclass
class Account:
    """What there is in the account; a test changes it while it is served."""

    passwords: dict[str, str] = field(default_factory=dict)
    public_keys: dict[str, bytes] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    #: Each role, and who has it.
    roles: dict[str, set[str]] = field(default_factory=dict)
    databases: set[str] = field(default_factory=set)
    #: Each warehouse, and whether it runs.
    warehouses: dict[str, bool] = field(default_factory=dict)


@dataclass
class Session:
    """A login that went well."""

    user: str
    asked: dict[str, str]
    parameters: dict[str, Any]
    #: Whether its token must be renewed, and whether it can be.
    expired: bool = False
    renewable: bool = True


@dataclass
class Statement:
    """A statement as it was sent."""

    sql: str
    session: Session


class SnowflakeStandIn:
    """Serves an Account; a context manager.

    ``connection`` is what a client needs to come here. ``refuse`` maps a part of a statement to how it is refused,
    ``hold`` names parts of statements that run until they are cancelled, and ``unwell`` maps a part of a path to an
    HTTP status that it answers, so many times. ``logins``, ``statements`` and ``met`` say what was asked.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.refuse: dict[str, Refusal] = {}
        self.hold: set[str] = set()
        self.unwell: dict[str, tuple[int, int]] = {}
        self.logins: list[dict[str, Any]] = []
        self.statements: list[Statement] = []
        self.met: Counter[str] = Counter()
        self.sessions: dict[str, Session] = {}
        self.cancelled = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port of 127.0.0.1 that it listens on."""
        return int(self._server.server_address[1])

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead here."""
        return {"SNOWFLAKE_HOST": "127.0.0.1", "SNOWFLAKE_PORT": str(self.port), "SNOWFLAKE_PROTOCOL": "http"}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancelled.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, query: dict[str, str], token: str, body: dict[str, Any]) -> dict[str, Any]:
        """The data of a successful answer.

        Raises:
            Refusal: it is none.
        """
        if path == "/session/v1/login-request":
            return self._login(query, body["data"])
        if path == "/session/token-request":
            return self._renewed(body["oldSessionToken"], token)
        if path in ("/telemetry/send", "/queries/v1/abort-request"):
            self.cancelled.set() if "abort" in path else None
            return {}
        session = self.sessions.get(token)
        if session is None:
            raise SESSION_GONE
        if path == "/queries/v1/query-request":
            return self._run(session, body["sqlText"])
        if path == "/session" and "delete" in query:
            del self.sessions[token]
        return {}

    def _login(self, query: dict[str, str], data: dict[str, Any]) -> dict[str, Any]:
        self.logins.append({**data, "query": query})
        asked = {name: query[name] for name in ("roleName", "warehouse", "databaseName") if name in query}
        user = self._user(data)
        self._refuse_unknown(user, asked, data.get("SESSION_PARAMETERS") or {})
        token = secrets.token_hex(8)
        self.sessions[token] = Session(user, asked, dict(data.get("SESSION_PARAMETERS") or {}))
        names = {"databaseName": asked.get("databaseName"), "warehouseName": asked.get("warehouse")}
        return {
            "token": token,
            "masterToken": f"master-{token}",
            "validityInSeconds": 3600,
            "masterValidityInSeconds": 14400,
            "sessionId": len(self.logins),
            "parameters": [{"name": "CLIENT_TELEMETRY_ENABLED", "value": False}],
            "sessionInfo": {**names, "schemaName": None, "roleName": asked.get("roleName", "PUBLIC")},
        }

    def _user(self, data: dict[str, Any]) -> str:
        """Who logs in, where what is shown proves it."""
        way, name = data.get("AUTHENTICATOR", "SNOWFLAKE"), data.get("LOGIN_NAME", "")
        if way == "SNOWFLAKE_JWT":
            key = self.account.public_keys.get(name.upper())
            try:
                jwt.decode(data["TOKEN"], load_pem_public_key(key or b""), algorithms=["RS256"])  # type: ignore[arg-type]
            except (jwt.InvalidTokenError, ValueError):
                raise WRONG_KEY from None
            return name
        if way in ("OAUTH", "PROGRAMMATIC_ACCESS_TOKEN"):
            if data.get("TOKEN") not in self.account.tokens:
                raise WRONG_TOKEN
            return self.account.tokens[data["TOKEN"]]
        if not name or self.account.passwords.get(name) != data.get("PASSWORD"):
            raise WRONG_PASSWORD
        return str(name)

    def _refuse_unknown(self, user: str, asked: dict[str, str], parameters: dict[str, Any]) -> None:
        role = asked.get("roleName")
        if role is not None and role not in self.account.roles:
            raise Refusal("390189", f"Role '{role}' specified in the connect string does not exist or not authorized.")
        if role is not None and user not in self.account.roles[role]:
            raise Refusal("390186", f"Role '{role}' specified in the connect string is not granted to this user.")
        if not parameters.get("CLIENT_VALIDATE_DEFAULT_PARAMETERS"):
            return
        for kind, name, there in (
            ("database", asked.get("databaseName"), self.account.databases),
            ("warehouse", asked.get("warehouse"), self.account.warehouses),
        ):
            if name is not None and name not in there:
                raise Refusal("390201", f"The requested {kind} does not exist or not authorized.")

    def _renewed(self, old: str, master: str) -> dict[str, Any]:
        session = self.sessions.get(old)
        if session is None or master != f"master-{old}" or not session.renewable:
            raise MASTER_EXPIRED
        token = secrets.token_hex(8)
        session.expired = False
        self.sessions[token] = self.sessions.pop(old)
        return {"sessionToken": token, "masterToken": f"master-{token}", "masterValidityInSeconds": 14400}

    def _run(self, session: Session, sql: str) -> dict[str, Any]:
        if session.expired:
            raise SESSION_EXPIRED
        self.statements.append(Statement(sql, session))
        for part, refusal in self.refuse.items():
            if part in sql:
                raise refusal
        warehouse = session.asked.get("warehouse")
        if warehouse is None:
            raise NO_WAREHOUSE
        if not self.account.warehouses.get(warehouse, False):
            mend = f"Use 'alter warehouse {warehouse} resume;' command if you need to use it again."
            raise Refusal("000608", f"Warehouse '{warehouse}' is suspended. {mend}", "57P03")
        if any(part in sql for part in self.hold):
            self.cancelled.wait(_HELD)
            raise CANCELLED
        text = {"type": "text", "length": 100, "precision": None, "scale": None, "nullable": True}
        return {
            "rowtype": [{"name": "status", **text}],
            "rowset": [["Statement executed successfully."]],
            "total": 1,
            "queryResultFormat": "json",
            "parameters": [],
        }


def _handler(server: SnowflakeStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One connection of a driver."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Every request of the protocol that is used here is one."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            server.met[parts.path] += 1
            for part, (status, times) in server.unwell.items():
                if part in parts.path and server.met[parts.path] <= times:
                    self._send(status, {})
                    return
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            token = self.headers.get("Authorization", "").partition('Token="')[2].rstrip('"')
            query_id = f"01b2c3d4-0000-0000-0000-{server.met[parts.path]:012d}"
            try:
                sent = json.loads(body) if body.strip() not in (b"", b"null") else {}
                data = server.answer(parts.path, query, token, sent)
                answer = {"success": True, "code": None, "message": None, "data": {**data, "queryId": query_id}}
            except Refusal as refusal:
                data = {"errorCode": refusal.code, "sqlState": refusal.sqlstate, "queryId": query_id}
                answer = {"success": False, "code": refusal.code, "message": refusal.message, "data": data}
            self._send(200, answer)

        def _send(self, status: int, answer: dict[str, Any]) -> None:
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test says what went wrong."""

    return Handler
