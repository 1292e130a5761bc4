"""A Prefect server for a single run, in a process that ends with its parent, however that ends.

Prefect starts such a server itself if no API is set, but does not end it when the run is killed, and starts it again
for events that it sends while the process exits (docs/decisions/0003-ephemeral-server.md). This server admits its own
run alone (docs/decisions/0019-authenticated-servers.md).
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from flows.local.auth import server_settings
from flows.local.guarded_server import START_WITHIN, guarded_app
from flows.local.spoken_wait import aloud
from hnintel.errors import PrefectAway
from hnintel.process import progress
from tasks.prefect_private import ephemeral_server_settings

# What Prefect itself sets for a server of this kind: no pages, and only the services that a run needs.
SETTINGS = {"PREFECT_UI_ENABLED": "0", **ephemeral_server_settings()}
# A run silences Prefect; errors of the server are in its log.
SETTINGS |= dict.fromkeys(
    ("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "PREFECT_LOGGING_ROOT_LEVEL", "PREFECT_LOGGING_SERVER_LEVEL"), "ERROR"
)
# It stores only blocks that a user saves; to register every type of block, it would import all of
# Prefect's collections, Snowflake's among them, before it answers.
SETTINGS |= dict.fromkeys(("PREFECT_API_BLOCKS_REGISTER_ON_START", "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION"), "false")
_END_WITHIN = 10.0
_WATCHED_EVERY = 0.5


def plain_http(folder: Path) -> dict[str, str]:
    """Return settings for clients of an API over plain HTTP: a bundle with a single certificate, in *folder*.

    Each of Prefect's clients reads a whole bundle, although plain HTTP needs none, and a day's run creates some
    260 clients: a third of its CPU time.
    """
    bundle = folder / "one-certificate.pem"
    if not bundle.exists():
        import certifi

        first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition("-----END CERTIFICATE-----")
        half = bundle.with_suffix(f".{os.getpid()}")
        half.write_text(f"{first}{end}\n", encoding="utf-8")
        half.replace(bundle)
    return {"PREFECT_API_SSL_CERT_FILE": str(bundle)}


class Server:
    """A server's process, from its start until it is ended.

    Attributes:
        url: the address of its API.
    """

    def __init__(self, root: Path, log: Path, auth: str) -> None:
        """Start it on a free port of 127.0.0.1; it takes some seconds to come up.

        Args:
            root: of the checkout, from which this module is imported by the server's process.
            log: where what it prints goes.
            auth: the authentication string that its clients must send.
        """
        port = _free_port()
        self.url, self._log = f"http://127.0.0.1:{port}/api", log
        self._ending = threading.Event()
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                [sys.executable, "-m", "flows.local.server", str(port)],
                cwd=root,
                env={**os.environ, **SETTINGS, **server_settings(auth, port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a ctrl-C in the terminal is the run's to answer; the server goes after it
            )

    def wait(self) -> None:
        """Return once it is up.

        Raises:
            PrefectAway: it ended, or did not come up within START_WITHIN seconds.
        """
        import httpx

        note = f"Prefect's own server is still starting, at most {START_WITHIN:g} s (its log: {self._log})"
        deadline = time.monotonic() + START_WITHIN
        with aloud(note, lambda line: progress.update("start", 0, note=line)):
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    code = self._process.returncode
                    raise PrefectAway(f"Prefect's server ended with code {code} while it started: see {self._log}")
                with contextlib.suppress(httpx.TransportError):
                    if httpx.get(f"{self.url}/health", timeout=5, trust_env=False).status_code == 200:
                        return
                time.sleep(0.1)
        late = f"Prefect's server did not come up within {START_WITHIN:g} s: see {self._log}, then run it again"
        raise PrefectAway(late)

    def watch(self, lost: Callable[[int], None]) -> None:
        """Call *lost* with its exit code, in a thread of its own, where it ends before :meth:`end`."""

        def look() -> None:
            code = self._process.wait()
            if not self._ending.is_set():
                lost(code)

        threading.Thread(target=look, name="watch-server", daemon=True).start()

    def end(self) -> None:
        """End it, within ten seconds."""
        self._ending.set()
        self._process.terminate()
        try:
            with aloud(f"waiting for Prefect's own server to end, at most {_END_WITHIN:g} s"):
                self._process.wait(_END_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCHED_EVERY)
    os._exit(0)


def main(port: int) -> None:
    """Serve Prefect's API until the parent process ends."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    import uvicorn

    uvicorn.run(guarded_app(), host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main(int(sys.argv[1]))
