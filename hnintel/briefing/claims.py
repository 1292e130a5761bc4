"""What is kept of the claims that came back for a section: bounded, and only as far as the cited stories bear them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hnintel.briefing.evidence import Evidence
from hnintel.warehouse.control_characters import without_controls

#: Of one section: six are asked for.
CLAIMS_AT_MOST = 12
#: Of one claim; further ones are left out.
IDS_AT_MOST = 20
#: Of a claim's text, which is asked for as one sentence.
CHARACTERS_AT_MOST = 1_000
#: Claims of one section that may cite the same story, and those that may rest on it alone; further ones are refused.
_CLAIMS_A_STORY, _CLAIMS_ON_ONE = 3, 2
#: Citations that stories did not bear, from which on an answer that comes down to one story is a bad one: whatever
#: that story says, it is not what the others say.
_LOST_CITATIONS = 3
#: Characters of an answer that is read at all.
_ANSWER_AT_MOST = 500_000
#: Claims of one answer that are looked at.
_READ_AT_MOST = 200


@dataclass(slots=True)
class Held:
    """The claims of a section that are kept, each ``{"section", "text", "ids"}``, and how many were refused.

    ``bad`` is why the whole answer is a bad one, of which nothing is kept.
    """

    kept: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0
    bad: str | None = None


def claims_of(answer: str | None) -> list[Any] | None:
    """What an answer's envelope holds as claims, of whatever shape; None where it holds none, or is too long."""
    if answer is not None and len(answer) > _ANSWER_AT_MOST:
        return None
    try:
        claims = json.loads(answer or "null")["value"]["claims"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return claims if isinstance(claims, list) else None


def hold(section: str, answer: str | None, evidence: Evidence) -> Held:
    """What is kept of the *answer* for *section*."""
    claims = claims_of(answer)
    if claims is None:
        return Held(bad="the answer holds no claims")
    held, cited, alone, lost = Held(), Counter[int](), Counter[int](), 0
    for claim in claims[:_READ_AT_MOST]:
        text = without_controls(claim["text"]).strip() if _has_shape(claim) else ""
        known = [number for number in dict.fromkeys(claim["ids"]) if number in evidence.stories] if text else []
        borne = evidence.supporting(text, known) if len(text) <= CHARACTERS_AT_MOST else []
        ids = borne[:IDS_AT_MOST]
        if evidence.foreign_names(text, ids):
            borne = ids = []
        lost += len(known) - len(borne)
        is_full = len(held.kept) == CLAIMS_AT_MOST
        if not ids or is_full or _is_one_too_many(ids, cited, alone):
            continue
        held.kept.append({"section": section, "text": text, "ids": ids})
        cited.update(ids)
        alone.update(ids if len(ids) == 1 else ())
    held.refused = len(claims) - len(held.kept)
    if (lost and not held.kept) or (lost >= _LOST_CITATIONS and len(cited) == 1):
        return Held(refused=len(claims), bad="the answer's claims do not speak of the stories that they cite")
    return held


def _is_one_too_many(ids: list[int], cited: Counter[int], alone: Counter[int]) -> bool:
    """Whether a story bears its share of claims already.

    The claim then goes whole: without that citation it would stand on the others, which may not say it.
    """
    rests_on_one = len(ids) == 1 and alone[ids[0]] >= _CLAIMS_ON_ONE
    return rests_on_one or any(cited[number] >= _CLAIMS_A_STORY for number in ids)


def _has_shape(claim: object) -> bool:
    return (
        isinstance(claim, dict)
        and isinstance(claim.get("text"), str)
        and isinstance(claim.get("ids"), list)
        and all(isinstance(number, int) and not isinstance(number, bool) for number in claim["ids"])
    )
