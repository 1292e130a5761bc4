"""A second process, to test concurrent use of a file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import ROOT

#: Has the lock beside the file that it is given, and has not opened the file.
HAS_THE_LOCK = """
from pathlib import Path
from hnintel.warehouse.duckdb.lock import hold_on
hold_on(Path(sys.argv[1])).take(0)
"""


@contextmanager
def other_process(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run *script* in a second Python process until it is killed; the block begins when it prints "ready"."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys, time\n{script}\nprint('ready', flush=True)\ntime.sleep(600)"]
        + [str(one) for one in arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()
