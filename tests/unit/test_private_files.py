"""What is written is its user's alone, and a home that was made otherwise is narrowed; the site where it is set."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.local.command import guarded
from hnintel import private_files
from hnintel.briefing import pages
from hnintel.cli.app import main
from hnintel.enrich.accepted import accept
from hnintel.enrich.declaration import load_enrichments
from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse


@pytest.fixture(autouse=True, params=[0o000, 0o022, 0o002], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def open_to_others(folder: Path) -> dict[str, str]:
    """What others of the machine may do something with, of *folder* and all below it."""
    found = [folder, *folder.rglob("*")]
    return {str(path.relative_to(folder)): oct(mode(path)) for path in found if mode(path) & 0o077}


@pytest.fixture
def old_home(tmp_path: Path) -> Path:
    """A home as an older version has left it."""
    home = tmp_path / "home"
    names = "hnintel.duckdb hnintel.duckdb.lock hnintel.duckdb.wal hnintel.duckdb.tmp/spilled logs/a.jsonl"
    for name in f"{names} prefect/prefect.db prefect/results/items-1 dbt/target/x/y.sql site/2026/10/22.html".split():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    for path in [home, *home.rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    return home


def test_a_home_that_is_wide_open_is_narrowed_when_its_warehouse_is_opened(old_home: Path) -> None:
    open_warehouse(Settings(home=old_home))
    assert open_to_others(old_home) == {}
    assert mode(old_home) == 0o700
    assert mode(old_home / "hnintel.duckdb") == 0o600


def test_a_warehouse_and_all_beside_it_is_made_private(tmp_path: Path) -> None:
    with open_warehouse(Settings(home=tmp_path / "home")).transaction(stage="enrich") as session:
        session.execute("SELECT 1")
    assert (tmp_path / "home" / "hnintel.duckdb").is_file()
    assert open_to_others(tmp_path / "home") == {}


def test_a_folder_that_is_used_for_other_things_too_keeps_its_mode_and_theirs(old_home: Path) -> None:
    (old_home / "holiday.jpg").write_text("")
    (old_home / "holiday.jpg").chmod(0o644)
    private_files.protect(Settings(home=old_home))
    assert open_to_others(old_home) == {".": "0o777", "holiday.jpg": "0o644"}


def test_a_warehouse_elsewhere_is_narrowed_and_its_folder_is_not(tmp_path: Path) -> None:
    for name in ("own.duckdb", "own.duckdb.wal", "other.duckdb"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o644)
    tmp_path.chmod(0o755)
    private_files.protect(Settings(home=tmp_path / "home", duckdb_path=tmp_path / "own.duckdb"))
    assert open_to_others(tmp_path) == {".": "0o755", "other.duckdb": "0o644"}


def test_what_a_link_leads_to_is_not_changed(old_home: Path, tmp_path: Path) -> None:
    for name in ("outside", "outside.txt"):
        (tmp_path / name).mkdir() if name == "outside" else (tmp_path / name).write_text("")
    (tmp_path / "outside").chmod(0o755)
    (tmp_path / "outside.txt").chmod(0o644)
    (old_home / "logs" / "link").symlink_to(tmp_path / "outside")
    (old_home / "logs" / "link.txt").symlink_to(tmp_path / "outside.txt")
    (old_home / "hnintel.duckdb.link").symlink_to(tmp_path / "outside.txt")
    private_files.protect(Settings(home=old_home))
    assert (mode(tmp_path / "outside"), mode(tmp_path / "outside.txt")) == (0o755, 0o644)


def test_a_site_that_others_may_read_is_all_that_they_may(old_home: Path) -> None:
    settings = Settings(home=old_home, site_readable=True)
    private_files.protect(settings)
    pages._write(settings.site / "2026" / "11" / "01.html", "new", settings.site_readable)
    private_files.publish_site(settings)
    opened = open_to_others(old_home)
    assert opened.pop(".") == "0o711"
    assert {name.partition("/")[0] for name in opened} == {"site"}
    assert {opened[name] for name in opened if name.endswith(".html")} == {"0o644"}
    assert {opened[name] for name in opened if not name.endswith(".html")} == {"0o755"}


def test_a_site_that_others_might_read_is_closed_where_that_is_set_no_more(old_home: Path) -> None:
    private_files.protect(Settings(home=old_home, site_readable=True))
    private_files.protect(Settings(home=old_home))
    assert open_to_others(old_home) == {}


def test_a_home_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    private_files.protect(Settings(home=tmp_path / "home"))
    assert not (tmp_path / "home").exists()


def test_the_lock_file_of_enrichments_is_part_of_a_checkout_and_not_private(tmp_path: Path) -> None:
    private_files.set_umask()
    assert mode(accept(load_enrichments(), tmp_path)) == 0o644


def test_every_command_sets_the_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNINTEL_HOME", str(tmp_path / "home"))
    guarded(lambda: 0)
    assert os.umask(0) == 0o077
    main(["settings"])
    assert os.umask(0) == 0o077
