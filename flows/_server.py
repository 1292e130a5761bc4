"""A Prefect server for the length of one run, in a process that ends with its parent, however that ends.

Prefect starts such a server by itself where no API is set. Two things are wanted that it does not do: end when the run
is killed, and not be started anew by what Prefect still sends while the process exits
(docs/decisions/0003-ephemeral-server.md).
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hnintel.errors import PrefectAway

# What Prefect itself sets for a server of this kind: no pages, and only the services that a run needs.
SETTINGS = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
# A run keeps Prefect quiet; what goes wrong in the server is kept in its log.
SETTINGS |= dict.fromkeys(
    ("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "PREFECT_LOGGING_ROOT_LEVEL", "PREFECT_LOGGING_SERVER_LEVEL"), "ERROR"
)
# No blocks are kept in it that are not saved by who uses them; to offer every type there is, it would import all of
# Prefect's collections, Snowflake's among them, before it answers.
SETTINGS |= dict.fromkeys(("PREFECT_API_BLOCKS_REGISTER_ON_START", "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION"), "false")
_READY_WITHIN = 120.0
_WATCHED_EVERY = 0.5


def plain_http(folder: Path) -> dict[str, str]:
    """Settings for clients of an API on loopback, which is plain HTTP: a bundle of one certificate, kept in *folder*.

    Each client of Prefect's reads a whole bundle, though there is nothing to check with it, and a day's run makes some
    260 clients: a third of its CPU time.
    """
    one = folder / "one-certificate.pem"
    if not one.exists():
        import certifi

        first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition("-----END CERTIFICATE-----")
        half = one.with_suffix(f".{os.getpid()}")
        half.write_text(f"{first}{end}\n", encoding="utf-8")
        half.replace(one)
    return {"PREFECT_API_SSL_CERT_FILE": str(one)}


@contextlib.contextmanager
def server(root: Path, log: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Start a server on a free port of 127.0.0.1; end it with the block.

    It takes some seconds to come up, which the caller may use.

    Args:
        root: of the checkout, from which this module is imported by the server's process.
        log: where what it prints goes.

    Yields:
        The address of its API, and a function that waits until it is up, raising PrefectAway where it is not.
    """
    port = _free_port()
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            [sys.executable, "-m", "flows._server", str(port)],
            cwd=root,
            env={**os.environ, **SETTINGS},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # a ctrl-C in the terminal is the run's to answer; the server goes after it
        )
    try:
        url = f"http://127.0.0.1:{port}/api"
        yield url, lambda: _wait(process, url, log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    import httpx

    deadline = time.monotonic() + _READY_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PrefectAway(f"Prefect's server ended with code {process.returncode} while it started: see {log}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/health", timeout=5, trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise PrefectAway(f"Prefect's server did not come up within {_READY_WITHIN:g} s: see {log}, then run it again")


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCHED_EVERY)
    os._exit(0)


def main(port: int) -> None:
    """Serve Prefect's API until the process that started this one is gone."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    import uvicorn

    uvicorn.run("prefect.server.api.server:create_app", factory=True, host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main(int(sys.argv[1]))
