"""A wait that says after five seconds what it waits for, and for how long at the most."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator

#: Seconds of silence before a line is printed.
SILENT_FOR = 5.0


@contextlib.contextmanager
def aloud(line: str, tell: Callable[[str], object] | None = None) -> Iterator[None]:
    """Say *line* once, where the block takes longer than SILENT_FOR seconds.

    Args:
        line: what is waited for, and the bound.
        tell: called with the line, in a separate thread (default: print to stderr).
    """
    timer = threading.Timer(SILENT_FOR, tell or _to_stderr, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _to_stderr(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
        print(line, file=sys.stderr, flush=True)
