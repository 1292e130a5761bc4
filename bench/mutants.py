"""Whether the tests notice a changed operator, number or condition, in a sample of all such changes (mutants).

Cosmic Ray makes the mutants and runs the tests of a part against each, in a copy of the tree::

    python bench/mutants.py [PART ...] [--sample N] [--seed N]

A part is a key of ``TESTS``. Ends with 2 where the tests of a part fail before anything is changed.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cosmic_ray.work_item import MutationSpec, WorkItem

ROOT = Path(__file__).resolve().parent.parent
#: What can be mutated, and the quick tests of each, those that fail soonest first.
TESTS: dict[str, str] = {
    "hnintel/cost": """
        tests/unit/test_amounts.py tests/unit/test_prices.py tests/unit/test_budget_limits.py
        tests/unit/test_billing.py tests/enrichments/test_reported_usage.py tests/enrichments/test_money.py
    """,
    "hnintel/ledger": """
        tests/unit/test_ledger.py tests/unit/test_outbox.py tests/unit/test_dead_letters.py
        tests/partitions/test_leases.py tests/partitions/test_partition_state.py tests/unit/test_checks.py
        tests/unit/test_patience.py
    """,
    "hnintel/enrich": """
        tests/unit/test_enrichment.py tests/enrichments/test_the_loop.py tests/enrichments/test_versions.py
        tests/enrichments/test_a_new_file.py tests/enrichments/test_dbt_models.py
        tests/enrichments/test_kept_answers.py tests/enrichments/test_bad_answers_and_crashes.py
        tests/unit/test_cli_questions.py
    """,
    "hnintel/web/guard.py": """
        tests/unit/test_guard.py tests/security/test_addresses.py tests/unit/test_fetch.py
    """,
}
#: `X | None` in an annotation and `**` before an argument are no operations, though Cosmic Ray takes them for some.
_NO_OPERATOR = re.compile(r"core/ReplaceBinaryOperator_(BitOr|Pow)_")
#: That a dataclass is frozen or has slots is for the type checker.
_NO_LINE = re.compile(r"\s*@dataclass\(")
#: Seconds for the tests of a mutant beyond what they take otherwise, times the second figure: it may loop for ever.
_MARGIN, _TIMES = 20.0, 3.0


@dataclass(frozen=True, slots=True)
class Tested:
    """What became of a mutant: ``outcome`` is killed, survived or incompetent; ``diff`` is its change."""

    place: str
    operator: str
    outcome: str
    diff: str


def main(arguments: Sequence[str]) -> int:
    """Test a sample of the mutants of each part, and print the survivors and a line of counts a part."""
    parser = argparse.ArgumentParser(description="test a sample of the mutants of a part")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(TESTS))
    parser.add_argument("--sample", type=int, default=40, help="mutants of each part at most; 0: all of them")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same sample of the same code")
    chosen = parser.parse_args(arguments)
    for part in chosen.parts:
        if part not in TESTS:
            parser.error(f"{part} is no part: use {', '.join(TESTS)}")
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy_tree(Path(folder))
        with contextlib.chdir(folder):
            return max([run(part, chosen.sample, chosen.seed) for part in chosen.parts or TESTS])


def copy_tree(target: Path) -> None:
    """Copy all files of the checkout that git does not ignore, with their times, and compile them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    for package in ("hnintel", "tasks", "flows", "tests"):
        compileall.compile_dir(target / package, quiet=1)


def run(part: str, sample: int, seed: int) -> int:
    """Test the mutants of *part* in the present folder, a copy of the tree; the exit code."""
    command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider {' '.join(TESTS[part].split())}"
    began = time.monotonic()
    if subprocess.run(command.split(), check=False).returncode:
        print(f"{part}: its tests fail before anything is changed: mend them first", file=sys.stderr)
        return 2
    timeout = (time.monotonic() - began) * _TIMES + _MARGIN
    everything = sorted(mutants(Path(part)), key=_order)
    tested = []
    for mutant in chosen(everything, sample, seed):
        tested.append(test(mutant, command, timeout))
        print(report(tested[-1]), flush=True)
    print(summary(part, tested, len(everything), seed), flush=True)
    return 0


def mutants(part: Path) -> Iterator[WorkItem]:
    """All mutants of the modules of *part*, those left out that no test could or should notice."""
    from cosmic_ray.commands import init
    from cosmic_ray.modules import find_modules
    from cosmic_ray.work_db import WorkDB

    lines = {path: path.read_text(encoding="utf-8").splitlines() for path in find_modules([part])}
    with tempfile.TemporaryDirectory() as folder:
        database = WorkDB(Path(folder) / "mutants.sqlite", WorkDB.Mode.create)
        init(list(lines), database, {})
        items = database.work_items
        database.close()
    for item in items:
        [change] = item.mutations
        line = lines[change.module_path][change.start_pos[0] - 1]
        if not _NO_OPERATOR.match(change.operator_name) and not _NO_LINE.match(line):
            yield item


def _order(item: WorkItem) -> tuple[str, tuple[int, int], str, int]:
    change: MutationSpec = item.mutations[0]
    return str(change.module_path), tuple(change.start_pos), change.operator_name, change.occurrence


def chosen(everything: Sequence[WorkItem], sample: int, seed: int) -> list[WorkItem]:
    """Return *sample* of the mutants in the order of the code; all where *sample* is 0 or larger than their number."""
    if not sample or sample >= len(everything):
        return list(everything)
    return sorted(random.Random(seed).sample(everything, sample), key=_order)


def test(item: WorkItem, command: str, timeout: float) -> Tested:
    """Change the code, run the tests for at most *timeout* seconds, and change the code back."""
    from cosmic_ray.mutating import mutate_and_test

    [change] = item.mutations
    result = mutate_and_test(item.mutations, command, timeout)
    outcome = str(result.test_outcome.value if result.test_outcome else result.worker_outcome.value)
    place = f"{change.module_path}:{change.start_pos[0]}"
    return Tested(place, change.operator_name.removeprefix("core/"), outcome, result.diff or "")


def report(tested: Tested) -> str:
    """A line for the mutant, and the lines that it changed where it was not killed."""
    head = f"{tested.outcome:9} {tested.place} {tested.operator}"
    if tested.outcome == "killed":
        return head
    changed = [line for line in tested.diff.splitlines() if re.match(r"[-+](?![-+])", line)]
    return "\n".join([head, *(f"    {line}" for line in changed)])


def summary(part: str, tested: Iterable[Tested], of: int, seed: int) -> str:
    """Return the counts by outcome as a line."""
    counts = Counter(mutant.outcome for mutant in tested)
    listed = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    return f"{part}: {counts.total()} of {of} mutants (seed {seed}): {listed}"


if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.exit(main(sys.argv[1:]))
