"""Events as they are declared: what is sent to people is text and nothing else, what a machine goes by is untouched."""

from __future__ import annotations

import json
from datetime import date

import pytest

from hnintel.events import BudgetReached, CheckFailed, DayRequested, RunFailed

DAY = date(2026, 10, 22)
LOUD = "/d/<!channel> <https://evil.example|click here>\r\n\x00\x1b[31m\u202e of it\ud800"
QUIET = "/d/‹!channel› ‹https://evil.example|click here›  [31m of it"


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (BudgetReached(flow="daily", run_id="1", told=LOUD).payload, "told"),
        (RunFailed(flow="daily", run_id="1", state="Failed", error="ValueError", told=LOUD).payload, "told"),
        (RunFailed(flow="daily", run_id="1", state="Failed", error=LOUD).payload, "error"),
        (CheckFailed(day=DAY, run_id="1", check="keys", blocking=True, detail=LOUD).payload, "detail"),
    ],
)
def test_what_is_for_people_calls_nobody_leads_nowhere_and_is_one_line(payload: dict[str, str], field: str) -> None:
    assert payload[field] == QUIET
    json.dumps(payload, ensure_ascii=False).encode()


def test_a_source_stays_as_it_was_given() -> None:
    source = "replay:/d/<a> b.ndjson"
    assert DayRequested(day=DAY, source=source).payload["source"] == source
