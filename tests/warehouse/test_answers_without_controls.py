"""No text read from an answer contains a control character, on any warehouse and engine."""

from __future__ import annotations

import json
import unicodedata
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hnintel.warehouse.base import Warehouse
from hnintel.warehouse.control_characters import BREAKS, CONTROLS, code_points, without_controls
from tests.warehouse.test_warehouse_protocol import read_json

_BIDI = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
_MARKS = "\u061c\u200e\u200f"
#: Soft hyphen, zero-width space, word joiner and its kin, byte order mark, tags; not the joiners of Persian and emoji.
_UNSEEN = {0xAD, 0x200B, *range(0x2060, 0x2070), 0xFEFF, *range(0xE0000, 0xE0080)}
#: Any text, controls more often than chance would have them; no half of a surrogate pair, which JSON cannot hold.
_TEXTS = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("\x00\t\n\x1b\x7f\x85\x9b\u061c\u200f\u2028\u202e\u2066\u200b\u200d\U000e0041'\"\\$")
)


def test_the_table_has_every_control_every_character_of_direction_and_what_hides() -> None:
    told = {
        code
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in ("Cc", "Zl", "Zp")
        or unicodedata.bidirectional(chr(code)) in _BIDI
        or chr(code) in _MARKS
        or code in _UNSEEN
    }
    assert sorted(told) == sorted(code_points(BREAKS) + code_points(CONTROLS))


def test_every_control_is_left_out_of_an_answer_and_what_ends_a_line_is_a_blank(warehouse: Warehouse) -> None:
    every = "".join(map(chr, [*range(0x3000), *range(0xFE00, 0xFF00), *range(0xE0000, 0xE0100)]))
    answer = json.dumps({"value": {"one": every, "all": [every, "b\r\nc"]}})
    assert read_json(warehouse, answer, "value.one", "text") == without_controls(every)
    assert _as_list(read_json(warehouse, answer, "value.all", "list")) == [without_controls(every), "b  c"]
    assert not any(unicodedata.category(char) == "Cc" for char in without_controls(every))


def test_emoji_and_persian_keep_their_joiners(warehouse: Warehouse) -> None:
    family, wish = "\U0001f469\u200d\U0001f4bb\ufe0f", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    told = read_json(warehouse, json.dumps({"value": {"one": family + wish}}), "value.one", "text")
    assert told == family + wish


@settings(max_examples=25, deadline=timedelta(minutes=1), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_TEXTS, max_size=4))
def test_both_warehouses_clean_any_text_in_the_same_way(warehouse: Warehouse, texts: list[str]) -> None:
    whole = "".join(texts)
    answer = json.dumps({"value": {"one": whole, "all": texts}, "error": None})
    assert read_json(warehouse, answer, "value.one", "text") == without_controls(whole)
    assert _as_list(read_json(warehouse, answer, "value.all", "list")) == [without_controls(text) for text in texts]


def _as_list(kept: object) -> object:
    """Parse an ARRAY, which Snowflake's connector returns as JSON."""
    return json.loads(kept) if isinstance(kept, str) else kept
