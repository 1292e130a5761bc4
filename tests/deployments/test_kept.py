"""A kept command ends with the process that started it, with all processes that it has started itself."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hnintel.warehouse.duckdb.lock import HeldElsewhere, Hold
from tests.conftest import ROOT

#: Starts one in a session of its own, as Prefect's worker starts a run, and ends at once if it is asked to.
_COMMAND = """
import pathlib, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
pathlib.Path(sys.argv[1]).touch()
time.sleep(300)
"""
#: As serve.py starts what it starts.
_PARENT = """
import subprocess, sys, time
process = subprocess.Popen([sys.executable, "-m", "deployments.serving.keeper", *sys.argv[1:]], stdin=subprocess.PIPE)
time.sleep(300)
"""


def started(folder: Path) -> tuple[subprocess.Popen[bytes], list[psutil.Process]]:
    """Start a process that keeps a command; return it with all its descendants once they run."""
    up = folder / "up"
    command = [sys.executable, "-c", _PARENT, str(folder / "hold"), sys.executable, "-c", _COMMAND, str(up)]
    parent = subprocess.Popen(command, cwd=ROOT)
    deadline = time.monotonic() + 60
    while not up.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return parent, psutil.Process(parent.pid).children(recursive=True)


def test_all_of_it_ends_with_who_wanted_it_however_that_ends(tmp_path: Path) -> None:
    parent, below = started(tmp_path)
    try:
        assert len(below) == 3
        with pytest.raises(HeldElsewhere, match="process"):
            Hold(tmp_path / "hold").take(0)

        parent.kill()

        assert psutil.wait_procs(below, timeout=20)[1] == []
        Hold(tmp_path / "hold").take(0)
    finally:
        parent.kill()
        parent.wait()
        for process in psutil.wait_procs(below, timeout=0)[1]:
            process.kill()


def test_the_processes_that_a_command_leaves_end_with_it_and_its_code_is_returned(tmp_path: Path) -> None:
    leaves = "import subprocess; print(subprocess.Popen(['sleep', '300'], start_new_session=True).pid, flush=True)"
    command = [
        sys.executable,
        "-m",
        "deployments.serving.keeper",
        str(tmp_path / "hold"),
        sys.executable,
        "-c",
        leaves + "; 1/0",
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.wait(60) == 1
        assert process.stdout is not None
        left = int(process.stdout.read())
    assert not psutil.pid_exists(left)


def test_what_waits_for_the_one_before_ends_with_who_wanted_it(tmp_path: Path) -> None:
    before = Hold(tmp_path / "hold")
    before.take(0)
    command = [
        sys.executable,
        "-m",
        "deployments.serving.keeper",
        str(tmp_path / "hold"),
        sys.executable,
        "-c",
        "print('ran')",
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        out, err = process.communicate(timeout=60)  # which closes its line to this process
    before.give_back()
    assert (process.returncode, out) == (2, "")
    assert "hold.lock is held by process" in err
