"""An enrichment as a question to a warehouse: its pending items, its steps and its fingerprint."""

from __future__ import annotations

from typing import Any

from hnintel.enrich.declaration import Enrichment
from hnintel.settings import Settings
from hnintel.warehouse.base import Step, Warehouse
from hnintel.warehouse.statements import label_tokens, literal, statement, tokens

#: The function that digests the many texts of an item into one.
DIGESTING = "AI_AGG"


def max_chars(enrichment: Enrichment, settings: Settings) -> int:
    """The most characters of an item's texts together; longer input is cut."""
    return settings.discussion_max_chars if enrichment.input.many else settings.input_max_chars


def fingerprint_of(warehouse: Warehouse, enrichment: Enrichment, settings: Settings) -> str:
    """The fingerprint of the question as this warehouse answers it."""
    return enrichment.fingerprint(warehouse.model(enrichment.model, enrichment.name), max_chars(enrichment, settings))


def pending_items(warehouse: Warehouse, enrichment: Enrichment, settings: Settings, limit: int | None) -> str:
    """The statement that selects at most *limit* pending items; parameters as in ``sql/enrich/pending.sql``."""
    return statement("enrich/pending", **_texts(warehouse, enrichment, settings), limit=limit)


def reuse(warehouse: Warehouse, enrichment: Enrichment, settings: Settings) -> str:
    """The statement that copies answers to items with the same text; parameters as in ``sql/enrich/reuse.sql``."""
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
    """SQL expressions of the tokens that a call to *model* reads and writes, for ``sql/cost/count_tokens.sql``."""
    if enrichment.function == "AI_CLASSIFY":
        reads = label_tokens("input", enrichment.labels)
    else:
        reads = tokens(f"{literal(enrichment.overhead)} || input", model)
    return {"reads": reads, "writes": tokens("CAST(answer AS VARCHAR)", model)}


def question(warehouse: Warehouse, enrichment: Enrichment) -> list[Step]:
    """The steps that ask *enrichment* about every item of ``pending``, for ``Warehouse.ask``.

    The last step makes ``judged``: the columns of each answer, ``bad_because`` (why the answer is bad, else null), and
    its tokens.
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
            enrichment.most_tokens,
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
