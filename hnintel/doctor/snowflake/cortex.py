"""Cortex: the functions that are called, the models that are asked for, and the view of what it cost.

Nothing here asks a model unless it is told to: EXPLAIN compiles a statement, which takes the function to be there and
the role to be allowed it, and does not run it.
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

#: AI_FUNCTIONS_USER covers all but these.
_AGGREGATES = ("AI_AGG", "AI_SUMMARIZE_AGG")
_LONGEST_ERROR = 200
_GONE = ("EOL", "LEGACY")


def functions(
    account: Account, found: Held | None, asked: Sequence[Question], ask: bool, role: str
) -> Iterator[Finding]:
    """Whether each AI function that *asked* calls is there and allowed; with *ask* each is called, which costs."""
    for function in dict.fromkeys(one.function for one in asked):
        mine = [one for one in asked if one.function == function]
        yield _function(account, found, function, mine, ask, role)


def _function(
    account: Account, found: Held | None, function: str, asked: Sequence[Question], ask: bool, role: str
) -> Finding:
    askers = ", ".join(dict.fromkeys(one.asker for one in asked))
    mends = tuple(_missing_grants(found, function, role)) if found else ()
    try:
        answers = [account.execute(one.sql if ask else f"EXPLAIN {one.sql}") for one in asked]
    except WarehouseError as error:
        return Finding.missing(function, f"{error} (for {askers})", *mends)
    if ask and (told := next(filter(None, map(_failure, asked, answers)), None)):
        is_counting = function == COUNTING  # what it cannot count by is taken by its length
        return (Finding.warning if is_counting else Finding.missing)(function, told, *mends)
    if mends:
        return Finding.missing(function, f"{role} lacks a privilege that calling it takes (for {askers})", *mends)
    how = "answers" if ask else "may be called"
    return Finding.ok(function, f"{how} (for {askers})")


def _failure(question: Question, rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Why the one row that a question got is no answer: a function that fails says so in it, or gives NULL."""
    told = answer = rows[0]["answer"] if rows else None
    if isinstance(answer, str):
        with suppress(ValueError):  # prose is no JSON
            told = json.loads(answer)
    error = str(told.get("error") or "") if isinstance(told, Mapping) else ""
    if answer is not None and not error:
        return None
    by = f" by {question.model}" if question.model else ""
    return f"no answer{by}: {' '.join(error.split())[:_LONGEST_ERROR] or 'NULL'} (for {question.asker})"


def _missing_grants(found: Held, function: str, role: str) -> Iterator[str]:
    if not (found.has("USE AI FUNCTIONS", "ACCOUNT") or found.has(f"USE AI FUNCTION {function}", "ACCOUNT")):
        yield f"GRANT USE AI FUNCTIONS ON ACCOUNT TO ROLE {quoted(role)};"
    small = function not in _AGGREGATES and found.has_database_role("SNOWFLAKE", "AI_FUNCTIONS_USER")
    if not (small or found.has_database_role("SNOWFLAKE", "CORTEX_USER")):
        yield f"GRANT DATABASE ROLE SNOWFLAKE.CORTEX_USER TO ROLE {quoted(role)};"


def models(
    account: Account, found: Held | None, asked: Iterable[Question], fallback: str | None, role: str
) -> Iterator[Finding]:
    """Whether the role may ask each model that a call names, and the fall-back model where one is set."""
    askers: dict[str, list[str]] = {}
    for one in asked:
        if one.model:
            askers.setdefault(one.model, []).append(one.asker)
    if fallback:
        askers.setdefault(fallback, []).append("HNINTEL_CORTEX_FALLBACK_MODEL")
    there = _listed(account)
    allowed = _allowed(account)
    for model, names in askers.items():
        yield _model(model, ", ".join(names), there, allowed, found, role)


def _model(
    model: str,
    askers: str,
    there: Mapping[str, Mapping[str, Any]] | None,
    allowed: frozenset[str] | None,
    found: Held | None,
    role: str,
) -> Finding:
    name = f"model {model}"
    row = (there or {}).get(model.upper())
    if row is not None:
        status, end = str(row.get("lifecycle_status") or "").upper(), row.get("eol_date")
        if status in _GONE:
            told = f"is {status}{f', and ends on {end}' if end else ''}: name another in HNINTEL_CORTEX_MODELS"
            return Finding.warning(name, f"{told} (for {askers})")
        return Finding.ok(name, f"{role} may ask it (for {askers})")
    by_role = found is not None and any(
        found.has_application_role("SNOWFLAKE", f"CORTEX-MODEL-ROLE-{which}") for which in (model.upper(), "ALL")
    )
    if by_role or (allowed and not allowed.isdisjoint({model.lower(), "all"})):
        told = f"{role} may ask it, but the account does not list it: it may not be in this region (for {askers})"
        return Finding.ok(name, f"{role} may ask it (for {askers})") if there is None else Finding.warning(name, told)
    if there is None and allowed is None:
        told = f"the account lists no models, so this could not be told; --ask asks it (for {askers})"
        return Finding.warning(name, told, "CALL SNOWFLAKE.MODELS.CORTEX_BASE_MODELS_REFRESH();")
    grant = f'GRANT APPLICATION ROLE SNOWFLAKE."CORTEX-MODEL-ROLE-{model.upper()}" TO ROLE {quoted(role)};'
    told = (
        f"{role} may not ask it, or the region lacks it: grant it, name another in HNINTEL_CORTEX_MODELS, or set "
        f"HNINTEL_CORTEX_FALLBACK_MODEL (for {askers})"
    )
    return Finding.missing(name, told, grant)


def _listed(account: Account) -> dict[str, Mapping[str, Any]] | None:
    """The models that the role may ask, by name in capitals; None where the account does not say, or lists none."""
    try:
        rows = account.execute("SHOW CORTEX BASE MODELS IN SCHEMA SNOWFLAKE.MODELS")
    except WarehouseError:
        return None
    return {str(row["name"]).upper(): row for row in rows} or None


def _allowed(account: Account) -> frozenset[str] | None:
    """The account's older list of allowed models, in small letters, ``all`` among them; None where it is not there."""
    try:
        rows = account.execute("SHOW PARAMETERS LIKE 'CORTEX_MODELS_ALLOWLIST' IN ACCOUNT")
    except WarehouseError:
        return None
    told = next((str(row["value"] or "") for row in rows), None)
    return None if told is None else frozenset(part.strip().lower() for part in told.split(","))


def usage_views(account: Account, role: str) -> Finding:
    """Whether the views of what was charged can be read, with the columns that are reconciled by; none is read."""
    since = literal("2000-01-01")
    try:
        for name, view in (("cost/billed_ai", AI_VIEW), ("cost/billed_compute", COMPUTE_VIEW)):
            (sql,) = statements(statement(name, view=view))
            account.execute("EXPLAIN " + sql.replace("?", since, 1).replace("?", literal(""), 1))
    except WarehouseError as error:
        mend = f"GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER TO ROLE {quoted(role)};"
        return Finding.warning("usage views", f"what was charged cannot be read: {error}", mend)
    return Finding.ok("usage views", "what Cortex and the warehouses charged can be read")
