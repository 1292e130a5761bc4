"""The sums that companies raise, in a uniform spelling: ``$42 million`` and ``$42M`` are both ``$42M``."""

from __future__ import annotations

import re

_AMOUNT = re.compile(
    r"(?P<currency>US\$|[$€£])\s?(?P<number>\d{1,3}(?:,\d{3}){1,4}|\d{1,6}(?:\.\d{1,2})?)"
    r"(?:\s?(?P<unit>[kKmMbB]n?\b|thousand\b|million\b|billion\b))?"
)
_UNITS = {"k": "K", "thousand": "K", "m": "M", "mn": "M", "million": "M", "b": "B", "bn": "B", "billion": "B"}
_RAISING = re.compile(
    r"\b(?:rais(?:e|es|ed|ing)|round|seed|series [a-f]|fund(?:ing|ed)|invest(?:s|ed|ments?|ors?)?|financing|grants?)\b",
    re.IGNORECASE,
)
#: Sums next to a round that are not the round: the company's value, revenue or debt.
_VALUED = re.compile(
    r"(?:valu\w{1,8}(?: of| at)?|worth|revenue of|sales of|fined?|debt of)\s?(?:about |over |nearly )?$", re.IGNORECASE
)
_WORTH = re.compile(
    r"\s?(?:(?:\w{3,4}-money )?valuation|in (?:annual )?(?:revenue|sales|ARR|debt|fines)|ARR|a (?:month|year|seat))",
    re.IGNORECASE,
)
_NEAR = 80


def funding_amounts(sentences: list[str]) -> list[str]:
    """Return the amounts raised, in order, without duplicates."""
    return list(dict.fromkeys(amount for sentence in sentences for amount in _raised_in(sentence)))


def _raised_in(sentence: str) -> list[str]:
    amounts = []
    for match in _AMOUNT.finditer(sentence):
        before, after = (
            sentence[max(0, match.start() - _NEAR) : match.start()],
            sentence[match.end() : match.end() + _NEAR],
        )
        if _RAISING.search(before + after) and not _VALUED.search(before) and not _WORTH.match(after):
            unit = _UNITS.get((match["unit"] or "").lower(), "")
            amounts.append(f"{match['currency'].removeprefix('US')}{match['number']}{unit}")
    return amounts
