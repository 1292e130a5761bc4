"""A rule that an enrichment declares for itself: what is wrong with one is told before anything is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hnintel.enrich.declaration import Column, Enrichment, Rule
from hnintel.errors import DeclarationError

TONE = Enrichment(
    "tone",
    doc="The tone.",
    version=1,
    call="AI_CLASSIFY({{ input }}, {{ labels }})",
    columns=(Column("tone", str, "The tone.", one_of=("good", "bad"), path="labels[0]"),),
)
RULE = Rule("tone is short", "length(tone) <= 4")


def test_a_rule_is_no_part_of_the_question_so_that_changing_it_asks_nothing_anew() -> None:
    assert replace(TONE, checks=(RULE,)).fingerprint("m", 100) == TONE.fingerprint("m", 100)


@pytest.mark.parametrize(
    ("checks", "told"),
    [
        (RULE, "checks must be a tuple of Rule; a single rule needs a comma"),
        (("length(tone) <= 4",), "checks must be a tuple of Rule"),
        ((RULE, RULE), "two checks have the same name"),
        ((replace(RULE, name=" "),), "a check has no name; describe the rule"),
        ((replace(RULE, allowed=1),), "check tone is short: allowed must be a share, at least 0 and below 1"),
        ((replace(RULE, holds="length(tone <= 4"),), "the condition of check tone is short is no SQL"),
        ((replace(RULE, holds="TRUE); DROP TABLE raw.items; --"),), "the condition of check tone is short is no SQL"),
    ],
)
def test_a_rule_that_is_declared_wrong_is_told_in_one_sentence(checks: Any, told: str) -> None:
    with pytest.raises(DeclarationError, match=f"^enrichment tone: {told}"):
        replace(TONE, checks=checks)
