"""The request to stop a run, from a signal or a cancellation, visible to every thread.

A signal reaches only the main thread of a process, while other threads ask questions and sleep. They check here: a
question in flight is abandoned, a wait ends, and no new work begins. Answers received before are stored.
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
_stop_event = threading.Event()
_callbacks: list[Callable[[], None]] = []
_blocks = 0
_stopped_at = 0.0


def stop() -> None:
    """Ask every question and wait to end as soon as possible. Any thread may call this, repeatedly."""
    global _stopped_at
    with _lock:
        if not _stop_event.is_set():
            _stopped_at = time.monotonic()
        _stop_event.set()
        callbacks = list(_callbacks)
    for callback in callbacks:
        callback()


def is_stopping() -> bool:
    """Whether the run was asked to stop."""
    return _stop_event.is_set()


def refuse() -> None:
    """Raise Stopped if the run was asked to stop; call it before new work begins."""
    if _stop_event.is_set():
        raise Stopped("the run was stopped before this step: answers so far are kept; run it again to continue")


def sleep(seconds: float, grace: float = 0.0) -> None:
    """Sleep, and raise Stopped if the run is asked to stop meanwhile.

    Args:
        seconds: how long to sleep.
        grace: seconds after the stop request during which sleeping continues, for work that must be stored first.
    """
    _stop_event.wait(max(0.0, seconds))
    if _stop_event.is_set() and (left := _stopped_at + grace - time.monotonic()) > 0:
        time.sleep(min(max(0.0, seconds), left))
        return
    refuse()


@contextmanager
def when_stopping(callback: Callable[[], None]) -> Iterator[None]:
    """Call *callback*, in the thread that calls :func:`stop`, if the run is asked to stop during the block."""
    with _lock:
        _callbacks.append(callback)
    try:
        if _stop_event.is_set():
            callback()
        yield
    finally:
        with _lock:
            _callbacks.remove(callback)


@contextmanager
def with_caller() -> Iterator[None]:
    """Stop the run if the block is cancelled or interrupted; threads that it waits for learn of it no other way."""
    try:
        yield
    except Exception:  # an error of the block, which is no request to stop
        raise
    except BaseException:  # a cancel or an interrupt
        stop()
        raise


@contextmanager
def on_signals() -> Iterator[None]:
    """Stop on SIGINT and SIGTERM within the block; existing handlers still run.

    The outermost block of a process clears an earlier stop request. Outside the main thread signals are not watched.
    """
    with _begun() as is_outermost, _watched_signals() if is_outermost else nullcontext():
        yield


@contextmanager
def _begun() -> Iterator[bool]:
    """Yield whether this is the outermost block, which clears an earlier stop request."""
    global _blocks
    with _lock:
        is_outermost = _blocks == 0
        _blocks += 1
        if is_outermost:
            _stop_event.clear()
    try:
        yield is_outermost
    finally:
        with _lock:
            _blocks -= 1


@contextmanager
def on_signals_while_asking() -> Iterator[None]:
    """As :func:`on_signals`, for a command without an event loop: the first signal during questions stops only these.

    At other times, and from the second signal on, it ends the command as without this block.

    Raises:
        KeyboardInterrupt: SIGINT while no question is asked, or the second SIGINT.
        SystemExit: SIGTERM, in the same cases.
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
            before = {number: signal.signal(number, handle) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _watched_signals() -> Iterator[None]:
    """Watch signals through the wakeup fd, because Prefect and asyncio replace each other's handlers meanwhile."""
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
            signal.set_wakeup_fd(ours)  # replaced by other code meanwhile
        os.close(writes)  # ends the watcher
        watcher.join()


def _watch(reads: int) -> None:
    try:
        while numbers := os.read(reads, 64):
            if not set(numbers).isdisjoint(_SIGNALS):
                stop()
    finally:
        with suppress(OSError):
            os.close(reads)
