"""An enrichment as a question to a warehouse: what it would be asked about, the steps that ask it, what names it."""

from __future__ import annotations

from typing import Any

from hnintel.enrich.declaration import Enrichment
from hnintel.settings import Settings
from hnintel.warehouse.base import Step, Warehouse
from hnintel.warehouse.statements import label_tokens, literal, statement, tokens

#: What makes one text of the many that an item can have.
DIGESTING = "AI_AGG"


def max_chars(enrichment: Enrichment, settings: Settings) -> int:
    """To how many characters the texts of an item are cut, all of them together."""
    return settings.discussion_max_chars if enrichment.input.many else settings.input_max_chars


def fingerprint_of(warehouse: Warehouse, enrichment: Enrichment, settings: Settings) -> str:
    """The fingerprint of the question as this warehouse answers it."""
    return enrichment.fingerprint(warehouse.model(enrichment.model, enrichment.name), max_chars(enrichment, settings))


def pending_items(warehouse: Warehouse, enrichment: Enrichment, settings: Settings, limit: int | None) -> str:
    """Selects what is pending, at most *limit* items; parameters as in ``sql/enrich/pending.sql``."""
    return statement("enrich/pending", **_texts(warehouse, enrichment, settings), limit=limit)


def reuse(warehouse: Warehouse, enrichment: Enrichment, settings: Settings) -> str:
    """The statement that gives items the answer to the very same text; the rest is in ``sql/enrich/reuse.sql``."""
    columns = [column.name for column in enrichment.columns]
    return statement("enrich/reuse", **_texts(warehouse, enrichment, settings), columns=columns)


def _texts(warehouse: Warehouse, enrichment: Enrichment, settings: Settings) -> dict[str, Any]:
    return {
        "where": enrichment.where,
        "table": enrichment.table,
        "input": enrichment.input,
        "max_chars": max_chars(enrichment, settings),
        "dialect": warehouse.dialect,
    }


def counting(enrichment: Enrichment, model: str) -> dict[str, str]:
    """The tokens that a call to *model* reads and writes, as expressions for ``sql/cost/count_tokens.sql``."""
    if enrichment.function == "AI_CLASSIFY":
        reads = label_tokens("input", enrichment.labels)
    else:
        reads = tokens(f"{literal(enrichment.overhead)} || input", model)
    return {"reads": reads, "writes": tokens("CAST(answer AS VARCHAR)", model)}


def question(warehouse: Warehouse, enrichment: Enrichment) -> list[Step]:
    """The steps that ask *enrichment* about every item of ``pending``, for ``Warehouse.ask``.

    What comes of them is ``judged``: the columns read out of each answer, ``bad_because`` saying what is amiss with it,
    and the tokens it took.
    """
    dialect, model = warehouse.dialect, warehouse.model(enrichment.model, enrichment.name)
    call = dialect.with_error_details(enrichment.render_call(model))
    usage = {side: dialect.from_json("answer", f"usage.{side}_tokens", "integer") for side in ("input", "output")}
    usage["estimated"] = dialect.from_json("answer", "usage.estimated", "boolean")
    many = enrichment.input.many
    texts = "digested" if many else "(SELECT *, 0 AS digest_read FROM pending) AS pending"
    return [
        *([Step("digested", statement("enrich/digest_lines", task=enrichment.digest_task), "input")] if many else []),
        Step(
            "asked",
            f"SELECT item_id, input, input_hash, input_cut, digest_read, {call} AS answer FROM {texts}",
            "answer",
        ),
        Step("counted", statement("cost/count_tokens", **counting(enrichment, model), usage=usage)),
        Step(
            "judged",
            statement(
                "enrich/judge_answers",
                columns=enrichment.columns,
                dialect=dialect,
                values={column.name: enrichment.value(column, dialect) for column in enrichment.columns},
                absences={column.name: enrichment.absence(column, dialect) for column in enrichment.columns},
                error=dialect.from_json("answer", "error", "text"),
            ),
        ),
    ]
