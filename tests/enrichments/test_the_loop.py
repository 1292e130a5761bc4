"""The loop that runs an enrichment: which steps it performs, in which order, and what they add up to."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.cost.usage import Enriched
from hnintel.enrich.loop import Chunk, run_steps
from hnintel.errors import QualityError, WarehouseError
from tests.conftest import ROOT

COUNTS = st.integers(0, 50)
CAME = st.builds(lambda good, bad: Enriched(good + bad, good, bad, calls=good + bad), COUNTS, COUNTS)


class Recorded:
    """Steps that give what they were made with, and note that they were performed; one of them may fail."""

    def __init__(self, chunks: list[Enriched], fails: str = "", error: Exception | None = None) -> None:
        self.performed: list[object] = []
        self._chunks, self._fails, self._error = chunks, fails, error

    def _perform(self, step: str, given: object = None) -> None:
        self.performed.append(step if given is None else (step, given))
        if step == self._fails and self._error:
            raise self._error

    async def begin(self) -> int:
        self._perform("begin")
        return 2

    async def ask(self, after: int) -> Chunk | None:
        self._perform("ask", after)
        place = after // 10
        return Chunk(self._chunks[place], 10 * (place + 1)) if place < len(self._chunks) else None

    async def judge(self, total: Enriched) -> None:
        self._perform("judge", total)

    async def end(self) -> int:
        self._perform("end")
        return 3


@given(st.lists(CAME, max_size=6))
def test_each_chunk_is_judged_with_all_before_it_and_the_next_is_asked_behind_its_last_item(
    chunks: list[Enriched],
) -> None:
    steps, reported = Recorded(chunks), []
    total = asyncio.run(run_steps("topic", steps, reported.append))
    sums = [sum(chunks[: place + 1], Enriched(reused=2)) for place in range(len(chunks))]
    asked = [("ask", 10 * place) for place in range(len(chunks) + 1)]
    judged = [("judge", one) for one in sums]
    between = [step for pair in zip(asked, judged, strict=False) for step in pair]
    assert steps.performed == ["begin", *between, asked[-1], "end"]
    assert reported == sums
    assert total == sum(chunks, Enriched(reused=5))


@pytest.mark.parametrize(
    ("fails", "error", "performed"),
    [
        ("begin", WarehouseError("refused"), ["begin"]),
        ("ask", WarehouseError("refused"), ["begin", "ask"]),
        ("judge", QualityError("bad"), ["begin", "ask", "judge"]),
    ],
)
def test_after_a_step_that_fails_no_other_step_is_performed(fails: str, error: Exception, performed: list[str]) -> None:
    steps = Recorded([Enriched(1, 1)], fails, error)
    with pytest.raises(type(error)):
        asyncio.run(run_steps("topic", steps, lambda _: None))
    assert [step if isinstance(step, str) else step[0] for step in steps.performed] == performed  # type: ignore[index]


def test_the_chunks_of_a_day_are_walked_through_in_one_place() -> None:
    """A call of ``judge`` or ``refuse_if_too_bad`` inside a loop would be a second one."""

    def walks(path: Path) -> bool:
        loops = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.While | ast.For)]
        called = {node.attr for loop in loops for node in ast.walk(loop) if isinstance(node, ast.Attribute)}
        return not called.isdisjoint({"ask", "next_chunk"}) and not called.isdisjoint({"judge", "refuse_if_too_bad"})

    files = [path for top in ("hnintel", "tasks", "flows") for path in sorted((ROOT / top).rglob("*.py"))]
    assert [str(path.relative_to(ROOT)) for path in files if walks(path)] == ["hnintel/enrich/loop.py"]
