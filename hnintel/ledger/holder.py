"""The process that holds a lease, and whether it still runs."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import cache
from pathlib import Path


@cache
def _process_of(number: int) -> str:
    return "|".join((socket.gethostname(), _space(), str(number), _started(number)))


def this_process() -> str:
    """Identify this process as ``host|process space|number|start``, the value of ``ops.leases.holder``."""
    return _process_of(os.getpid())


def is_dead(holder: str) -> bool:
    """Whether the process is known to have ended; False for another machine or process space, which we cannot see."""
    host, space, number, started = holder.split("|")
    if os.name != "posix" or (host, space) != (socket.gethostname(), _space()):
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it runs, as another user
        return False
    return _started(int(number)) != started  # the system has given the number to another process


def _space() -> str:
    """The namespace of process numbers: each container has its own, and two may share a host name."""
    return _read_or_nothing(lambda: os.readlink("/proc/self/ns/pid"))


def _started(number: int) -> str:
    """The start of a process, in ticks since the machine booted; empty where the system does not report it."""
    stat = _read_or_nothing(lambda: Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace"))
    fields = stat.rpartition(")")[2].split()  # the name before it may contain blanks and brackets
    return fields[19] if len(fields) > 19 else ""


def _read_or_nothing(read: Callable[[], str]) -> str:
    try:
        return read()
    except OSError:
        return ""
