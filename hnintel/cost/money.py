"""Amounts of money by currency: what is in several currencies is never one sum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: What Snowflake sells, and what amounts are in that were booked before a currency was.
CREDITS = "credits"
#: Amounts by currency.
Costs = Mapping[str, float]


def together(costs: Iterable[Costs]) -> dict[str, float]:
    """All of *costs*, added up by currency; a currency of which nothing was paid is left out."""
    total: dict[str, float] = {}
    for one in costs:
        for currency, amount in one.items():
            total[currency] = total.get(currency, 0.0) + amount
    return {currency: total[currency] for currency in sorted(total, key=_rank) if total[currency]}


def in_words(costs: Costs, digits: int = 4) -> str:
    """``0.41 credits and 1.2 USD``, each amount to so many significant *digits*; of nothing, ``0 credits``."""
    paid = {currency: amount for currency, amount in costs.items() if amount} or {next(iter(costs), CREDITS): 0.0}
    return " and ".join(f"{paid[currency]:.{digits}g} {currency}" for currency in sorted(paid, key=_rank))


def _rank(currency: str) -> tuple[bool, str]:
    return currency != CREDITS, currency
