"""What every test may ask for: a home folder of its own, and the real material where it is."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from hnintel.process import progress, stopping

ROOT = Path(__file__).resolve().parent.parent

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in whatever a shell starts in the background. A process would hand it on to those that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No test depends on how long anything takes: on a busy machine a single example may take any time.
hypothesis.settings.register_profile("project", deadline=None)
hypothesis.settings.load_profile("project")

#: Files that take minutes, the longest first: begun last, one of them would keep a process busy while the other waits.
_LONGEST = (
    "test_every_enrichment_on_snowflake",
    "test_killed_runs",
    "test_deployed",
    "test_deployed_on_postgres",
    "test_process",
    "test_prefect_away",
    "test_thirty_days",
    "test_bad_days",
    "test_a_day_on_snowflake",
    "test_task_runner",
    "test_checked_runs",
    "test_interrupted_backfill",
    "test_backfill",
    "test_a_day",
    "test_snowflake_block",
    # Of the quick tests.
    "test_every_enrichment",
    "test_warehouse_protocol",
    "test_money",
    "test_bad_answers_and_crashes",
    "test_snowflake_session",
    "test_days_of_the_calendar",
    "test_extraction_pool",
    "test_live",
    "test_choosing_work",
    "test_write_briefing",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the files that take longest begin first; within a file the order stays."""
    rank = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def pytest_collection_finish() -> None:
    """Keep what was imported out of the garbage collector's way, and compile nothing else into a file."""
    gc.collect()
    gc.freeze()
    # The tests themselves are compiled and kept by now. A file that a test writes twice within a second, with the same
    # length, would be taken for the one that was compiled first.
    sys.dont_write_bytecode = True


def pytest_unconfigure() -> None:
    """Give the collector back what it was told to leave: DuckDB prints a page about what is never freed."""
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees the defaults, whatever the shell it is started from has set."""
    for name in list(os.environ):
        if name.startswith("HNINTEL_") and name != "HNINTEL_TEST_DATA":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_reporter_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said goes to stderr, whatever reporter a command has set before in this process."""
    monkeypatch.setattr(progress._Current, "reporter", progress.Silent())


@pytest.fixture(autouse=True)
def _no_stop_of_another_test() -> Iterator[None]:
    """Clear a request to stop, which outlives the block that made it so that its threads end too."""
    yield
    with stopping.on_signals():
        pass


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder of the test's own, set in the environment; it is not there yet."""
    folder = tmp_path / "home"
    monkeypatch.setenv("HNINTEL_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real material; a test that asks for it is skipped where there is none."""
    folder = Path(os.environ.get("HNINTEL_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("no real material: set HNINTEL_TEST_DATA to its folder")
    return folder
