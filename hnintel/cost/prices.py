"""The prices of answers, by model or function, each with the day from which it applies."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hnintel.errors import UsageError, WarehouseError, first_line
from hnintel.settings import Settings
from hnintel.settings.openai import parse_price

BUNDLED = Path(__file__).resolve().parent / "prices.toml"
#: The prefix of the offline engine's models, which run on this machine and are free.
_OFFLINE = "offline-"
#: Stands for the model of a Cortex function that accepts no model name: AI_CLASSIFY, AI_AGG.
CORTEX = "cortex"
_MILLION = 1_000_000


class Price(BaseModel):
    """A price per million tokens, from a day on; for a model, a function without a named model, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    model: str = ""
    function: str = ""
    since: date = Field(alias="from")
    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    currency: str = "credits"

    @model_validator(mode="after")
    def _is_of_something(self) -> Price:
        if not self.model and not self.function:
            raise ValueError("name a model or a function")
        return self

    @property
    def is_free(self) -> bool:
        """Whether the price is zero."""
        return self.input == self.output == 0

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """The cost of so many tokens, in ``currency``."""
        return (input_tokens * self.input + output_tokens * self.output) / _MILLION


_FREE = Price.model_validate({"model": _OFFLINE, "from": date.min, "input": 0, "output": 0})


@dataclass(frozen=True, slots=True)
class PriceList:
    """Every known price; of several that match, the most specific applies, then the latest that has begun.

    Args:
        own: prices of the user, which take precedence.
        bundled: prices of this project.
        is_offline: whether the offline engine answers; an endpoint could name a model ``offline-`` too.
    """

    own: tuple[Price, ...]
    bundled: tuple[Price, ...]
    is_offline: bool = False

    def price(self, function: str, model: str, on: date) -> Price:
        """The price of *function* answered by *model* on a day.

        Raises:
            WarehouseError: no price is known; an unknown price does not count as free.
        """
        if self.is_offline and model.startswith(_OFFLINE):
            return _FREE
        for prices in (self.own, self.bundled):
            matching = [price for price in prices if _fits(price, function, model) and price.since <= on]
            if matching:
                return max(matching, key=lambda price: (bool(price.model) + bool(price.function), price.since))
        by_setting = "" if model == CORTEX else "set HNINTEL_OPENAI_PRICE (0 for a model of your own), or "
        raise WarehouseError(
            f"no price is known for {function} by the model '{model}' on {on}, and unknown is not free: {by_setting}"
            "give it in a file that HNINTEL_PRICES_PATH names; hnintel/cost/prices.toml shows its shape"
        )


def _fits(price: Price, function: str, model: str) -> bool:
    return price.model == (model if price.model or model != CORTEX else "") and price.function in ("", function)


def load_prices(settings: Settings) -> PriceList:
    """Load the bundled prices and, before them, those of the file that the settings name.

    Raises:
        UsageError: the file is missing, or is not a price list.
    """
    path = settings.prices_path
    is_offline = settings.warehouse == "duckdb" and settings.engine == "offline"
    own = _read(path) if path else ()
    return PriceList((*_of_endpoint(settings), *own), _read(BUNDLED), is_offline)


def _of_endpoint(settings: Settings) -> tuple[Price, ...]:
    """The price that ``HNINTEL_OPENAI_PRICE`` gives the endpoint's model, since ever."""
    if settings.warehouse != "duckdb" or settings.openai_price is None or not settings.openai_model:
        return ()
    read, written, currency = parse_price(settings.openai_price)
    price = {"model": settings.openai_model, "from": date.min, "input": read, "output": written, "currency": currency}
    return (Price.model_validate(price),)


@lru_cache(maxsize=8)
def _read(path: Path) -> tuple[Price, ...]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = tables.pop("price", [])
        if tables or not isinstance(entries, list):
            raise UsageError(f"{path}: a price list has only [[price]] tables: remove everything else")
        return tuple(_prices(path, entries))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}, HNINTEL_PRICES_PATH, cannot be read: {first_line(error)}") from None


def _prices(path: Path, entries: Iterable[Any]) -> Iterable[Price]:
    for number, entry in enumerate(entries, 1):
        try:
            yield Price.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "it"
            fault = first["msg"].removeprefix("Value error, ")
            raise UsageError(f"{path}: price {number}: {field}: {fault}") from None
