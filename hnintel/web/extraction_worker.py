"""What the processes of extraction_pool.py run: they take articles out of pages.

Each reads pages from its standard input and answers on its standard output, one for one. Questions and answers are
JSON and bytes, which the functions here make and read: a process that a page has taken over can give the parent text,
and no code. It ends when its input does, which is also when the process that started it is gone, however that went.
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

#: Bytes of address space the process may have; a page that wants more has no article.
_MEMORY = 4 * 2**30
#: Seconds over its limit after which the process ends itself, should nobody be left to end it.
_GRACE = 5


#: What a process sends before its first answer.
READY = b"ready"
#: A byte of a page is at the most one character, which takes six bytes in JSON, in each of text, title and author.
_LONGER, _BESIDE = 6 * 3, 10_000


@dataclass(frozen=True, slots=True)
class Question:
    """A page to read: its text, or bytes with the Content-Type they came with; seconds that it may take."""

    page: str | bytes
    content_type: str
    url: str
    seconds: float


def question(wanted: Question) -> bytes:
    """The message that asks for a page: a line of JSON, and the page."""
    is_text = isinstance(wanted.page, str)
    page = wanted.page.encode("utf-8", "surrogatepass") if isinstance(wanted.page, str) else wanted.page
    head = [is_text, wanted.content_type, wanted.url, wanted.seconds]
    return json.dumps(head).encode() + b"\n" + page


def read_question(message: bytes) -> Question:
    """The question that *message* asks."""
    head, _, page = message.partition(b"\n")
    is_text, content_type, url, seconds = json.loads(head)
    return Question(page.decode("utf-8", "surrogatepass") if is_text else page, content_type, url, seconds)


def answer(found: Extracted) -> bytes:
    """The message that answers."""
    return json.dumps(asdict(found), default=date.isoformat).encode()


def longest_answer(message: bytes) -> int:
    """Bytes that the answer to a question may have; no page has more text in it."""
    return _LONGER * len(message) + _BESIDE


def read_answer(message: bytes) -> Extracted:
    """What *message* answers.

    Raises:
        ValueError: it is no answer.
    """
    try:
        found = json.loads(message)
    except RecursionError:
        raise ValueError("an answer that is nested too deep") from None
    names = [field.name for field in fields(Extracted)]
    if not isinstance(found, dict) or sorted(found) != sorted(names):
        raise ValueError("an answer with other fields than those of an article")
    if not all(value is None or isinstance(value, str) for value in found.values()):
        raise ValueError("an answer with something else than text in it")
    day = found.pop("published_on")
    return Extracted(**found, published_on=None if day is None else date.fromisoformat(day))


def serve(read: Callable[[str, str], Extracted] = extract.article) -> None:
    """Answer (page, content type, url, seconds) with what *read* makes of it, until there is nothing more to read."""
    asked, told = Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # whatever a library prints must not get between the answers
    _prepare()
    with contextlib.suppress(EOFError, BrokenPipeError):  # the one who asks may be gone already, or go at any time
        told.send_bytes(READY)
        while True:
            wanted = read_question(asked.recv_bytes())
            _alarm(math.ceil(wanted.seconds) + _GRACE)
            page = wanted.page
            html = page if isinstance(page, str) else media.to_text(page, wanted.content_type)
            found = read(html, wanted.url)
            _alarm(0)
            told.send_bytes(answer(found))


def _prepare() -> None:
    """Load what the first page would wait for, and bound what a page can take."""
    import trafilatura  # noqa: F401

    logging.disable(logging.CRITICAL)  # parsers quote pages in what they log
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every system can bound it
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, hard))


def _alarm(seconds: int) -> None:
    """Have the system end this process in so many seconds, also from within a parser that never comes back; 0: no."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)
