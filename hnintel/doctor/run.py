"""Every check that the settings call for, in the order in which a run would meet the problems."""

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
    """Check what a run with *settings* needs; yield each finding as soon as it is known.

    Args:
        ask: whether to send each AI function, or the endpoint, a short question, which may cost money.
        prefect_api_url: the URL of Prefect's API, if it is set.
    """
    yield machine.python()
    yield machine.home(settings)
    yield machine.disk(settings)
    declared = machine.enrichments(settings)
    yield declared
    calls = questions(settings) if declared.outcome != "missing" else []
    yield machine.prefect(prefect_api_url)
    yield machine.dbt(settings)
    if settings.warehouse == "snowflake":
        yield machine.prices(
            settings, [(question.function, question.model or CORTEX) for question in calls if _is_paid(question)]
        )
        from hnintel.doctor.snowflake.examine import examine as examine_account

        yield from examine_account(settings, calls, ask)
        return
    yield embedded.warehouse_file(settings.warehouse_file)
    yield embedded.schema_version(settings.warehouse_file)
    engine = embedded.engine(settings, ask)
    yield engine
    yield _prices_here(settings, calls)


def _prices_here(settings: Settings, calls: list[Question]) -> Finding:
    """Check the prices of the embedded warehouse, where the same model answers all questions."""
    try:
        model = open_engine(settings).model("")
    except HnIntelError as error:
        return Finding.skipped("prices", f"there is no engine to price: {error}")
    return machine.prices(settings, [(question.function, model) for question in calls if _is_paid(question)])


def _is_paid(question: Question) -> bool:
    """Counting tokens costs nothing beyond the warehouse."""
    return question.function != "AI_COUNT_TOKENS"
