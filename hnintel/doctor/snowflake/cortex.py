"""Checks of Cortex: the functions that a run calls, the models that it names, and the views of their cost.

No model is called unless the caller says so: EXPLAIN compiles a statement without running it, which fails where the
function does not exist or the role may not call it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from hnintel.cost.billing import AI_VIEW, COMPUTE_VIEW
from hnintel.doctor.finding import Finding
from hnintel.doctor.questions import COUNTING, Question
from hnintel.doctor.snowflake.account import Account, quoted
from hnintel.doctor.snowflake.grants import Held
from hnintel.errors import WarehouseError
from hnintel.warehouse.statements import literal, statement, statements

#: The functions that AI_FUNCTIONS_USER does not cover.
_AGGREGATES = ("AI_AGG", "AI_SUMMARIZE_AGG")
_LONGEST_ERROR = 200
_GONE = ("EOL", "LEGACY")


def functions(
    account: Account, grants: Held | None, calls: Sequence[Question], ask: bool, role: str
) -> Iterator[Finding]:
    """Check that each AI function in *calls* exists and may be called; with *ask*, call it, which costs money."""
    for function in dict.fromkeys(question.function for question in calls):
        of_function = [question for question in calls if question.function == function]
        yield _function(account, grants, function, of_function, ask, role)


def _function(
    account: Account, grants: Held | None, function: str, calls: Sequence[Question], ask: bool, role: str
) -> Finding:
    askers = ", ".join(dict.fromkeys(question.asker for question in calls))
    mends = tuple(_missing_grants(grants, function, role)) if grants else ()
    try:
        answers = [account.execute(question.sql if ask else f"EXPLAIN {question.sql}") for question in calls]
    except WarehouseError as error:
        return Finding.missing(function, f"{error} (for {askers})", *mends)
    if ask and (failure := next(filter(None, map(_failure, calls, answers)), None)):
        is_counting = function == COUNTING  # without this function, tokens are estimated from the length of a text
        return (Finding.warning if is_counting else Finding.missing)(function, failure, *mends)
    if mends:
        return Finding.missing(function, f"{role} lacks a privilege that a call needs (for {askers})", *mends)
    how = "answers" if ask else "may be called"
    return Finding.ok(function, f"{how} (for {askers})")


def _failure(question: Question, rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Return why the row of a question is not an answer, None where it is: a failed call gives an error or NULL."""
    parsed = answer = rows[0]["answer"] if rows else None
    if isinstance(answer, str):
        with suppress(ValueError):  # prose is not JSON
            parsed = json.loads(answer)
    error = str(parsed.get("error") or "") if isinstance(parsed, Mapping) else ""
    if answer is not None and not error:
        return None
    by = f" by {question.model}" if question.model else ""
    return f"no answer{by}: {' '.join(error.split())[:_LONGEST_ERROR] or 'NULL'} (for {question.asker})"


def _missing_grants(grants: Held, function: str, role: str) -> Iterator[str]:
    if not (grants.has("USE AI FUNCTIONS", "ACCOUNT") or grants.has(f"USE AI FUNCTION {function}", "ACCOUNT")):
        yield f"GRANT USE AI FUNCTIONS ON ACCOUNT TO ROLE {quoted(role)};"
    small = function not in _AGGREGATES and grants.has_database_role("SNOWFLAKE", "AI_FUNCTIONS_USER")
    if not (small or grants.has_database_role("SNOWFLAKE", "CORTEX_USER")):
        yield f"GRANT DATABASE ROLE SNOWFLAKE.CORTEX_USER TO ROLE {quoted(role)};"


def models(
    account: Account, grants: Held | None, calls: Iterable[Question], fallback: str | None, role: str
) -> Iterator[Finding]:
    """Check that the role may use each model that a call names, and the fall-back model if it is set."""
    askers: dict[str, list[str]] = {}
    for question in calls:
        if question.model:
            askers.setdefault(question.model, []).append(question.asker)
    if fallback:
        askers.setdefault(fallback, []).append("HNINTEL_CORTEX_FALLBACK_MODEL")
    listed = _listed(account)
    allowed = _allowed(account)
    for model, names in askers.items():
        yield _model(model, ", ".join(names), listed, allowed, grants, role)


def _model(
    model: str,
    askers: str,
    listed: Mapping[str, Mapping[str, Any]] | None,
    allowed: frozenset[str] | None,
    grants: Held | None,
    role: str,
) -> Finding:
    name = f"model {model}"
    row = (listed or {}).get(model.upper())
    if row is not None:
        status, end = str(row.get("lifecycle_status") or "").upper(), row.get("eol_date")
        if status in _GONE:
            detail = f"is {status}{f', and ends on {end}' if end else ''}: name another model in HNINTEL_CORTEX_MODELS"
            return Finding.warning(name, f"{detail} (for {askers})")
        return Finding.ok(name, f"{role} may use it (for {askers})")
    by_role = grants is not None and any(
        grants.has_application_role("SNOWFLAKE", f"CORTEX-MODEL-ROLE-{which}") for which in (model.upper(), "ALL")
    )
    if by_role or (allowed and not allowed.isdisjoint({model.lower(), "all"})):
        detail = f"{role} may use it, but the account does not list it: it may not be in this region (for {askers})"
        return (
            Finding.ok(name, f"{role} may use it (for {askers})") if listed is None else Finding.warning(name, detail)
        )
    if listed is None and allowed is None:
        detail = f"the account lists no models, so this was not checked; --ask sends it a question (for {askers})"
        return Finding.warning(name, detail, "CALL SNOWFLAKE.MODELS.CORTEX_BASE_MODELS_REFRESH();")
    grant = f'GRANT APPLICATION ROLE SNOWFLAKE."CORTEX-MODEL-ROLE-{model.upper()}" TO ROLE {quoted(role)};'
    detail = (
        f"{role} may not use it, or the region lacks it: grant it, name another in HNINTEL_CORTEX_MODELS, or set "
        f"HNINTEL_CORTEX_FALLBACK_MODEL (for {askers})"
    )
    return Finding.missing(name, detail, grant)


def _listed(account: Account) -> dict[str, Mapping[str, Any]] | None:
    """Return the models that the role may use, by name in capitals; None where the account lists no models."""
    try:
        rows = account.execute("SHOW CORTEX BASE MODELS IN SCHEMA SNOWFLAKE.MODELS")
    except WarehouseError:
        return None
    return {str(row["name"]).upper(): row for row in rows} or None


def _allowed(account: Account) -> frozenset[str] | None:
    """Return the account's older list of allowed models, in lower case, with ``all``; None where it has no list."""
    try:
        rows = account.execute("SHOW PARAMETERS LIKE 'CORTEX_MODELS_ALLOWLIST' IN ACCOUNT")
    except WarehouseError:
        return None
    value = next((str(row["value"] or "") for row in rows), None)
    return None if value is None else frozenset(part.strip().lower() for part in value.split(","))


def usage_views(account: Account, role: str) -> Finding:
    """Check that the views of the charges can be read, with the columns that ``bill`` needs; no row is read."""
    since = literal("2000-01-01")
    try:
        for name, view in (("cost/billed_ai", AI_VIEW), ("cost/billed_compute", COMPUTE_VIEW)):
            (sql,) = statements(statement(name, view=view))
            account.execute("EXPLAIN " + sql.replace("?", since, 1).replace("?", literal(""), 1))
    except WarehouseError as error:
        mend = f"GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER TO ROLE {quoted(role)};"
        return Finding.warning("usage views", f"the charges cannot be read: {error}", mend)
    return Finding.ok("usage views", "the charges of Cortex and of the warehouses can be read")
