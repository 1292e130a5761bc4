"""The wish to end a run now, from a signal or a cancel, for every thread that asks or waits.

A signal reaches the main thread of a process alone, while questions are asked and waits are slept in others. These look
here: a question under way is given up, a wait ends, and nothing new is begun. What was answered is kept all the same.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from types import FrameType

from hnintel.errors import Stopped

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_lock = threading.RLock()
_asked = threading.Event()
_callbacks: list[Callable[[], None]] = []
_blocks = 0
_asked_at = 0.0


def stop() -> None:
    """Have everything that asks or waits end as soon as it can. Any thread may call it, as often as it likes."""
    global _asked_at
    with _lock:
        if not _asked.is_set():
            _asked_at = time.monotonic()
        _asked.set()
        called = list(_callbacks)
    for callback in called:
        callback()


def is_stopping() -> bool:
    """Whether the run is to end."""
    return _asked.is_set()


def refuse() -> None:
    """Raise Stopped where the run is to end, before something new is begun."""
    if _asked.is_set():
        raise Stopped("the run was stopped before this was begun: what was answered is kept; run it again to go on")


def sleep(seconds: float, grace: float = 0.0) -> None:
    """Wait *seconds*, and raise Stopped where the run is to end meanwhile.

    Args:
        seconds: to wait.
        grace: for so many seconds after the run was asked to end, the wait goes on: for what has to be kept first.
    """
    _asked.wait(max(0.0, seconds))
    if _asked.is_set() and (left := _asked_at + grace - time.monotonic()) > 0:
        time.sleep(min(max(0.0, seconds), left))
        return
    refuse()


@contextmanager
def when_stopping(callback: Callable[[], None]) -> Iterator[None]:
    """Call *callback*, in whatever thread that happens in, where the run is to end before the block does."""
    with _lock:
        _callbacks.append(callback)
    try:
        if _asked.is_set():
            callback()
        yield
    finally:
        with _lock:
            _callbacks.remove(callback)


@contextmanager
def with_caller() -> Iterator[None]:
    """Stop where the block is cancelled or interrupted: what it waits for in another thread is not told otherwise."""
    try:
        yield
    except Exception:
        raise
    except BaseException:
        stop()
        raise


@contextmanager
def on_signals() -> Iterator[None]:
    """Stop on SIGINT and SIGTERM within the block; whoever handles them does so as before.

    The outermost block of a process begins with no wish to end. Outside of the main thread only a cancel is heard of.
    """
    with _begun() as is_outermost, _watched_signals() if is_outermost else nullcontext():
        yield


@contextmanager
def _begun() -> Iterator[bool]:
    """Whether no other block is around this one; then what ended the run before is forgotten."""
    global _blocks
    with _lock:
        is_outermost = _blocks == 0
        _blocks += 1
        if is_outermost:
            _asked.clear()
    try:
        yield is_outermost
    finally:
        with _lock:
            _blocks -= 1


@contextmanager
def on_signals_while_asking() -> Iterator[None]:
    """The same for a command without an event loop: a signal while questions are asked stops these and no more.

    At any other moment, and the second time, it ends the command as it would without this block.

    Raises:
        KeyboardInterrupt: SIGINT while nothing is asked, or for the second time.
        SystemExit: the same for SIGTERM.
    """

    def handle(number: int, _: FrameType | None) -> None:
        if _callbacks and not is_stopping():
            stop()
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        else:
            raise SystemExit(128 + number)

    before = {}
    with _begun():
        if threading.current_thread() is threading.main_thread():
            before = {one: signal.signal(one, handle) for one in _SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


@contextmanager
def _watched_signals() -> Iterator[None]:
    """Hear of signals beside their handlers, which Prefect and asyncio put in each other's place meanwhile."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    before = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(reads,), name="signals", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        if (ours := signal.set_wakeup_fd(before)) not in (writes, -1):
            signal.set_wakeup_fd(ours)  # somebody else's by now
        os.close(writes)  # which ends the watcher
        watcher.join()


def _watch(reads: int) -> None:
    try:
        while told := os.read(reads, 64):
            if not set(told).isdisjoint(_SIGNALS):
                stop()
    finally:
        with suppress(OSError):
            os.close(reads)
