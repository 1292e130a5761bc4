"""A command that ends with the process that started it, however that ends.

Called as ``python -m deployments.serving.keeper HOLD COMMAND``.

Its line to that process is its standard input, which the system closes with it. What the command has started itself
ends as well: Prefect's worker gives each run a session of its own, where no signal to the worker's group arrives.
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

#: Seconds that all of it has to end by itself, before it is killed.
END_WITHIN = 30.0
#: Seconds until what was kept for one that is gone is gone too: the worker, and after it the server.
GONE_WITHIN = 2 * END_WITHIN + 15
_LOOKED_EVERY = 0.2
#: Of Linux (prctl): who is left without a parent below this process becomes its child, and not the first process's.
_SET_CHILD_SUBREAPER = 36


class _Kept:
    """The command, and what it leaves behind."""

    def __init__(self, command: list[str]) -> None:
        self._first = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - what serve.py wants to run
        self._code: int | None = None
        self._told: set[int] = set()
        self._deadline = float("inf")

    @property
    def has_ended(self) -> bool:
        """Whether the command itself is over."""
        return self._code is not None

    @property
    def code(self) -> int:
        """What it ended with, as a shell says it."""
        code = self._code or 0
        return code if code >= 0 else 128 - code

    def reap(self) -> bool:
        """Take note of what has ended; False where nothing is left."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._first.pid:
                    self._first.returncode = self._code = os.waitstatus_to_exitcode(ended[1])
            return True
        return False

    def end(self) -> None:
        """Ask each to end that was not asked yet; after a while, kill them. To be called until nothing is left."""
        self._deadline = min(self._deadline, time.monotonic() + END_WITHIN)
        late = time.monotonic() >= self._deadline
        for pid in self._children():  # those of one that goes are found the next time
            if late or pid not in self._told:
                self._told.add(pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)

    def _children(self) -> Iterator[int]:
        try:
            found = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8")
        except OSError:  # no Linux: what the command leaves behind is not found
            if self._code is None:
                yield self._first.pid
            return
        yield from map(int, found.split())


def main(hold: Path, command: list[str]) -> int:
    """Run *command* until it ends, or whoever has started this one; its exit code.

    Args:
        hold: held for so long, so that who comes next can tell that this is over (``<hold>.lock``).
        command: what to run.
    """
    _adopt()
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):  # what is ignored would be ignored by the command too
        signal.signal(number, ask)
    held_here = Hold(hold)
    if held := _still_held(held_here, lambda: bool(asked) or _is_over(_LOOKED_EVERY)):
        print(f"error: {hold}.lock is held by {held}: end that one", file=sys.stderr)
        return 2
    kept = _Kept(command)
    while kept.reap():
        if asked or kept.has_ended or _is_over(_LOOKED_EVERY):
            kept.end()
            time.sleep(_LOOKED_EVERY)
    held_here.give_back()
    return kept.code


def _still_held(hold: Hold, is_given_up: Callable[[], bool]) -> str:
    """Take *hold*, within GONE_WITHIN seconds or until nobody wants it any more; where it was not taken, who has it."""
    deadline = time.monotonic() + GONE_WITHIN
    with aloud(f"waiting for what was kept before to end, at most {GONE_WITHIN:g} s"):
        while True:
            try:
                hold.take(0)
            except HeldElsewhere as held:
                if is_given_up() or time.monotonic() >= deadline:
                    return str(held)
            else:
                return ""


def _adopt() -> None:
    """Have what a process below leaves behind, where the system can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1)


def _is_over(within: float) -> bool:
    """Whether the line to who started this one is closed; nothing is ever sent on it."""
    readable, _, _ = select.select([0], [], [], within)
    return bool(readable)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2:]))
