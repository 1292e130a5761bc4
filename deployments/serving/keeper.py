"""Run a command that ends when the process that started this one ends, for whatever reason.

Called as ``python -m deployments.serving.keeper HOLD COMMAND``.

Standard input is a pipe from that process, which the system closes when it ends. The processes that the command has
started end as well: Prefect's worker gives each run its own session, which signals to the worker's group do not reach.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from flows.local.spoken_wait import aloud
from hnintel.warehouse.duckdb.lock import HeldElsewhere, Hold

#: Seconds that the processes have to end by themselves, before they are killed.
END_WITHIN = 30.0
#: Seconds until the processes of a killed `make serve` are gone too: the worker, and after it the server.
GONE_WITHIN = 2 * END_WITHIN + 15
_LOOKED_EVERY = 0.2
#: Linux (prctl): descendants that lose their parent become children of this process, not of process 1.
_SET_CHILD_SUBREAPER = 36


class _Command:
    """The command, and the processes that it leaves behind."""

    def __init__(self, command: list[str]) -> None:
        self._first = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - the command of serve.py
        self._code: int | None = None
        self._terminated: set[int] = set()
        self._deadline = float("inf")

    @property
    def has_ended(self) -> bool:
        """Whether the command itself has ended."""
        return self._code is not None

    @property
    def code(self) -> int:
        """The exit code of the command, as a shell reports it."""
        code = self._code or 0
        return code if code >= 0 else 128 - code

    def reap(self) -> bool:
        """Reap the processes that have ended; return False if none is left."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._first.pid:
                    self._first.returncode = self._code = os.waitstatus_to_exitcode(ended[1])
            return True
        return False

    def end(self) -> None:
        """Terminate each process once; kill them after ``END_WITHIN`` seconds. Call this until no process is left."""
        self._deadline = min(self._deadline, time.monotonic() + END_WITHIN)
        late = time.monotonic() >= self._deadline
        for pid in self._children():  # the next call finds the children of a process that ends
            if late or pid not in self._terminated:
                self._terminated.add(pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)

    def _children(self) -> Iterator[int]:
        try:
            listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8")
        except OSError:  # not Linux: processes that the command leaves behind are not found
            if self._code is None:
                yield self._first.pid
            return
        yield from map(int, listed.split())


def main(hold: Path, command: list[str]) -> int:
    """Run *command* until it ends, or the process that started this one ends; return its exit code.

    Args:
        hold: locked meanwhile (``<hold>.lock``), so that the next start can wait until this process has ended.
        command: what to run.
    """
    _adopt()
    signals: list[int] = []

    def record(number: int, frame: FrameType | None) -> None:
        signals.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):  # an ignored signal would be ignored by the command too
        signal.signal(number, record)
    lock = Hold(hold)
    if holder := _still_held(lock, lambda: bool(signals) or _is_over(_LOOKED_EVERY)):
        print(f"error: {hold}.lock is held by {holder}: end that process", file=sys.stderr)
        return 2
    process = _Command(command)
    while process.reap():
        if signals or process.has_ended or _is_over(_LOOKED_EVERY):
            process.end()
            time.sleep(_LOOKED_EVERY)
    lock.give_back()
    return process.code


def _still_held(hold: Hold, is_given_up: Callable[[], bool]) -> str:
    """Lock *hold* within GONE_WITHIN seconds, unless *is_given_up*; return the holder if it was not locked, else ""."""
    deadline = time.monotonic() + GONE_WITHIN
    with aloud(f"waiting for the earlier process to end, at most {GONE_WITHIN:g} s"):
        while True:
            try:
                hold.take(0)
            except HeldElsewhere as elsewhere:
                if is_given_up() or time.monotonic() >= deadline:
                    return str(elsewhere)
            else:
                return ""


def _adopt() -> None:
    """Become the parent of orphaned descendants, on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1)


def _is_over(within: float) -> bool:
    """Return whether the pipe from the process that started this one is closed; nothing is ever sent through it."""
    readable, _, _ = select.select([0], [], [], within)
    return bool(readable)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2:]))
