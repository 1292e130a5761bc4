"""SQL out of files, literals and names: what goes in comes out, and what could break out is refused."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.engines.base import TEXT_CLOSES, TEXT_OPENS
from hnintel.errors import DeclarationError
from hnintel.warehouse.statements import fenced, identifier, literal, names_in, render, statement, statements

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\\\x00"))


def value(sql: str, *params: Any) -> Any:
    return duckdb.execute(f"SELECT {sql}", list(params)).fetchall()[0][0]


@given(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | TEXT | st.floats(allow_nan=False, allow_infinity=False)
)
def test_a_literal_is_read_as_its_value(given: Any) -> None:
    found = value(literal(given))
    assert (float(found) == pytest.approx(given)) if isinstance(given, float) else (found == given)


@given(st.lists(TEXT, min_size=1))
def test_a_list_is_read_as_its_values(given: list[str]) -> None:
    assert value(literal(given)) == given


def test_an_object_is_read_as_its_parts() -> None:
    given = {"type": "json", "schema": {"label": "it's", "of": ["a", "b"]}}
    assert value(literal(given)) == given


def test_a_backslash_is_refused_because_the_engines_read_it_differently() -> None:
    with pytest.raises(DeclarationError, match="leave it out"):
        literal("a\\nb")


def test_what_has_no_literal_is_refused() -> None:
    with pytest.raises(TypeError, match="no SQL literal for object"):
        literal(object())


@pytest.mark.parametrize("name", ["topic", "a_1", "_a", "enriched.topic"])
def test_a_plain_name_is_taken(name: str) -> None:
    assert identifier(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "Topic", "1a", "a-b", 'a"b', "a b", "a.b.c", "a;drop", "é", "a\n", "select", "enriched.table", "from.a"],
)
def test_a_name_that_needs_quotes_is_refused(name: str) -> None:
    with pytest.raises(DeclarationError):
        identifier(name)


@given(
    st.lists(st.sampled_from([TEXT_OPENS, TEXT_CLOSES, "<", ">", "/", "text", "te", "xt", " ", "x", "'"])).map("".join)
)
def test_a_fenced_text_cannot_close_its_fence(text: str) -> None:
    sent = value(fenced("x.t") + " FROM (SELECT CAST(? AS VARCHAR) AS t) AS x", text)
    inside = sent.removeprefix(TEXT_OPENS).removesuffix(TEXT_CLOSES)
    assert sent == TEXT_OPENS + inside + TEXT_CLOSES
    assert TEXT_OPENS not in inside
    assert TEXT_CLOSES not in inside
    if TEXT_OPENS not in text and TEXT_CLOSES not in text:
        assert inside == text


def test_a_value_that_is_not_filled_in_is_refused() -> None:
    with pytest.raises(DeclarationError, match="cannot be rendered: 'prompt' is undefined"):
        render("AI_COMPLETE({{ prompt }})", model="m")
    with pytest.raises(Exception, match="undefined"):
        statement("enrich/pending")


def test_what_a_call_wants_is_known_before_it_is_filled_in() -> None:
    assert names_in("AI_CLASSIFY({{ input }}, {{ labels }}, {'a': 1})") == {"input", "labels"}
    assert names_in("{{ broken") == set()


def test_a_script_is_its_statements_without_comments() -> None:
    assert statements("-- first; not this\nSELECT 1;\n\nSELECT 2 -- two\n;\n") == ["SELECT 1", "SELECT 2"]
