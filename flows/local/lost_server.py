"""What a run does when its own Prefect server ends under it: it is interrupted, and ends within seconds."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hnintel.errors import PrefectAway
from tasks.prefect_private import stop_client_retries

#: Seconds that an interrupted run has to end by itself: to book what it has, and to give back its leases.
ENDS_WITHIN = 3.5
#: Seconds after that until the process ends in any case.
_LEFT_WITHIN = 1.0


class LostServer:
    """Ends a run whose server is gone, as ctrl-C would; by the clock where the run does not end by itself."""

    def __init__(self, log: Path, give_up: Callable[[PrefectAway], object] | None) -> None:
        """Nothing happens yet.

        Args:
            log: of the server, which the error names.
            give_up: called with the error where the run has not ended ENDS_WITHIN seconds after its server; it ends
                the process. None: the run may take as long as it likes.
        """
        self._log, self._give_up = log, give_up
        self._begun = self._over = False
        self._lock = threading.Lock()
        self._error: PrefectAway | None = None
        self._timers: list[threading.Timer] = []

    def begin(self, wait: Callable[[], None]) -> None:
        """Wait until the server is up; from then on its end is the run's.

        Raises:
            PrefectAway: it ended as soon as it was up.
        """
        wait()
        with self._lock:
            self._begun = True
            if self._error is not None:
                raise self._error

    def interrupt(self, code: int) -> None:
        """End the run: its server ended with this exit code. Called in a thread beside the run's."""
        with self._lock:
            if self._over:
                return
            how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
            advice = "items and answers so far are stored; run it again to continue"
            self._error = PrefectAway(f"the run's own Prefect server {how}: see {self._log}; {advice}")
            if not self._begun:  # the waiting thread raises it
                return
            stop_client_retries()
            if self._give_up is not None:
                self._start(ENDS_WITHIN, self._give_up, self._error)
                self._start(ENDS_WITHIN + _LEFT_WITHIN, os._exit, self._error.exit_code)
            main = threading.main_thread().ident
            if main is not None:
                signal.pthread_kill(main, signal.SIGINT)

    @contextmanager
    def told(self) -> Iterator[None]:
        """A block that ends with PrefectAway where the server was lost, whatever the run makes of that."""
        try:
            yield
        except BaseException as error:
            with self._lock:
                self._over = True
            if self._error is None or not self._begun:
                raise
            raise self._error from error
        finally:
            with self._lock:
                self._over = True
                for timer in self._timers:
                    timer.cancel()

    def _start(self, seconds: float, call: Callable[..., object], argument: object) -> None:
        self._timers.append(timer := threading.Timer(seconds, call, [argument]))
        timer.daemon = True
        timer.start()
