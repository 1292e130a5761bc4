"""Articles taken out of pages in processes of their own: a page that takes for ever, or crashes, costs only itself.

The processes are started with the first page and serve every chunk of the process that reads. Each has pipes of its
own, so that one that is killed at any moment leaves no lock behind that the others wait for; and each is a program of
its own, not a child that imports the main module (a flow, with all of Prefect) again. The standard library's and
pebble's pools were tried first (docs/decisions/0006-extraction-processes.md).
"""

from __future__ import annotations

import asyncio
import atexit
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

from hnintel.settings import environment_without_secrets
from hnintel.web.extract import Extracted
from hnintel.web.extraction_worker import READY, Question, longest_answer, question, read_answer

#: Pages after which a process is replaced: parsers keep some memory of each.
_PAGES = 5_000
#: Seconds that a process may take to start.
_START = 60.0

_ROOT = Path(__file__).resolve().parents[2]
_SERVE = "from hnintel.web.extraction_worker import serve; serve()"
_COMMAND = (sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(_ROOT)!r}); {_SERVE}")


class ExtractionFailed(Exception):
    """A page's text was not taken out. Another try may help: the machine may have been busy, or out of memory."""


class ExtractionTimeout(ExtractionFailed):
    """It took longer than it may."""


class ExtractionPool:
    """So many processes, started when first needed. Any thread and event loop may use it.

    Args:
        workers: how many pages are worked on at once.
        timeout: seconds that one page may take.
        command: what each process runs.
    """

    def __init__(self, workers: int, timeout: float, command: Sequence[str] = _COMMAND) -> None:
        self._timeout, self._command = timeout, command
        # A thread a process: it waits for the answer, and knows how to end a process that has none.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="extract")
        self._lock = threading.Lock()
        self._to_start = workers
        self._idle: list[_Process] = []

    def start(self) -> None:
        """Start the processes before the first page is there to wait for them; once it was, this does nothing."""
        with self._lock:
            count, self._to_start = self._to_start, 0
            self._idle += [_Process(self._command) for _ in range(count)]

    async def article(self, page: str | bytes, url: str, content_type: str = "") -> Extracted:
        """What :func:`hnintel.web.extract.article` gives; bytes become text by :func:`hnintel.web.media.to_text`.

        Raises:
            ExtractionFailed: it took too long, or its process died.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._article, page, content_type, url)

    def processes(self) -> list[int]:
        """The ids of the processes that wait for a page."""
        with self._lock:
            return [process.id for process in self._idle]

    def close(self) -> None:
        """End the processes that wait for a page; the next page starts a new one."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def _article(self, page: str | bytes, content_type: str, url: str) -> Extracted:
        # One that waited may have been killed from outside; a page that kills a new one as well does it itself.
        for anew in (False, True):
            process = _Process(self._command) if anew else self._take()
            try:
                found = process.article(page, content_type, url, self._timeout)
            except TimeoutError:
                process.end()
                raise ExtractionTimeout(f"no text after {self._timeout:g} s") from None
            except (EOFError, OSError, ValueError):
                process.end()
                continue
            self._give_back(process)
            return found
        raise ExtractionFailed("the process that read the page died")

    def _take(self) -> _Process:
        with self._lock:
            self._to_start = 0
            if self._idle:
                return self._idle.pop()
        return _Process(self._command)

    def _give_back(self, process: _Process) -> None:
        if process.pages >= _PAGES:
            process.end()
            return
        with self._lock:
            self._idle.append(process)


class _Process:
    """One running worker and the pipes to it."""

    def __init__(self, command: Sequence[str]) -> None:
        # A session of its own: Ctrl-C is the parent's to answer, also while this one still loads what it needs.
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            env=environment_without_secrets(),  # a hostile page may take the process over
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        assert self._process.stdout is not None  # noqa: S101
        self._to = Connection(os.dup(self._process.stdin.fileno()), readable=False)
        self._from = Connection(os.dup(self._process.stdout.fileno()), writable=False)
        self._process.stdin.close()
        self._process.stdout.close()
        self._started = False
        self.pages = 0

    @property
    def id(self) -> int:
        """The process id."""
        return self._process.pid

    def article(self, page: str | bytes, content_type: str, url: str, timeout: float) -> Extracted:
        """Have one page read.

        Raises:
            TimeoutError: it takes longer than *timeout*, starting up apart.
            EOFError, OSError: the process is gone, or answers at a length that no page has.
            ValueError: it answers with something else than an article.
        """
        if not self._started:
            self._answer(_START, len(READY))
            self._started = True
        self.pages += 1
        asked = question(Question(page, content_type, url, timeout))
        self._to.send_bytes(asked)
        return read_answer(self._answer(timeout, longest_answer(asked)))

    def end(self) -> None:
        """Kill it, whatever it is doing; nothing of it is worth keeping."""
        self._process.kill()
        self._process.wait()
        self._to.close()
        self._from.close()

    def _answer(self, timeout: float, longest: int) -> bytes:
        if not self._from.poll(timeout):
            raise TimeoutError
        rest = threading.Timer(timeout, self._process.kill)  # an answer that was begun and does not come to its end
        rest.daemon = True
        rest.start()
        try:
            return self._from.recv_bytes(longest)
        finally:
            rest.cancel()


_pools: dict[tuple[int, float], ExtractionPool] = {}
_pools_lock = threading.Lock()


def shared_pool(workers: int, timeout: float) -> ExtractionPool:
    """The pool of this process for these bounds, closed when the process ends."""
    with _pools_lock:
        if (workers, timeout) not in _pools:
            pool = ExtractionPool(workers, timeout)
            atexit.register(pool.close)
            _pools[workers, timeout] = pool
        return _pools[workers, timeout]
