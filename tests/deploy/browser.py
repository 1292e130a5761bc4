"""A real browser without a window, by its DevTools protocol: Debian's ``chromium``."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.deploy.service import eventually

_ANSWERED_WITHIN = 120.0


class NoBrowser(Exception):
    """No browser is installed; the message says how to install it."""


class Page:
    """One tab."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection, self._sent = connection, 0

    def open(self, url: str) -> None:
        """Open *url* and wait for its document."""
        self._call("Page.navigate", url=url)
        eventually(lambda: self.run("document.readyState") == "complete", url)

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page, awaiting a promise."""
        told = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def shows(self, words: str) -> bool:
        """Whether the page shows *words*."""
        return words in str(self.run("document.body ? document.body.innerText : ''"))

    def type(self, text: str) -> None:
        """Type into the first field, and send its form."""
        self.run("document.querySelector('input').focus()")
        self._call("Input.insertText", text=text)
        self.run("document.querySelector('form').requestSubmit()")

    def picture(self, path: Path) -> None:
        """Save a screenshot as PNG."""
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))

    def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        self._sent += 1
        self._connection.send(json.dumps({"id": self._sent, "method": method, "params": arguments}))
        while True:
            answer = json.loads(self._connection.recv(timeout=_ANSWERED_WITHIN))
            if answer.get("id") == self._sent:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result


@contextmanager
def browser(folder: Path, *arguments: str) -> Iterator[Page]:
    """Open an empty tab of a browser with an empty profile, until the block ends.

    Raises:
        NoBrowser: chromium is not installed.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise NoBrowser("no chromium here: apt-get install chromium")
    command = [found, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"]
    command += ["--no-first-run", "--disable-background-networking", "--remote-debugging-port=0"]
    command += [f"--user-data-dir={folder}", *arguments, "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        listening = (re.search(r"ws://127\.0\.0\.1:(\d+)/", line) for line in process.stderr)
        port = next(match[1] for match in listening if match)
        threading.Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would hold it up
        tabs = httpx.get(f"http://127.0.0.1:{port}/json", timeout=30, trust_env=False).json()
        (tab,) = [one for one in tabs if one["type"] == "page"]
        with connect(tab["webSocketDebuggerUrl"], max_size=None, proxy=None) as connection:
            yield Page(connection)
    finally:
        process.terminate()
        process.wait(30)
