"""Amounts of money by currency; amounts in different currencies are never added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: Snowflake's unit of account; also the currency of usage booked before currencies were recorded.
CREDITS = "credits"
#: Amounts by currency.
Costs = Mapping[str, float]


def together(costs: Iterable[Costs]) -> dict[str, float]:
    """The sum of *costs* by currency, credits first; a currency with a sum of zero is left out."""
    total: dict[str, float] = {}
    for amounts in costs:
        for currency, amount in amounts.items():
            total[currency] = total.get(currency, 0.0) + amount
    return {currency: total[currency] for currency in sorted(total, key=_rank) if total[currency]}


def in_words(costs: Costs, digits: int = 4) -> str:
    """``0.41 credits and 1.2 USD``, each amount with *digits* significant digits; ``0 credits`` for no amounts."""
    paid = {currency: amount for currency, amount in costs.items() if amount} or {next(iter(costs), CREDITS): 0.0}
    return " and ".join(f"{paid[currency]:.{digits}g} {currency}" for currency in sorted(paid, key=_rank))


def _rank(currency: str) -> tuple[bool, str]:
    return currency != CREDITS, currency
