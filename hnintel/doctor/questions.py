"""What a run asks of the AI functions: each question by who asks it, with a text of three words in place of a story."""

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
        function: that is called.
        model: that is named in the call; empty where the function takes none.
        sql: one SELECT with the very call of a run over a short text.
    """

    asker: str
    function: str
    model: str
    sql: str


def questions(settings: Settings) -> list[Question]:
    """Every question of a run on Snowflake.

    Raises:
        DeclarationError: the enrichments cannot be read.
    """
    found = []
    for one in load_enrichments(settings.enrichments_path).values():
        model = settings.cortex_model(one.name, one.model)
        found.append(_question(one.name, one.function, model, _detailed(one.render_call(model))))
        if one.input.many:
            found.append(_question(one.name, DIGESTING, "", f"AI_AGG(input, {literal(one.digest_task)})"))
    model = settings.cortex_model(ASKER, MODEL)
    prompt, shape = f"{literal(CLAIMS_PROMPT)} || {fenced('input')}", literal({"type": "json", "schema": CLAIMS_SCHEMA})
    complete = f"AI_COMPLETE({literal(model)}, {prompt}, {{'temperature': 0}}, {shape})"
    return [
        *found,
        _question(ASKER, DIGESTING, "", f"AI_AGG(input, {literal(SECTIONS[0].task)})"),
        _question(ASKER, "AI_COMPLETE", model, _detailed(complete)),
        _question(ASKER, COUNTING, "", f"{COUNTING}('ai_complete', {literal(model)}, input)"),
    ]


def _detailed(call: str) -> str:
    return SnowflakeDialect().with_error_details(call)


def _question(asker: str, function: str, model: str, call: str) -> Question:
    return Question(asker, function, model, f"SELECT {call} AS answer FROM {_TEXT}")
