"""The wish to end a run: from a signal in the main thread or a cancel, heard in every other thread."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from hnintel.errors import Stopped
from hnintel.process import stopping
from tests.conftest import ROOT

#: An event loop that is interrupted, or has another handler put in, while a thread waits.
LOOP = """
import asyncio, signal, sys, threading, time
from hnintel.process import stopping
from hnintel.errors import Stopped

class Ended(BaseException): pass
def end(number, frame): raise Ended
waits = []
def wait():
    try:
        stopping.sleep(60)
    except Stopped:
        waits.append("ended")
async def main():
    with stopping.on_signals():
        thread = threading.Thread(target=wait)
        thread.start()
        signal.signal(signal.SIGTERM, end)
        try:
            print("ready", flush=True)
            await asyncio.sleep(60)
        finally:
            thread.join(10)
            print(*waits, flush=True)
try:
    asyncio.run(main())
except (KeyboardInterrupt, Ended) as error:
    print(type(error).__name__, flush=True)
"""


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    with stopping.on_signals():
        pass


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "Ended")])
def test_a_signal_ends_a_wait_in_another_thread_and_is_handled_as_before(number: signal.Signals, raised: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LOOP], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert out.split() == ["ended", raised], err


def test_a_signal_in_this_process_sets_the_flag_though_its_handler_does_nothing() -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with stopping.on_signals():
            with stopping.on_signals():
                os.kill(os.getpid(), signal.SIGTERM)
            deadline = time.monotonic() + 10
            while not stopping.is_stopping():
                assert time.monotonic() < deadline
                time.sleep(0.01)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert signal.set_wakeup_fd(-1) == -1


def test_an_error_is_no_wish_to_end_and_a_cancel_is() -> None:
    with stopping.on_signals():
        with pytest.raises(ValueError, match="an error"), stopping.with_caller():
            raise ValueError("an error")
        assert not stopping.is_stopping()
        with pytest.raises(KeyboardInterrupt), stopping.with_caller():
            raise KeyboardInterrupt
        assert stopping.is_stopping()
        with pytest.raises(Stopped):
            stopping.refuse()


def test_who_is_to_be_told_is_told_whether_it_comes_before_or_after() -> None:
    told: list[str] = []
    with stopping.on_signals():
        with stopping.when_stopping(lambda: told.append("gone")):
            pass
        with stopping.when_stopping(lambda: told.append("before")):
            stopping.stop()
        with stopping.when_stopping(lambda: told.append("after")):
            pass
    assert told == ["before", "after"]


def test_in_another_thread_than_the_main_one_a_block_is_no_error() -> None:
    came: list[bool] = []

    def run() -> None:
        with stopping.on_signals():
            came.append(stopping.is_stopping())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert came == [False]


def test_a_wait_with_a_grace_goes_on_for_so_long_after_a_stop_and_no_longer() -> None:
    with stopping.on_signals():
        stopping.stop()
        stopping.sleep(0.01, grace=60)  # what was answered is still kept
        with pytest.raises(Stopped):
            stopping.sleep(0.01, grace=0)
