"""``python -m hnintel eval``: score an engine and its enrichments on labelled texts, or compare two versions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hnintel.cost.budget import Estimate
from hnintel.enrich.declaration import Enrichment, load_enrichments
from hnintel.enrich.question import fingerprint_of
from hnintel.errors import HnIntelError, UsageError, did_you_mean
from hnintel.evaluation import report
from hnintel.evaluation.ask import plan, scratch_warehouse
from hnintel.evaluation.compare import compare
from hnintel.evaluation.corpora import read_corpora
from hnintel.evaluation.cost import Books
from hnintel.evaluation.result import Result, as_json, evaluate, read_results
from hnintel.evaluation.sets import LabelledSet, chosen_sets, read_folder
from hnintel.process import stopping
from hnintel.settings import ROOT, Settings, load_settings
from hnintel.warehouse.base import Warehouse

_OWN = Path(__file__).resolve().parent.parent / "labelled"
_DATA = ROOT.parent / "shared" / "data"

#: A set and an enrichment that it judges.
Pair = tuple[LabelledSet, Enrichment]


def eval_(
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="Only this labelled set; may be given several times.")
    ] = None,
    enrichment: Annotated[str | None, typer.Option(help="Only this enrichment.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most this many texts of each set, always the same texts.")
    ] = None,
    enrichments: Annotated[
        Path | None, typer.Option(help="A folder of enrichments (default: HNINTEL_ENRICHMENTS_PATH).")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="Compare with this saved --json output, or with this other folder of enrichments."),
    ] = None,
    labelled: Annotated[
        Path | None, typer.Option(help="A folder of your own labelled sets, *.jsonl, used in place of all others.")
    ] = None,
    data: Annotated[
        Path, typer.Option(envvar="HNINTEL_TEST_DATA", help="A folder of corpora labelled by others, if you have it.")
    ] = _DATA,
    only_plan: Annotated[
        bool, typer.Option("--plan", help="Print what would be asked and its cost; ask nothing.")
    ] = False,
    to_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Score the answers to labelled texts: accuracy, F1, bad answers and cost, which counts against the budgets."""
    settings = load_settings()
    chosen = [labelled_set.sample(limit) for labelled_set in chosen_sets(_sets(labelled, data), sets or [])]
    pairs = _pairs(chosen, load_enrichments(enrichments or settings.enrichments_path), enrichment, bool(sets))
    before = load_enrichments(against) if against and against.is_dir() else None
    earlier = read_results(against) if against and before is None else None
    old_pairs = _pairs(chosen, before, enrichment, named=False) if before else []
    if against:
        _refuse_strangers(pairs, old_pairs, earlier or [])
    with stopping.on_signals_while_asking(), scratch_warehouse(settings) as warehouse:
        new = {_question(warehouse, pair, settings) for pair in pairs}
        to_ask = [*pairs, *(pair for pair in old_pairs if _question(warehouse, pair, settings) not in new)]
        if only_plan:
            _plan(warehouse, to_ask, settings, to_json)
            return
        books = Books(settings)
        with books.reserved(_estimates(warehouse, to_ask, settings)):
            results: list[Result] = []
            try:
                for examples, judged in pairs:
                    results.append(evaluate(warehouse, judged, examples, settings, books))
                if before is not None:
                    earlier = _ask_what_differs(warehouse, old_pairs, results, settings, books)
            except HnIntelError:
                if results:  # they are paid for
                    _tell(results, None, to_json)
                raise
    _tell(results, earlier, to_json)


def _sets(folder: Path | None, data: Path) -> list[LabelledSet]:
    if folder is None:
        return [*read_folder(_OWN), *read_corpora(data)]
    sets = read_folder(folder)
    if not sets:
        raise UsageError(f"{folder} has no labelled set: put a file there, NAME.jsonl")
    return sets


