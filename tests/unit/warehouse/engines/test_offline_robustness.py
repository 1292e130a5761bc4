"""That any text gets an answer, the same one every time, and soon."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hnintel.engines.base import TEXT_CLOSES, TEXT_OPENS, Answer, Label
from hnintel.engines.offline import OfflineEngine

SENTIMENTS = [Label("positive"), Label("neutral"), Label("negative"), Label("mixed")]
SUBJECTS = [Label("databases", "storage, SQL"), Label("security", "breaches"), Label("other")]
ARRAY = {"type": "array"}
SCHEMA = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("companies", "products", "people", "technologies", "funding_amounts", "claims"), ARRAY),
        "summary": {"type": "string"},
        "tone": {"type": "string", "enum": ["positive", "negative"]},
    },
}
TASKS = ("themes", "launches", "trends", "anything", None)
HOSTILE = [
    "\x00" * 1_000 + "a",
    "A " * 50_000,
    "(" * 100_000,
    "A. " * 30_000,
    "[1" * 50_000,
    "[1, " * 25_000,
    "$1,111,111," * 9_000,
    " " * 100_000 + "x",
    "\n" * 100_000 + "x",
    '"' * 100_000,
    "Alpha, the " + "big " * 25_000,
    "by Jan van de van de " * 4_500,
    "Foo 1.1.1.1" * 9_000,
    " — " * 30_000,
    "[pdf] " * 15_000,
    "\ud800" * 1_000,
    "😀" * 25_000,
    "データベース。" * 12_000,
]


def everything(engine: OfflineEngine, text: str) -> list[Answer]:
    prompt = f"Summarize this.\n{TEXT_OPENS}{text}{TEXT_CLOSES}"
    return [
        *engine.classify([text], SENTIMENTS, {}),
        *engine.classify([f"A title\n\n{text}"], SUBJECTS, {"output_mode": "multi"}),
        *engine.complete("any", [prompt], {}, SCHEMA),
        *engine.complete("any", [prompt], {}, None),
        *(engine.aggregate([text, f"[1] {text}", "[2] A title — It was said."], task) for task in TASKS),
    ]


def assert_answered(answers: list[Answer]) -> None:
    for answer in answers:
        assert (answer.value is None) != (answer.error is None)
        assert "failed" not in (answer.error or "")


@given(st.text(max_size=400))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_answered(text: str) -> None:
    engine = OfflineEngine()
    assert_answered(everything(engine, text))
    assert engine.count_tokens(text) >= 0


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_takes_long(text: str) -> None:
    engine = OfflineEngine()
    everything(engine, "Load the libraries. This is a sentence about databases.")
    start = time.perf_counter()
    assert_answered(everything(engine, text))
    assert time.perf_counter() - start < 2


@given(
    st.dictionaries(
        st.text(max_size=12), st.none() | st.booleans() | st.dictionaries(st.text(max_size=5), st.text(max_size=5))
    )
)
@settings(max_examples=40, deadline=None)
def test_any_schema_is_answered(properties: dict[str, object]) -> None:
    prompt = f"Do it.\n{TEXT_OPENS}A title\n\nA sentence about a database.{TEXT_CLOSES}"
    assert_answered(OfflineEngine().complete("any", [prompt, None], {}, {"type": "object", "properties": properties}))


def test_threads_get_the_answers_that_one_alone_gets() -> None:
    engine = OfflineEngine()
    texts = [
        f"Postgres {n} released\n\nMarlpit Labs raised ${n}M, said Anna Lindqvist. It is great." for n in range(20)
    ]
    alone = [everything(engine, text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: everything(engine, text), texts)) == alone


@pytest.mark.slow
def test_answers_do_not_hang_on_the_order_of_hashes() -> None:
    script = (
        "from hnintel.engines.offline import OfflineEngine\n"
        "things = ['Postgres', 'Rust', 'Zig 2.0', 'DuckDB']\n"
        "lines = [f'[{n}] {thing} — It is about {thing} and Kafka.' for n, thing in enumerate(things)]\n"
        "for task in ('themes', 'trends', 'launches', None): print(OfflineEngine().aggregate(lines, task))\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_importing_the_engine_loads_no_heavy_library() -> None:
    script = "import sys, hnintel.engines.offline as _; print('sklearn' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "False False"


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("hello world", 2, 3),
        ("internationalization", 2, 6),
        ("x = foo(bar[0], 12345)\n", 10, 18),
        ("数据库", 2, 4),
    ],
)
def test_tokens_are_counted_about_as_tokenizers_do(text: str, least: int, most: int) -> None:
    assert least <= OfflineEngine().count_tokens(text) <= most
