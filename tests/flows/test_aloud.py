"""A long wait is announced; a short wait is not."""

from __future__ import annotations

import threading

import pytest

from flows.local import spoken_wait
from flows.local.spoken_wait import aloud


def test_a_long_wait_is_announced_while_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoken_wait, "SILENT_FOR", 0.01)
    said: list[str] = []
    heard = threading.Event()

    def tell(line: str) -> None:
        said.append(line)
        heard.set()

    with aloud("waiting for the server, at most 300 s", tell):
        assert heard.wait(60)
    assert said == ["waiting for the server, at most 300 s"]


def test_a_short_wait_is_not_announced(capsys: pytest.CaptureFixture[str]) -> None:
    with aloud("never said"):
        pass
    assert capsys.readouterr() == ("", "")
