"""An enrichment as a question to a warehouse: what it would be asked about, the steps that ask it, what names it."""

from __future__ import annotations

from hnintel.enrichment import Enrichment
from hnintel.settings import Settings
from hnintel.warehouse.base import Step, Warehouse
from hnintel.warehouse.statements import statement

#: What makes one text of the many that an item can have.
DIGESTING = "AI_AGG"


def max_chars(enrichment: Enrichment, settings: Settings) -> int:
    """To how many characters the texts of an item are cut, all of them together."""
    return settings.discussion_max_chars if enrichment.input.many else settings.input_max_chars


def fingerprint_of(warehouse: Warehouse, enrichment: Enrichment, settings: Settings) -> str:
    """The fingerprint of the question as this warehouse answers it."""
    return enrichment.fingerprint(warehouse.model(enrichment.model, enrichment.name), max_chars(enrichment, settings))


def pending_items(warehouse: Warehouse, enrichment: Enrichment, settings: Settings, limit: int | None) -> str:
    """The statement that selects what is pending, of at most *limit* items; ``sql/pending.sql`` says its parameters."""
    return statement(
        "pending",
        where=enrichment.where,
        table=enrichment.table,
        input=enrichment.input,
        max_chars=max_chars(enrichment, settings),
        limit=limit,
        dialect=warehouse.dialect,
    )


def question(warehouse: Warehouse, enrichment: Enrichment) -> list[Step]:
    """The steps that ask *enrichment* about every item of ``pending``, for ``Warehouse.ask``.

    What comes of them is ``judged``: the columns read out of each answer, ``bad_because`` saying what is amiss with it,
    and the tokens it took.
    """
    dialect = warehouse.dialect
    call = dialect.with_error_details(enrichment.render_call(warehouse.model(enrichment.model, enrichment.name)))
    usage = {side: dialect.from_json("answer", f"usage.{side}_tokens", "integer") for side in ("input", "output")}
    many = enrichment.input.many
    texts = "digested" if many else "(SELECT *, 0 AS digest_read FROM pending) AS pending"
    return [
        *([Step("digested", statement("digest", task=enrichment.digest_task))] if many else []),
        Step("asked", f"SELECT item_id, input, input_hash, input_cut, digest_read, {call} AS answer FROM {texts}"),
        Step(
            "counted",
            statement("count_tokens", function=enrichment.function, overhead=enrichment.overhead, usage=usage),
        ),
        Step(
            "judged",
            statement(
                "judge",
                columns=enrichment.columns,
                values={column.name: enrichment.value(column, dialect) for column in enrichment.columns},
                absences={column.name: enrichment.absence(column, dialect) for column in enrichment.columns},
                error=dialect.from_json("answer", "error", "text"),
            ),
        ),
    ]
