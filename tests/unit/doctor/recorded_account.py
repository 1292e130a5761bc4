"""An account that answers the doctor's statements as Snowflake's documentation describes.

Recorded from documentation, not from an account. The columns are those of the reference pages of SHOW GRANTS, SHOW
WAREHOUSES, SHOW DATABASES, SHOW SCHEMAS, SHOW OBJECTS, SHOW CORTEX BASE MODELS and SHOW PARAMETERS; rows of grants to
PUBLIC, and the names of database and application roles in them, are as public recordings of such accounts have them.
What the role holds decides what is seen, as there: it is what deployments/snowflake.sql grants, less what a test takes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hnintel.errors import WarehouseError
from tests.deployments_sql.provisioned import Provisioned, provision

PUBLIC_BY_DEFAULT = {
    ("USE AI FUNCTIONS", "ACCOUNT", "RQ46321"),
    ("USAGE", "DATABASE_ROLE", "SNOWFLAKE.CORTEX_USER"),
    ("USAGE", "DATABASE_ROLE", "SNOWFLAKE.ML_USER"),
    ("USAGE", "APPLICATION_ROLE", 'SNOWFLAKE."CORTEX-MODEL-ROLE-ALL"'),
}
AI_ROLES = {("USAGE", "DATABASE_ROLE", f"SNOWFLAKE.{name}") for name in ("CORTEX_USER", "AI_FUNCTIONS_USER")}


@dataclass
class RecordedAccount:
    """An ``Account`` in memory, whose state a test changes before the checks run."""

    made: Provisioned = field(default_factory=lambda: provision("dev"))
    user: str = "HN_SERVICE"
    #: Roles of the user; the first is the default one.
    roles: list[str] = field(default_factory=lambda: ["HN_INTELLIGENCE_DEV_PIPELINE"])
    public: set[tuple[str, str, str]] = field(default_factory=lambda: set(PUBLIC_BY_DEFAULT))
    #: Tables and views by schema: (name, kind, the role that owns it).
    objects: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    #: Models that the account lists, with their lifecycle; None has no such command.
    models: dict[str, str] | None = field(default_factory=lambda: {"CLAUDE-HAIKU-4-5": "GA", "LLAMA3.1-8B": "GA"})
    allowlist: str | None = "All"
    functions: set[str] = field(default_factory=lambda: {"AI_CLASSIFY", "AI_COMPLETE", "AI_AGG", "AI_COUNT_TOKENS"})
    #: What a call that is made answers, by function: with error details an object, as the connector gives it.
    answers: dict[str, Any] = field(
        default_factory=lambda: {
            "AI_CLASSIFY": '{"error": null, "value": {"labels": ["neutral"]}}',
            "AI_COMPLETE": '{"error": null, "value": {}}',
            "AI_AGG": "A short text.",
            "AI_COUNT_TOKENS": 4,
        }
    )
    asleep_for_good: set[str] = field(default_factory=set)
    unseen_roles: set[str] = field(default_factory=set)
    default_warehouse: str | None = None
    said: list[str] = field(default_factory=list)
    role: str = ""

    def __post_init__(self) -> None:
        self.role = self.roles[0] if self.roles else ""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Sequence[Mapping[str, Any]]:
        """Answer a statement."""
        self.said.append(sql)
        for pattern, answer in _ANSWERS:
            match = re.fullmatch(pattern, sql, re.DOTALL)
            if match:
                return answer(self, *match.groups())
        raise AssertionError(f"the account has no answer recorded for: {sql}")

    def held(self, role: str) -> set[tuple[str, str, str]]:
        """Return the grants of the role, with inherited grants and those of PUBLIC."""
        return set().union(self.public, *(self._own(one) for one in self.made.roles(role)))

    def revoke(self, role: str, *grant: str) -> None:
        """Revoke a grant of the script."""
        self.made.grants[f"HN_INTELLIGENCE_DEV_{role}"].remove(grant)  # type: ignore[arg-type]

    def _own(self, role: str) -> set[tuple[str, str, str]]:
        owned = {
            ("OWNERSHIP", kind, f"{schema}.{name}")
            for schema, several in self.objects.items()
            for name, kind, owner in several
            if owner == role
        }
        on_objects = {
            (privilege, kind, f"{schema}.{name}")
            for privilege, kind, schema in self.made.future.get(role, ())
            for name, of, _ in self.objects.get(schema, ())
            if of == kind and privilege != "OWNERSHIP"
        }
        return set(self.made.grants.get(role, ())) | owned | on_objects

    def _sees(self, kind: str, name: str) -> bool:
        return any(one[1] == kind and one[2] == name for one in self.held(self.role))


def _use_role(account: RecordedAccount, role: str) -> list[dict[str, Any]]:
    if role not in account.roles:
        raise WarehouseError(f"Snowflake, the doctor's question: the user may not take the role ({role})")
    account.role = role
    return [{"status": "Statement executed successfully."}]


def _grants(account: RecordedAccount, role: str) -> list[dict[str, Any]]:
    if role in account.unseen_roles:
        raise WarehouseError("Snowflake, the doctor's question: the role may not do that")
    own = account.public if role == "PUBLIC" else account._own(role)
    own = own | {("USAGE", "ROLE", member) for member in account.made.members.get(role, ())}
    return [
        {
            "created_on": "2026-11-20 09:00:00.000 -0800",
            "privilege": privilege,
            "granted_on": kind,
            "name": name or "RQ46321",
            "granted_to": "ROLE",
            "grantee_name": role,
            "grant_option": "false",
            "granted_by": "SECURITYADMIN",
        }
        for privilege, kind, name in sorted(own)
    ]


def _warehouses(account: RecordedAccount, pattern: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "state": "SUSPENDED",
            "type": "STANDARD",
            "size": "X-Small",
            "auto_suspend": 60,
            "auto_resume": "false" if name in account.asleep_for_good else "true",
            "resource_monitor": "HN_INTELLIGENCE_DEV_MONITOR",
        }
        for name in account.made.objects["WAREHOUSE"]
        if _matches(pattern, name) and account._sees("WAREHOUSE", name)
    ]


def _databases(account: RecordedAccount, pattern: str) -> list[dict[str, Any]]:
    names = account.made.objects["DATABASE"]
    return [
        {"name": name, "kind": "STANDARD"}
        for name in names
        if _matches(pattern, name) and account._sees("DATABASE", name)
    ]


def _schemas(account: RecordedAccount, database: str) -> list[dict[str, Any]]:
    names = [name for name in account.made.objects["SCHEMA"] if name.startswith(f"{database}.")]
    return [
        {"name": name.split(".")[1], "database_name": database, "owner": "SYSADMIN"}
        for name in names
        if account._sees("SCHEMA", name)
    ]


def _objects(account: RecordedAccount, schema: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "schema_name": schema.split(".")[1], "kind": kind, "owner": owner}
        for name, kind, owner in account.objects.get(schema, ())
        if account._sees(kind, f"{schema}.{name}")
    ]


def _explain(account: RecordedAccount, sql: str) -> list[dict[str, Any]]:
    held = account.held(account.role)
    if "ACCOUNT_USAGE" in sql:
        if ("USAGE", "DATABASE_ROLE", "SNOWFLAKE.USAGE_VIEWER") not in held:
            raise WarehouseError("Snowflake, the doctor's question: it does not exist, or the role may not see it")
        return [{"operation": "TableScan"}]
    for function in re.findall(r"\bAI_[A-Z_]+(?=\()", sql):
        allowed = {("USE AI FUNCTIONS", kind) for kind in ("ACCOUNT",)} | {(f"USE AI FUNCTION {function}", "ACCOUNT")}
        if (
            function not in account.functions
            or allowed.isdisjoint({one[:2] for one in held})
            or held.isdisjoint(AI_ROLES)
        ):
            raise WarehouseError(f"Snowflake, the doctor's question: the account has no such function ({function})")
    return [{"operation": "Result"}]


def _asked(account: RecordedAccount, sql: str) -> list[dict[str, Any]]:
    _explain(account, sql)
    return [{"answer": account.answers[re.findall(r"AI_[A-Z_]+", sql)[0]]}]


def _models(account: RecordedAccount) -> list[dict[str, Any]]:
    if account.models is None:
        raise WarehouseError("Snowflake, the doctor's question: refused")
    held = {name for _, kind, name in account.held(account.role) if kind == "APPLICATION_ROLE"}
    return [
        {
            "name": name,
            "lifecycle_status": status,
            "available_regions": "[]",
            "legacy_date": None,
            "eol_date": "2027-01-31",
        }
        for name, status in account.models.items()
        if held & {'SNOWFLAKE."CORTEX-MODEL-ROLE-ALL"', f'SNOWFLAKE."CORTEX-MODEL-ROLE-{name}"'}
    ]


def _allowlist(account: RecordedAccount) -> list[dict[str, Any]]:
    if account.allowlist is None:
        return []
    return [{"key": "CORTEX_MODELS_ALLOWLIST", "value": account.allowlist, "default": "All", "level": "ACCOUNT"}]


def _matches(pattern: str, name: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace("_", "."), name, re.IGNORECASE))


_ANSWERS: list[tuple[str, Any]] = [
    (r"USE ROLE (\w+)", _use_role),
    (r"USE WAREHOUSE (\w+)", lambda account, name: []),
    (r"SELECT CURRENT_ROLE\(\) AS current_role", lambda account: [{"current_role": account.role or None}]),
    (
        r"SELECT CURRENT_WAREHOUSE\(\) AS current_warehouse",
        lambda account: [{"current_warehouse": account.default_warehouse}],
    ),
    (r"SHOW GRANTS TO ROLE (\w+)", _grants),
    (r"SHOW WAREHOUSES LIKE '(\w+)'", _warehouses),
    (r"SHOW DATABASES LIKE '(\w+)'", _databases),
    (r"SHOW SCHEMAS IN DATABASE (\w+)", _schemas),
    (r"SHOW OBJECTS IN SCHEMA ([\w.]+)", _objects),
    (r"SHOW CORTEX BASE MODELS IN SCHEMA SNOWFLAKE\.MODELS", _models),
    (r"SHOW PARAMETERS LIKE 'CORTEX_MODELS_ALLOWLIST' IN ACCOUNT", _allowlist),
    (r"EXPLAIN (SELECT\s.*)", _explain),
    (r"(SELECT AI_.*)", _asked),
]
