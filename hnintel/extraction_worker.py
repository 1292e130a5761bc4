"""What the processes of extraction_pool.py run: they take articles out of pages.

Each reads pages from its standard input and answers on its standard output, pickled, one for one. It ends when its
input does, which is also when the process that started it is gone, however that went.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection

from hnintel import extract, media
from hnintel.extract import Extracted

#: Bytes of address space the process may have; a page that wants more has no article.
_MEMORY = 4 * 2**30
#: Seconds over its limit after which the process ends itself, should nobody be left to end it.
_GRACE = 5


def serve(read: Callable[[str, str], Extracted] = extract.article) -> None:
    """Answer (page, content type, url, seconds) with what *read* makes of it, until there is nothing more to read."""
    asked, told = Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # whatever a library prints must not get between the answers
    _prepare()
    with contextlib.suppress(EOFError, BrokenPipeError):  # the one who asks may be gone already, or go at any time
        told.send("ready")
        while True:
            page, content_type, url, seconds = asked.recv()
            _alarm(math.ceil(seconds) + _GRACE)
            html = page if isinstance(page, str) else media.to_text(page, content_type)
            found = read(html, url)
            _alarm(0)
            told.send(found)


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
