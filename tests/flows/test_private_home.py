"""Whatever the umask, files of a run and of ``make serve`` are private to their user."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """Return the files below *folder*, or itself, that other users can access."""
    found = [path for path in [folder, *folder.rglob("*")] if not path.is_symlink()]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in found}
    return [f"{path.relative_to(folder)}: {oct(mode)}" for path, mode in modes.items() if mode & 0o077]


@pytest.mark.parametrize("mask", [0o000, pytest.param(0o022, marks=pytest.mark.long)], ids=oct)
def test_a_day_of_the_sample_writes_nothing_that_others_can_read(environ: dict[str, str], mask: int) -> None:
    home = Path(environ["HNINTEL_HOME"])
    for path in [home, *home.rglob("*")]:  # what the fixture has put there is as an older version left it
        path.chmod(0o777 if path.is_dir() else 0o666)
    with umask(mask):
        command = [sys.executable, "flows/main.py", "--source", "sample"]
        ran = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=400)
    assert ran.returncode == 0, ran.stderr
    written = {path.name for path in home.rglob("*")}
    assert written >= {"hnintel.duckdb", "prefect.db", "server.log", "index.html", "target", "results"}
    assert open_to_others(home) == []


def test_a_command_on_a_new_home_makes_it_private(tmp_path: Path, environ: dict[str, str]) -> None:
    home = tmp_path / "new" / "home"
    with umask(0):
        argv = [sys.executable, "flows/main.py", "--plan", "--source", "sample"]
        subprocess.run(argv, cwd=ROOT, env={**environ, "HNINTEL_HOME": str(home)}, capture_output=True, timeout=120)
    assert (home / "hnintel.duckdb").is_file()
    assert open_to_others(home) == []


def test_make_serve_writes_nothing_that_others_can_read(tmp_path: Path) -> None:
    from tests.deploy.service import eventually
    from tests.deploy.test_serve import Serving
    from tests.flows.own_prefect import free_port

    home = tmp_path / "home"
    with umask(0):
        serving = Serving(tmp_path, free_port())
    try:
        serving.up()
        assert httpx.get(f"{serving.api}/health", timeout=10).status_code == 200
        names = ("prefect.db", "server.log", "worker.log")
        eventually(lambda: all((home / "prefect" / name).exists() for name in names) or None, "its files")
        assert open_to_others(home) == []
    finally:
        serving.process.terminate()
        serving.process.wait(120)
    assert open_to_others(home) == []
