"""The program of the extraction processes (extraction_pool.py), which extract articles from pages.

Each process reads pages from standard input and writes an answer for each to standard output. Messages are JSON and
bytes, encoded and decoded here: a process that a page has taken over can send the parent text, but no code. The
process ends when its input ends, and so also when its parent is gone for any reason.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import date
from multiprocessing.connection import Connection

from hnintel.web import extract, media
from hnintel.web.extract import Extracted
from hnintel.web.pdf import MOST_CHARS

#: The most bytes of address space; a page that needs more counts as a page without an article.
_MEMORY = 4 * 2**30
#: Seconds past a page's limit after which the process ends itself, in case its parent is gone.
_GRACE = 5


#: The message that a process sends before its first answer.
READY = b"ready"
#: Bounds of an answer: a byte of a page is at most a character, which takes six bytes of JSON, in text, title, author;
#: a compressed file may have more text than bytes.
_ANSWER_FACTOR, _ANSWER_OVERHEAD = 6 * 3, 20_000 + 6 * MOST_CHARS


@dataclass(frozen=True, slots=True)
class Question:
    """A page to extract: its text, or bytes with their Content-Type; ``seconds`` that it may take."""

    page: str | bytes
    content_type: str
    url: str
    seconds: float


def question(request: Question) -> bytes:
    """Encode a question: a line of JSON, then the page."""
    is_text = isinstance(request.page, str)
    page = request.page.encode("utf-8", "surrogatepass") if isinstance(request.page, str) else request.page
    head = [is_text, request.content_type, request.url, request.seconds]
    return json.dumps(head).encode() + b"\n" + page


def read_question(message: bytes) -> Question:
    """Decode a question."""
    head, _, page = message.partition(b"\n")
    is_text, content_type, url, seconds = json.loads(head)
    return Question(page.decode("utf-8", "surrogatepass") if is_text else page, content_type, url, seconds)


def answer(extracted: Extracted) -> bytes:
    """Encode an answer as JSON."""
    return json.dumps(asdict(extracted), default=date.isoformat).encode()


def longest_answer(message: bytes) -> int:
    """The most bytes of an answer to the encoded question *message*; no page has more text."""
    return _ANSWER_FACTOR * len(message) + _ANSWER_OVERHEAD


def read_answer(message: bytes) -> Extracted:
    """Decode an answer.

    Raises:
        ValueError: *message* is not an answer.
    """
    try:
        values = json.loads(message)
    except RecursionError:
        raise ValueError("an answer that is nested too deep") from None
    names = [field.name for field in fields(Extracted)]
    if not isinstance(values, dict) or sorted(values) != sorted(names):
        raise ValueError("an answer with other fields than those of an article")
    if not all(value is None or isinstance(value, str) for value in values.values()):
        raise ValueError("an answer with something else than text in it")
    day = values.pop("published_on")
    return Extracted(**values, published_on=None if day is None else date.fromisoformat(day))


def serve(read: Callable[[str, str], Extracted] = extract.article) -> None:
    """Answer each question from standard input with the article that *read* extracts, until the input ends."""
    questions, answers = Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # output that a library prints must not mix with the answers
    _prepare()
    with contextlib.suppress(EOFError, BrokenPipeError):  # the parent may be gone already, or go at any time
        answers.send_bytes(READY)
        while True:
            received = read_question(questions.recv_bytes())
            _alarm(math.ceil(received.seconds) + _GRACE)
            page = received.page
            if isinstance(page, bytes) and media.binary(page, received.content_type) == media.PDF:
                extracted = extract.pdf(page, received.seconds / 2)
            else:
                html = page if isinstance(page, str) else media.to_text(page, received.content_type)
                extracted = read(html, received.url)
            _alarm(0)
            answers.send_bytes(answer(extracted))


def _prepare() -> None:
    """Import the extraction library before the first page, and bound the memory."""
    import trafilatura  # noqa: F401

    logging.disable(logging.CRITICAL)  # parsers quote pages in their logs
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every system has this limit
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, hard))


def _alarm(seconds: int) -> None:
    """Have the system kill this process after *seconds*, even inside a parser that never returns; 0 cancels."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)