def _pairs(
    sets: Sequence[LabelledSet], enrichments: dict[str, Enrichment], only: str | None, named: bool
) -> list[Pair]:
    """Return each set paired with each enrichment that it labels."""
    if only is not None and only not in enrichments:
        known = f"{', '.join(enrichments)}{did_you_mean(only, enrichments)}"
        raise UsageError(f"no enrichment is named '{only}'; the enrichments are {known}")
    chosen = [enrichment for name, enrichment in enrichments.items() if only in (None, name)]
    pairs = [
        (examples, enrichment) for examples in sets for enrichment in chosen if examples.judged_columns(enrichment)
    ]
    idle = [examples.name for examples in sets if all(examples is not judging for judging, _ in pairs)]
    if not pairs or (named and idle):
        subject = f"set {idle[0]} labels" if idle else "the sets label"
        names = ", ".join(enrichment.name for enrichment in chosen)
        raise UsageError(
            f"{subject} no column of {names}: choose another --set or --enrichment, "
            "or label texts for it (docs/how-to/judge-a-change.md)"
        )
    return pairs


def _ask_what_differs(
    warehouse: Warehouse, pairs: Sequence[Pair], results: Sequence[Result], settings: Settings, books: Books
) -> list[Result]:
    """Return the results of *pairs*, reusing the result of a question that both folders share."""
    known = {(result.set, result.enrichment, result.fingerprint): result for result in results}
    return [
        known.get(_question(warehouse, (examples, enrichment), settings))
        or evaluate(warehouse, enrichment, examples, settings, books)
        for examples, enrichment in pairs
    ]


def _question(warehouse: Warehouse, pair: Pair, settings: Settings) -> tuple[str, str, str]:
    """Return set, enrichment and fingerprint, which determine the answers."""
    examples, enrichment = pair
    return examples.name, enrichment.name, fingerprint_of(warehouse, enrichment, settings)


def _refuse_strangers(pairs: Sequence[Pair], old_pairs: Sequence[Pair], earlier: Sequence[Result]) -> None:
    """Raise UsageError if both sides share no pair, before anything is paid for."""
    old = {(result.set, result.enrichment) for result in earlier} | {
        (examples.name, enrichment.name) for examples, enrichment in old_pairs
    }
    if old.isdisjoint((examples.name, enrichment.name) for examples, enrichment in pairs):
        raise UsageError("nothing can be compared: --against has no set and enrichment in common with this")


def _estimates(warehouse: Warehouse, pairs: Sequence[Pair], settings: Settings) -> list[Estimate]:
    """Estimate the cost of each pair; nothing is counted if no budget is set."""
    if settings.budget_run is settings.budget_day is settings.budget_month is None:
        return []
    planned = [
        (len(examples.examples), plan(warehouse, enrichment, examples, settings)) for examples, enrichment in pairs
    ]
    return [Estimate(rows, cost.input_tokens, cost.output_tokens, cost.cost, cost.currency) for rows, cost in planned]


def _plan(warehouse: Warehouse, pairs: Sequence[Pair], settings: Settings, to_json: bool) -> None:
    planned = []
    for examples, enrichment in pairs:
        cost = plan(warehouse, enrichment, examples, settings)
        planned.append(
            {
                "set": examples.name,
                "enrichment": enrichment.name,
                "model": warehouse.model(enrichment.model, enrichment.name),
                "rows": len(examples.examples),
                "input_tokens": cost.input_tokens,
                "output_tokens": cost.output_tokens,
                "cost": cost.cost,
                "currency": cost.currency,
            }
        )
    print(json.dumps({"plan": planned}) if to_json else "\n".join(report.planned(planned)))


def _tell(results: Sequence[Result], earlier: Sequence[Result] | None, to_json: bool) -> None:
    changes = None if earlier is None else compare(earlier, results)
    if to_json:
        printed = {"results": as_json(results)}
        print(json.dumps(printed if changes is None else printed | {"changes": [asdict(change) for change in changes]}))
        return
    lines = report.summary(results)
    for result in results:
        lines += report.details(result)
    print("\n".join(lines if changes is None else [*lines, *report.changes(changes)]))
