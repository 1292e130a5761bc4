"""What an answer costs: which price holds on a day, and what is no price list."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hnintel.cost.prices import CORTEX, load_prices
from hnintel.errors import UsageError, WarehouseError
from hnintel.settings import Settings

TODAY = date(2026, 11, 20)


def listed(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    return Settings(prices_path=path)


def test_what_runs_here_costs_nothing() -> None:
    price = load_prices(Settings()).price("AI_COMPLETE", "offline-1", TODAY)
    assert price.is_free
    assert price.cost(1_000_000, 1_000_000) == 0.0


@pytest.mark.parametrize("elsewhere", [Settings(engine="openai"), Settings(warehouse="snowflake")])
def test_a_model_of_somebody_else_is_not_free_for_being_named_like_ours(elsewhere: Settings) -> None:
    with pytest.raises(WarehouseError, match="no price is known for AI_COMPLETE by the model 'offline-1'"):
        load_prices(elsewhere).price("AI_COMPLETE", "offline-1", TODAY)


def test_an_unknown_price_is_not_taken_for_none() -> None:
    with pytest.raises(WarehouseError, match=r"no price is known for AI_COMPLETE by the model 'mystery' on 2026-11-20"):
        load_prices(Settings()).price("AI_COMPLETE", "mystery", TODAY)


def test_a_million_tokens_cost_what_the_list_says() -> None:
    price = load_prices(Settings()).price("AI_COMPLETE", "claude-haiku-4-5", TODAY)
    assert (price.cost(1_000_000, 0), price.cost(0, 1_000_000)) == (0.6, 3.0)


def test_the_price_is_that_of_the_day_it_is_asked_for() -> None:
    prices = load_prices(Settings())
    assert prices.price("AI_AGG", CORTEX, date(2026, 9, 7)).input == 1.6
    assert prices.price("AI_AGG", CORTEX, date(2026, 9, 8)).input == 1.85
    with pytest.raises(WarehouseError):
        prices.price("AI_AGG", CORTEX, date(2025, 12, 31))


def test_a_function_of_an_unnamed_model_is_no_price_for_a_named_one() -> None:
    with pytest.raises(WarehouseError):
        load_prices(Settings()).price("AI_CLASSIFY", "gpt-of-someone-else", TODAY)


def test_own_prices_come_before_the_bundled_ones_and_the_most_particular_first(tmp_path: Path) -> None:
    own = load_prices(
        listed(
            tmp_path,
            '[[price]]\nmodel = "claude-haiku-4-5"\nfrom = 2020-01-01\ninput = 7\noutput = 8\n'
            '[[price]]\nmodel = "claude-haiku-4-5"\nfunction = "AI_CLASSIFY"\n'
            "from = 2020-01-01\ninput = 9\noutput = 9\n"
            '[[price]]\nmodel = "local"\nfrom = 2020-01-01\ninput = 0\noutput = 0\ncurrency = "USD"\n',
        )
    )
    assert own.price("AI_COMPLETE", "claude-haiku-4-5", TODAY).input == 7
    assert own.price("AI_CLASSIFY", "claude-haiku-4-5", TODAY).input == 9
    assert own.price("AI_COMPLETE", "local", TODAY).is_free
    assert own.price("AI_AGG", CORTEX, TODAY).input == 1.85


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("price = 3", "a price list has"),
        ("[other]\na = 1", "a price list has"),
        ("[[price", "cannot be read"),
        ("[[price]]\nfrom = 2026-01-01\ninput = 1\noutput = 1", "price 1: it: name a model or a function"),
        ('[[price]]\nmodel = "a"\ninput = 1\noutput = 1', "price 1: from: Field required"),
        ('[[price]]\nmodel = "a"\nfrom = 2026-01-01\ninput = -1\noutput = 1', "price 1: input: "),
        ('[[price]]\nmodel = "a"\nfrom = 2026-01-01\ninput = nan\noutput = 1', "price 1: input: "),
    ],
)
def test_what_is_no_price_list_is_refused_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_prices(listed(tmp_path, text))
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml, HNINTEL_PRICES_PATH, cannot be read"):
        load_prices(Settings(prices_path=tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("given", "price"),
    [
        ("0", (0, 0, "USD")),
        ("0.15,0.6", (0.15, 0.6, "USD")),
        (" 1 , 2 , EUR ", (1, 2, "EUR")),
        ("0,0", (0, 0, "USD")),
    ],
)
def test_the_price_of_an_endpoint_can_be_a_setting(given: str, price: tuple[float, float, str]) -> None:
    settings = Settings(engine="openai", openai_model="mine", openai_price=given)
    found = load_prices(settings).price("AI_COMPLETE", "mine", date(2026, 11, 20))
    assert (found.input, found.output, found.currency) == price
    with pytest.raises(WarehouseError, match="set HNINTEL_OPENAI_PRICE"):
        load_prices(settings).price("AI_COMPLETE", "another", date(2026, 11, 20))


@pytest.mark.parametrize("given", ["", "free", "1", "-1,2", "1,inf", "nan,1", "1,2,USD,3", "1;2"])
def test_what_is_no_price_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(ValueError, match=r"0\.15,0\.6,USD"):
        Settings(engine="openai", openai_model="mine", openai_price=given)
