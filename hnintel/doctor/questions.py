"""The calls of AI functions that a run makes, by enrichment, with a text of three words in place of a story."""

from __future__ import annotations

from dataclasses import dataclass

from hnintel.briefing.sections import ASKER, CLAIMS_PROMPT, CLAIMS_SCHEMA, MODEL, SECTIONS
from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.question import DIGESTING
from hnintel.settings import Settings
from hnintel.warehouse.snowflake.dialect import SnowflakeDialect
from hnintel.warehouse.statements import fenced, literal

COUNTING = "AI_COUNT_TOKENS"
_TEXT = f"(SELECT {literal('A short text.')} AS input) AS pending"


@dataclass(frozen=True, slots=True)
class Question:
    """One call of an AI function.

    Args:
        asker: the enrichment, or the briefing.
        function: the AI function.
        model: the model that the call names; empty where the function takes no model.
        sql: a SELECT with the same call as in a run, over a short text.
    """

    asker: str
    function: str
    model: str
    sql: str


def questions(settings: Settings) -> list[Question]:
    """Return every question of a run on Snowflake.

    Raises:
        DeclarationError: the enrichments cannot be read.
    """
    listed = []
    for enrichment in load_enrichments(settings.enrichments_path).values():
        model = settings.cortex_model(enrichment.name, enrichment.model)
        listed.append(_question(enrichment.name, enrichment.function, model, _detailed(enrichment.render_call(model))))
        if enrichment.input.many:
            listed.append(
                _question(enrichment.name, DIGESTING, "", f"AI_AGG(input, {literal(enrichment.digest_task)})")
            )
    model = settings.cortex_model(ASKER, MODEL)
    prompt, shape = f"{literal(CLAIMS_PROMPT)} || {fenced('input')}", literal({"type": "json", "schema": CLAIMS_SCHEMA})
    complete = f"AI_COMPLETE({literal(model)}, {prompt}, {{'temperature': 0}}, {shape})"
    return [
        *listed,
        _question(ASKER, DIGESTING, "", f"AI_AGG(input, {literal(SECTIONS[0].task)})"),
        _question(ASKER, "AI_COMPLETE", model, _detailed(complete)),
        _question(ASKER, COUNTING, "", f"{COUNTING}('ai_complete', {literal(model)}, input)"),
    ]


def _detailed(call: str) -> str:
    return SnowflakeDialect().with_error_details(call)


def _question(asker: str, function: str, model: str, call: str) -> Question:
    return Question(asker, function, model, f"SELECT {call} AS answer FROM {_TEXT}")
