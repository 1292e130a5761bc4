"""The golden files are the statements that the adapter sends, each in Snowflake's dialect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from tests.warehouse.statements_sent import differences, read_golden, rewrite, statements_sent, unseen


@pytest.mark.slow
def test_the_golden_files_are_the_statements_sent() -> None:
    """If this fails, run python -m tests.warehouse.statements_sent, then read the difference in git."""
    sent = statements_sent()
    assert not unseen(), "add these templates to _RENDERED, or have the story send them"
    assert differences(sent) == []


def test_missing_differing_and_stale_golden_files_are_named(tmp_path: Path) -> None:
    sent = {"select-a": "SELECT 1", "select-b": "SELECT 2", "select-c": "SELECT 3"}
    rewrite(sent, tmp_path)
    assert differences(sent, tmp_path) == []
    (tmp_path / "select-a.sql").unlink()
    (tmp_path / "select-b.sql").write_text("SELECT 4\n", encoding="utf-8")
    (tmp_path / "select-d.sql").write_text("SELECT 5\n", encoding="utf-8")
    assert differences(sent, tmp_path) == ["missing: select-a.sql", "left over: select-d.sql", "differs: select-b.sql"]
    rewrite(sent, tmp_path)
    assert differences(dict(reversed(sent.items())), tmp_path) == ["differs: order.txt"]
    assert differences(sent, tmp_path) == []


def test_every_statement_parses_as_snowflake_sql() -> None:
    found = list(read_golden().values())
    assert len(found) > 100
    for sql in found:
        parsed = sqlglot.parse_one(sql, read="snowflake")
        assert not isinstance(parsed, exp.Command), sql


def test_no_statement_reads_texts_out_of_the_warehouse() -> None:
    """Texts are selected only into temporary tables."""
    asking = [sql for sql in read_golden().values() if re.search(r"\bAI_(CLASSIFY|COMPLETE|AGG)\(", sql)]
    made = [sql for sql in asking if sql.startswith("CREATE OR REPLACE TEMPORARY TABLE")]
    rendered = [sql for sql in asking if sql.startswith(("-- A digest a section", "-- The digests as claims"))]
    assert len(made) >= 5
    assert set(asking) == {*made, *rendered}


def test_every_write_is_bound() -> None:
    """A statement that writes rows has no literal values except those of its SQL file."""
    for sql in read_golden().values():
        if sql.startswith(("INSERT", "UPDATE", "DELETE")) and "ops.lease_turn" not in sql:  # that is a counter
            assert "?" in sql or "incoming_" in sql or "judged" in sql, sql


def test_tokens_are_counted_by_a_named_model_or_by_labels() -> None:
    """Without a model Snowflake returns NULL for AI_COMPLETE; then the length is used."""
    counting = [sql for sql in read_golden().values() if "AI_COUNT_TOKENS(" in sql]
    assert counting
    for sql in counting:
        for call in sqlglot.parse_one(sql, read="snowflake").find_all(exp.Anonymous):
            if call.name.upper() == "AI_COUNT_TOKENS":
                function, second, third = call.expressions
                named = {"ai_complete": second, "ai_classify": third}[function.name]
                assert isinstance(named, exp.Literal | exp.Array), sql
                assert isinstance(call.parent, exp.Coalesce), sql


def test_nothing_is_bound_in_a_view() -> None:
    """Snowflake rejects bound parameters in a view."""
    views = [sql for sql in read_golden().values() if "CREATE OR REPLACE VIEW" in sql]
    assert views
    assert not [sql for sql in views if sqlglot.parse_one(sql, read="snowflake").find(exp.Placeholder)]
