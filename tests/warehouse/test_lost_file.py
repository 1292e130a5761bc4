"""A warehouse file that is empty, missing or not a regular file: when a new one is created, and when it is refused."""

from __future__ import annotations

import os
import socket
from contextlib import chdir
from pathlib import Path

import pytest

from hnintel.errors import WarehouseError
from hnintel.warehouse.duckdb.adapter import DuckDBWarehouse
from hnintel.warehouse.duckdb.turns import only_here
from tests.warehouse.world import Answering, fetch, load, open_duckdb, story


def _emptied(folder: Path) -> Path:
    """Return the file of a warehouse with rows, truncated to zero bytes."""
    warehouse = open_duckdb(folder)
    load(warehouse, [story(1)])
    with warehouse.path.open("wb"):
        return warehouse.path


@pytest.mark.parametrize("beside", ["site/2026-10-22.html", "logs/2026-10-22-run.jsonl", "hnintel.duckdb.wal"])
def test_an_empty_file_beside_traces_of_its_rows_is_refused_and_unchanged(tmp_path: Path, beside: str) -> None:
    path, other = _emptied(tmp_path), tmp_path / beside
    other.parent.mkdir(exist_ok=True)
    other.write_text("of an earlier run", encoding="utf-8")
    os.utime(other, (1_700_000_000, 1_700_000_000))
    with pytest.raises(WarehouseError, match=r"hnintel\.duckdb is empty, and .*: restore a copy of the file"):
        fetch(open_duckdb(tmp_path), "SELECT 1")
    assert path.stat().st_size == 0
    assert other.read_text(encoding="utf-8") == "of an earlier run"
    path.unlink()  # as it is told
    if other.suffix != ".wal":
        assert fetch(open_duckdb(tmp_path), "SELECT count(*) FROM raw.items") == [(0,)]


def test_an_empty_file_in_a_home_that_has_only_the_log_of_this_run_is_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "hnintel.duckdb").touch()
    os.utime(tmp_path / "hnintel.duckdb", (1_700_000_000, 1_700_000_000))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "2026-10-22-run.jsonl").write_text("{}\n", encoding="utf-8")
    assert fetch(open_duckdb(tmp_path), "SELECT count(*) FROM raw.items") == [(0,)]


def _gone(folder: Path, beside: list[str]) -> DuckDBWarehouse:
    """Delete a warehouse's file, leave *beside* in its home, and open it as a later process does."""
    load(open_duckdb(folder), [story(1)])
    for name in beside:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("of an earlier run", encoding="utf-8")
    (folder / "hnintel.duckdb").unlink()
    return open_duckdb(folder)


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        (["site/index.html", "site/2026-10-21.html", "site/2026-10-22.html"], "pages of 2 days in {}/site"),
        (["site/2026-10-22.html", "logs/run.jsonl"], "pages of 1 day in {}/site"),
        (["logs/run.jsonl"], "logs of earlier runs in {}/logs"),
    ],
)
def test_a_new_warehouse_beside_traces_of_an_old_one_prints_a_notice_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], beside: list[str], said: str
) -> None:
    warehouse = _gone(tmp_path, beside)
    for _ in range(2):
        assert fetch(warehouse, "SELECT count(*) FROM raw.items") == [(0,)]
    assert fetch(open_duckdb(tmp_path), "SELECT count(*) FROM raw.items") == [(0,)]
    (line,) = capsys.readouterr().err.splitlines()
    assert f"new warehouse at {tmp_path / 'hnintel.duckdb'}" in line
    assert said.format(tmp_path) in line
    assert "restore the old file" in line


@pytest.mark.parametrize("beside", [[], ["logs/run.jsonl"]])
def test_a_first_warehouse_prints_no_notice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], beside: list[str]
) -> None:
    for name in beside:  # the log of the very run that makes it
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("{}\n", encoding="utf-8")
    assert fetch(open_duckdb(tmp_path), "SELECT count(*) FROM raw.items") == [(0,)]
    assert capsys.readouterr().err == ""


def test_rows_in_the_wal_survive_the_loss_of_the_file(tmp_path: Path) -> None:
    warehouse = _gone(tmp_path, ["hnintel.duckdb.wal"])
    with pytest.raises(WarehouseError, match=r"hnintel\.duckdb is gone, and .*\.wal has its newest rows: restore"):
        fetch(warehouse, "SELECT 1")
    assert (tmp_path / "hnintel.duckdb.wal").read_text(encoding="utf-8") == "of an earlier run"
    assert not warehouse.path.exists()


def test_a_dangling_link_is_refused_and_its_target_is_not_created(tmp_path: Path) -> None:
    (tmp_path / "hnintel.duckdb").symlink_to(tmp_path / "volume.duckdb")
    with pytest.raises(WarehouseError, match=r"is a link to .*volume\.duckdb, which is missing: restore"):
        fetch(open_duckdb(tmp_path), "SELECT 1")
    with pytest.raises(WarehouseError, match="is a link to"), only_here(tmp_path / "hnintel.duckdb", 0):
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["hnintel.duckdb"]


@pytest.mark.parametrize("kind", ["a FIFO", "a folder", "a socket", "a device"])
def test_a_path_that_is_not_a_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "hnintel.duckdb"
    with socket.socket(socket.AF_UNIX) as listening:
        if kind == "a FIFO":
            os.mkfifo(path)
        elif kind == "a folder":
            path.mkdir()
        elif kind == "a socket":
            with chdir(tmp_path):  # the name of a socket is a short one
                listening.bind(path.name)
        else:
            path = Path(os.devnull)
        with pytest.raises(WarehouseError) as refused:
            fetch(DuckDBWarehouse(path, Answering(), 5), "SELECT 1")
    assert str(refused.value).startswith(f"{path} is {kind}, not a file: move it away")
    assert "HNINTEL_DUCKDB_PATH" in str(refused.value)
