"""A disk that is full where no row is written: the log of a run, its unexpected errors, files of Prefect."""

from __future__ import annotations

import errno
from datetime import date
from pathlib import Path

import pytest

from flows.local.command import guarded
from hnintel.errors import WarehouseError
from hnintel.runs.log import logger, run_log
from tasks import prefect_errors

FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")


def test_a_log_that_cannot_be_written_is_no_error_of_the_run_and_hides_none(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    day = date(2026, 10, 22)
    (tmp_path / f"{day}-run.jsonl").symlink_to(FULL)

    def run() -> None:
        with run_log(tmp_path, day, "run"):
            logger.info("begun")
            raise WarehouseError("what the run ended with")

    with pytest.raises(WarehouseError, match="what the run ended with"):
        run()
    assert capfd.readouterr().err == ""


def test_an_unexpected_error_whose_details_cannot_be_kept_is_told_in_one_line(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "logs").mkdir(parents=True)
    (home / "logs" / "unexpected.log").symlink_to(FULL)

    def run() -> int:
        raise KeyError("what nobody foresaw")

    assert guarded(run) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: unexpected KeyError: 'what nobody foresaw'; details could not be written to ")
    assert line.endswith("unexpected.log (No space left on device)")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_whoever_meets_a_full_disk_first_it_is_told_as_such(tmp_path: Path, code: int) -> None:
    told = prefect_errors.in_one_line(OSError(code, "as the system says it"), tmp_path, None)
    assert isinstance(told, WarehouseError)
    assert str(told).startswith(f"{tmp_path} cannot be written (as the system says it): free space there")
    assert prefect_errors.in_one_line(OSError(errno.ENOENT, "no such file"), tmp_path, None) is None
