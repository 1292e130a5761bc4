"""Extracts articles in separate processes, so that a page that hangs or crashes its process fails alone.

The processes start with the first page and serve every chunk of this process. Each has its own pipes, so that a killed
process leaves no lock behind that others wait for; and each is a separate program, not a child that imports the main
module (a flow, with all of Prefect) again. The standard library's and pebble's pools were tried first
(docs/decisions/0006-extraction-processes.md).
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

#: Pages after which a process is replaced, because parsers leak some memory with each.
_PAGES = 5_000
#: Seconds that a process may take to start.
_START = 60.0

_ROOT = Path(__file__).resolve().parents[2]
_SERVE = "from hnintel.web.extraction_worker import serve; serve()"
_COMMAND = (sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(_ROOT)!r}); {_SERVE}")


class ExtractionFailed(Exception):
    """A page's text was not extracted. A retry may help: the machine may have been busy or out of memory."""


class ExtractionTimeout(ExtractionFailed):
    """Extraction exceeded its timeout."""


class ExtractionPool:
    """A pool of extraction processes, started when first needed. Any thread and event loop may use it.

    Args:
        workers: pages extracted at once.
        timeout: seconds that a page may take.
        command: the command of each process.
    """

    def __init__(self, workers: int, timeout: float, command: Sequence[str] = _COMMAND) -> None:
        self._timeout, self._command = timeout, command
        # A thread for each process waits for its answer, and kills it on a timeout.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="extract")
        self._lock = threading.Lock()
        self._to_start = workers
        self._idle: list[_Process] = []

    def start(self) -> None:
        """Start the processes before the first page needs them; does nothing after the first page."""
        with self._lock:
            count, self._to_start = self._to_start, 0
            self._idle += [_Process(self._command) for _ in range(count)]

    async def article(self, page: str | bytes, url: str, content_type: str = "") -> Extracted:
        """Run :func:`hnintel.web.extract.article` in a process; bytes become text by :func:`hnintel.web.media.to_text`.

        Raises:
            ExtractionFailed: the page took too long, or its process died.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._article, page, content_type, url)

    def processes(self) -> list[int]:
        """The ids of the idle processes."""
        with self._lock:
            return [process.id for process in self._idle]

    def close(self) -> None:
        """End the idle processes; the next page starts a new process."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def _article(self, page: str | bytes, content_type: str, url: str) -> Extracted:
        # An idle process may have been killed from outside; if a new process dies too, the page is the cause.
        for is_second in (False, True):
            process = _Process(self._command) if is_second else self._acquire()
            try:
                extracted = process.article(page, content_type, url, self._timeout)
            except TimeoutError:
                process.end()
                raise ExtractionTimeout(f"no text after {self._timeout:g} s") from None
            except (EOFError, OSError, ValueError):
                process.end()
                continue
            self._release(process)
            return extracted
        raise ExtractionFailed("the process that read the page died")

    def _acquire(self) -> _Process:
        with self._lock:
            self._to_start = 0
            if self._idle:
                return self._idle.pop()
        return _Process(self._command)

    def _release(self, process: _Process) -> None:
        if process.pages >= _PAGES:
            process.end()
            return
        with self._lock:
            self._idle.append(process)


class _Process:
    """A running worker process and its pipes."""

    def __init__(self, command: Sequence[str]) -> None:
        # Its own session: only the parent handles Ctrl-C, even while the worker is still importing.
        self._process = subprocess.Popen(  # noqa: S603 - runs our own module
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
        """Extract one page.

        Raises:
            TimeoutError: the page takes longer than *timeout* seconds, not counting startup.
            EOFError, OSError: the process is gone, or its answer is longer than any page's.
            ValueError: the answer is not an article.
        """
        if not self._started:
            self._answer(_START, len(READY))
            self._started = True
        self.pages += 1
        message = question(Question(page, content_type, url, timeout))
        self._to.send_bytes(message)
        return read_answer(self._answer(timeout, longest_answer(message)))

    def end(self) -> None:
        """Kill the process and close its pipes."""
        self._process.kill()
        self._process.wait()
        self._to.close()
        self._from.close()

    def _answer(self, timeout: float, longest: int) -> bytes:
        if not self._from.poll(timeout):
            raise TimeoutError
        rest = threading.Timer(timeout, self._process.kill)  # ends an answer that stops half way
        rest.daemon = True
        rest.start()
        try:
            return self._from.recv_bytes(longest)
        finally:
            rest.cancel()


_pools: dict[tuple[int, float], ExtractionPool] = {}
_pools_lock = threading.Lock()


def shared_pool(workers: int, timeout: float) -> ExtractionPool:
    """This process' pool for these arguments, closed at exit."""
    with _pools_lock:
        if (workers, timeout) not in _pools:
            pool = ExtractionPool(workers, timeout)
            atexit.register(pool.close)
            _pools[workers, timeout] = pool
        return _pools[workers, timeout]
