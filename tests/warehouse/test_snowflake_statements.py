"""The golden file of statements: it is what the adapter sends, each of them in Snowflake's dialect."""

from __future__ import annotations

import re

import pytest
import sqlglot
from sqlglot import exp

from tests.warehouse.statements_sent import GOLDEN, golden, read_golden, statements_sent, unseen


@pytest.mark.slow
def test_the_golden_file_is_what_is_sent() -> None:
    """Where this fails, read the difference, then: python -m tests.warehouse.statements_sent."""
    sent = statements_sent()
    assert not unseen(), "add these files to _RENDERED, or what sends them to the story"
    assert golden(sent) == GOLDEN.read_text(encoding="utf-8")


def test_every_statement_is_sql_of_snowflake() -> None:
    found = list(read_golden())
    assert len(found) > 100
    for sql in found:
        parsed = sqlglot.parse_one(sql, read="snowflake")
        assert not isinstance(parsed, exp.Command), sql


def test_no_statement_reads_text_out_of_the_warehouse_to_ask_about_it() -> None:
    """What is asked about is named in temporary tables alone; nothing selects it but into one."""
    asking = [sql for sql in read_golden() if re.search(r"\bAI_(CLASSIFY|COMPLETE|AGG)\(", sql)]
    made = [sql for sql in asking if sql.startswith("CREATE OR REPLACE TEMPORARY TABLE")]
    rendered = [sql for sql in asking if sql.startswith(("-- A digest a section", "-- The digests as claims"))]
    assert len(made) >= 5
    assert set(asking) == {*made, *rendered}


def test_every_write_is_bound() -> None:
    """No value stands in a statement that writes rows, but for those that its file has."""
    for sql in read_golden():
        if sql.startswith(("INSERT", "UPDATE", "DELETE")) and "ops.lease_turn" not in sql:  # that is a counter
            assert "?" in sql or "incoming_" in sql or "judged" in sql, sql


def test_tokens_are_counted_by_a_named_model_or_by_labels() -> None:
    """Without a model Snowflake gives NULL for AI_COMPLETE; where it gives that anyway, the length stands in."""
    counting = [sql for sql in read_golden() if "AI_COUNT_TOKENS(" in sql]
    assert counting
    for sql in counting:
        for call in sqlglot.parse_one(sql, read="snowflake").find_all(exp.Anonymous):
            if call.name.upper() == "AI_COUNT_TOKENS":
                function, second, third = call.expressions
                named = {"ai_complete": second, "ai_classify": third}[function.name]
                assert isinstance(named, exp.Literal | exp.Array), sql
                assert isinstance(call.parent, exp.Coalesce), sql


def test_nothing_is_bound_in_a_view() -> None:
    """Snowflake refuses that."""
    views = [sql for sql in read_golden() if "CREATE OR REPLACE VIEW" in sql]
    assert views
    assert not [sql for sql in views if sqlglot.parse_one(sql, read="snowflake").find(exp.Placeholder)]
