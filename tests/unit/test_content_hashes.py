"""Hashes of contents: what was hashed by an earlier version of the code has the same hash today."""

from __future__ import annotations

import ast
import hashlib
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.hashes import hash_of_bytes, hash_of_text, hash_of_values
from tests.conftest import ROOT

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(PLAIN)
def test_plain_values_are_hashed_as_json_in_ascii(values: object) -> None:
    assert hash_of_values(values) == hashlib.md5(json.dumps(values).encode(), usedforsecurity=False).hexdigest()


def test_hashes_that_a_warehouse_keeps_stay_what_they_are() -> None:
    assert hash_of_values([1, "é", {"b": None, "a": [0.5, True]}]) == "37029fc87940f657d1b6c08ba29a0cb0"
    assert hash_of_values({"b": 1, "a": date(2026, 10, 22)}, sort_keys=True, default=str) == (
        "b788bfb4caccf087014ead3bf5b7b3d5"
    )
    assert hash_of_text("What a story says — in full") == "252c7f079c39e108f3913bfdcb081dd1"


@given(st.lists(st.binary(), max_size=5))
def test_parts_are_hashed_as_if_they_were_one(parts: list[bytes]) -> None:
    assert hash_of_bytes(*parts) == hash_of_bytes(b"".join(parts))


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_a_text_is_hashed_in_utf_8(text: str) -> None:
    assert hash_of_text(text) == hash_of_bytes(text.encode("utf-8"))


def test_the_order_of_keys_is_left_out_where_that_is_asked_for() -> None:
    one, other = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert hash_of_values(one, sort_keys=True) == hash_of_values(other, sort_keys=True)
    assert hash_of_values(one) != hash_of_values(other)


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(UnicodeEncodeError):
        hash_of_text("\ud800")


def test_contents_are_hashed_by_this_module_alone() -> None:
    found = [
        str(path.relative_to(ROOT))
        for top in ("deployments", "flows", "tasks", "hnintel")
        for path in sorted((ROOT / top).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "md5"
    ]
    assert found == ["hnintel/hashes.py"]
