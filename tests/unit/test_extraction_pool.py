"""Pages that take for ever, or kill the process that reads them, cost themselves and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.web.extract import Extracted, article
from hnintel.web.extraction_pool import ExtractionFailed, ExtractionPool, ExtractionTimeout, shared_pool
from hnintel.web.extraction_worker import Question, answer, longest_answer, question, read_answer, read_question
from tests.security.loopback import page

ROOT = Path(__file__).resolve().parents[2]
#: Takes trafilatura minutes: a quarter of a million paragraphs, none closed.
ENDLESS = "<p>hello world there" * 250_000


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractionPool]:
    made = ExtractionPool(2, 2.0)
    yield made
    made.close()


async def test_it_gives_what_extraction_in_this_process_gives(pool: ExtractionPool) -> None:
    assert await pool.article(page(), "https://a.example/") == article(page(), "https://a.example/")


async def test_its_processes_can_be_started_before_the_first_page_and_then_serve_it() -> None:
    made = ExtractionPool(2, 2.0)
    try:
        made.start()
        made.start()
        early = made.processes()
        assert len(early) == 2
        await asyncio.gather(*(made.article(page(), "") for _ in range(4)))
        made.start()
        assert sorted(made.processes()) == sorted(early)
    finally:
        made.close()


async def test_a_page_that_takes_too_long_costs_its_limit_and_the_others_are_read(pool: ExtractionPool) -> None:
    pages = [page(), ENDLESS, page(), page(), page()]
    read = await asyncio.gather(*(pool.article(html, "") for html in pages), return_exceptions=True)
    assert isinstance(read[1], ExtractionTimeout)
    assert str(read[1]) == "no text after 2 s"
    assert [one for number, one in enumerate(read) if number != 1] == [article(page(), "")] * 4


async def test_a_process_that_is_killed_is_replaced_and_its_page_read_again(pool: ExtractionPool) -> None:
    await asyncio.gather(*(pool.article(page(), "") for _ in range(4)))
    busy = pool.processes()
    assert busy
    reading = [asyncio.create_task(pool.article(page(60_000), "")) for _ in range(2)]
    await asyncio.sleep(0.1)
    for process in busy:
        os.kill(process, signal.SIGKILL)
    for task in reading:
        assert (await task).text
    assert (await pool.article(page(), "")).text


async def test_a_process_that_is_killed_while_it_waits_is_replaced(pool: ExtractionPool) -> None:
    for _ in range(5):
        await asyncio.gather(*(pool.article(page(), "") for _ in range(4)))
        for process in pool.processes():
            os.kill(process, signal.SIGKILL)
        read = await asyncio.gather(*(pool.article(page(), "") for _ in range(4)))
        assert [one.text for one in read] == [article(page(), "").text] * 4


def _worker(read: str) -> list[str]:
    """A process of the pool that reads pages by the function *read* names."""
    imports = "import os; from hnintel.web.extract import Extracted; from hnintel.web.extraction_worker import serve"
    code = f"{imports}; serve({read})"
    return [sys.executable, "-c", code]


async def test_a_page_that_kills_every_process_that_reads_it_is_given_up() -> None:
    pool = ExtractionPool(1, 10, _worker("lambda html, url: os._exit(9)"))
    with pytest.raises(ExtractionFailed, match="the process that read the page died") as raised:
        await pool.article(page(), "")
    assert not isinstance(raised.value, ExtractionTimeout)


def _taken_over(answer: str) -> list[str]:
    """A process of the pool that a page has taken over: once it has read the page it does *answer* with ``told``."""
    code = f"""
import os, pickle, time
from multiprocessing.connection import Connection
asked, told = Connection(0, writable=False), Connection(1, readable=False)
told.send_bytes(b"ready")
asked.recv_bytes()
{answer}
time.sleep(60)
"""
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b'{"text": "alone"}',
        b"[" * 90_000,
        json.dumps({**asdict(Extracted("text")), "more": 1}).encode(),
        json.dumps({**asdict(Extracted("text")), "text": ["no", "text"]}).encode(),
        json.dumps({**asdict(Extracted("text")), "published_on": "no day"}).encode(),
    ],
    ids=lambda reply: str(reply[:20]),
)
async def test_an_answer_that_is_no_article_costs_its_page_alone(reply: bytes) -> None:
    sent = repr(reply) if len(reply) < 1000 else f"{reply[:1]!r} * {len(reply)}"
    pool = ExtractionPool(1, 10, _taken_over(f"told.send_bytes({sent})"))
    with pytest.raises(ExtractionFailed, match="the process that read the page died"):
        await pool.article(page(), "")
    assert pool.processes() == []


async def test_code_that_a_process_answers_with_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    pool = ExtractionPool(
        1,
        10,
        _taken_over(f"""
class Attack:
    def __reduce__(self):
        return os.mkdir, ({str(mark)!r},)
