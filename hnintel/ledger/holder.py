"""Which process holds a lease, and whether it still lives."""

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
    return _process_of(os.getpid())


def is_dead(holder: str) -> bool:
    """Whether the process is known to be gone: only of this machine and process space can that be told."""
    host, space, number, started = holder.split("|")
    if os.name != "posix" or (host, space) != (socket.gethostname(), _space()):
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's: there, though not ours
        return False
    return _started(int(number)) != started  # the number is another's by now


def _space() -> str:
    """What process numbers count within: containers have spaces of their own, and may share a host's name."""
    return _read_or_nothing(lambda: os.readlink("/proc/self/ns/pid"))


def _started(number: int) -> str:
    """When a process started, in ticks since the machine did; nothing where the system does not say."""
    stat = _read_or_nothing(lambda: Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace"))
    fields = stat.rpartition(")")[2].split()  # the name before may hold anything
    return fields[19] if len(fields) > 19 else ""


def _read_or_nothing(read: Callable[[], str]) -> str:
    try:
        return read()
    except OSError:
        return ""
