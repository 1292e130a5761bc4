"""Every check that the settings ask for, in the order in which a run would meet them."""

from __future__ import annotations

from collections.abc import Iterator

from hnintel.cost.prices import CORTEX
from hnintel.doctor import embedded, machine
from hnintel.doctor.finding import Finding
from hnintel.doctor.questions import Question, questions
from hnintel.engines import open_engine
from hnintel.errors import HnIntelError
from hnintel.settings import Settings


def examine(settings: Settings, ask: bool = False, prefect_api_url: str | None = None) -> Iterator[Finding]:
    """What is there and what is missing for a run with *settings*; each finding as soon as it is known.

    Args:
        ask: whether to ask each AI function, or the endpoint, one short question; it may cost.
        prefect_api_url: where Prefect's server is, if one is set.
    """
    yield machine.python()
    yield machine.home(settings)
    yield machine.disk(settings)
    declared = machine.enrichments(settings)
    yield declared
    asked = questions(settings) if declared.outcome != "missing" else []
    yield machine.prefect(prefect_api_url)
    yield machine.dbt(settings)
    if settings.warehouse == "snowflake":
        yield machine.prices(settings, [(one.function, one.model or CORTEX) for one in asked if _is_paid(one)])
        from hnintel.doctor.snowflake.examine import examine as examine_account

        yield from examine_account(settings, asked, ask)
        return
    yield embedded.warehouse_file(settings.warehouse_file)
    yield embedded.schema_version(settings.warehouse_file)
    found = embedded.engine(settings, ask)
    yield found
    yield _prices_here(settings, asked)


def _prices_here(settings: Settings, asked: list[Question]) -> Finding:
    """One model answers all questions here."""
    try:
        model = open_engine(settings).model("")
    except HnIntelError as error:
        return Finding.skipped("prices", f"no engine to be priced: {error}")
    return machine.prices(settings, [(one.function, model) for one in asked if _is_paid(one)])


def _is_paid(question: Question) -> bool:
    """Counting tokens costs nothing beyond the warehouse."""
    return question.function != "AI_COUNT_TOKENS"