told.send(Attack())
"""),
    )
    with pytest.raises(ExtractionFailed):
        await pool.article(page(), "")
    assert not mark.exists()


async def test_an_answer_longer_than_any_of_its_page_is_not_taken() -> None:
    pool = ExtractionPool(1, 10, _taken_over("told.send_bytes(b'x' * 100_000_000)"))
    with pytest.raises(ExtractionFailed):
        await pool.article("short", "")


async def test_an_answer_that_does_not_come_to_its_end_is_given_up() -> None:
    pool = ExtractionPool(1, 0.5, _taken_over("os.write(1, b'\\x00\\x00\\x10\\x00begun')"))
    with pytest.raises(ExtractionFailed):
        await pool.article(page(), "")


@given(
    st.builds(Question, st.text() | st.binary(), st.text(), st.text(), st.floats(allow_nan=False, allow_infinity=False))
)
def test_what_a_process_is_asked_arrives_as_it_was_asked(asked: Question) -> None:
    assert read_question(question(asked)) == asked


@given(st.text(st.characters(codec="utf-8")), st.none() | st.text(st.characters(codec="utf-8")), st.none() | st.dates())
def test_what_a_process_answers_arrives_as_it_was_answered_and_within_its_length(
    text: str, title: str | None, day: date | None
) -> None:
    found = Extracted(text, title=title, published_on=day)
    assert read_answer(answer(found)) == found
    same = Extracted(text, title=text, author=text)
    assert len(answer(same)) <= longest_answer(question(Question(text.encode("utf-16"), "", "", 1.0)))
    assert len(answer(same)) <= longest_answer(question(Question(text, "", "", 1.0)))


async def test_what_a_library_prints_does_not_get_between_the_answers() -> None:
    noisy = "lambda html, url: print('noise') or os.write(1, b'more') and Extracted(html)"
    pool = ExtractionPool(1, 10, _worker(noisy))
    assert [await pool.article(str(number), "") for number in range(3)] == [Extracted(str(n)) for n in range(3)]
    pool.close()


async def test_after_it_was_closed_the_next_page_starts_it_again() -> None:
    pool = ExtractionPool(1, 10)
    assert (await pool.article(page(), "")).text
    pool.close()
    assert (await pool.article(page(), "")).text
    pool.close()
    pool.close()


def test_a_process_whose_parent_is_gone_before_it_is_ready_ends_without_a_word() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "from hnintel.web.extraction_worker import serve; serve()"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.close()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0


async def test_its_processes_inherit_no_secret_and_still_read_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("SNOWFLAKE_PASSWORD", "HNINTEL_OPENAI_API_KEY", "PREFECT_API_AUTH_STRING", "UNKNOWN_TO_THIS_PROJECT")
    for name in secrets:
        monkeypatch.setenv(name, "a-secret-of-the-test")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    made = ExtractionPool(1, 10.0)
    try:
        assert await made.article(page(), "") == article(page(), "")
        (process,) = made.processes()
        inherited = Path(f"/proc/{process}/environ").read_bytes().decode().rstrip("\0").split("\0")
    finally:
        made.close()
    assert "LC_ALL=C.UTF-8" in inherited
    assert f"PATH={os.environ['PATH']}" in inherited
    assert [one for one in inherited if "a-secret-of-the-test" in one] == []


def test_ctrl_c_in_the_terminal_is_not_for_its_processes() -> None:
    made = ExtractionPool(1, 2.0)
    try:
        made.start()
        (process,) = made.processes()
        assert os.getpgid(process) != os.getpgid(0)
    finally:
        made.close()


def test_threads_with_event_loops_of_their_own_share_it(pool: ExtractionPool) -> None:
    texts: list[str | None] = []

    def chunk() -> None:
        texts.append(asyncio.run(pool.article(page(), "")).text)

    threads = [threading.Thread(target=chunk) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert texts == [article(page(), "").text] * 6


def test_the_same_bounds_are_the_same_pool_in_a_process() -> None:
    assert shared_pool(2, 5.0) is shared_pool(2, 5.0)
    assert shared_pool(2, 5.0) is not shared_pool(2, 6.0)


@pytest.mark.parametrize("end", ["return", "sys.exit(3)", "os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)"])
@pytest.mark.slow  # a program with processes, four times
def test_however_the_program_ends_its_processes_end_and_they_never_ran_its_main_module(
    end: str, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(f"""
        import asyncio, os, signal, sys
        sys.path.insert(0, {str(ROOT)!r})
        print("main", flush=True)

        async def read(pool):
            found = await asyncio.gather(*(pool.article({page(60_000)!r}, "") for _ in range(4)))
            assert all(one.text for one in found)

        def main():
            from hnintel.web.extraction_pool import shared_pool
            pool = shared_pool(2, 30.0)
            asyncio.run(read(pool))
            print(*pool.processes(), flush=True)
            {end}

        if __name__ == "__main__":
            main()
        """)
    )
    # stdout goes to a file: a process that stays behind would hold a pipe open, and hide in the test's own waiting
    out = tmp_path / "out"
    with out.open("w") as told:
        subprocess.run([sys.executable, str(program)], stdout=told, stderr=told, timeout=60, cwd=tmp_path)
    lines = out.read_text().splitlines()
    assert lines.count("main") == 1, lines
    processes = [int(word) for word in lines[1].split()]
    assert len(processes) == 2
    _wait_until_gone(processes)


def _wait_until_gone(processes: list[int]) -> None:
    left = processes
    for _ in range(200):
        left = [process for process in left if _alive(process)]
        if not left:
            return
        time.sleep(0.1)
    raise AssertionError(f"still running: {left}")


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
