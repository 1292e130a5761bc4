"""What is written is its user's alone, and a home that was made otherwise is narrowed; the site where it is set."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.local.command import guarded
from hnintel.briefing import pages
from hnintel.cli.app import main
from hnintel.enrich.accepted import accept
from hnintel.enrich.declaration import load_enrichments
from hnintel.settings import Settings, private_files
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
    names = (
        "hnintel.duckdb hnintel.duckdb.lock hnintel.duckdb.wal hnintel.duckdb.tmp/spilled logs/a.jsonl site/index.html"
    )
    for name in f"{names} prefect/prefect.db prefect/results/items-1 dbt/target/x/y.sql site/2026-10-22.html".split():
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


def test_a_folder_that_is_used_for_other_things_too_stays_readable_and_others_write_in_it_no_more(
    old_home: Path,
) -> None:
    (old_home / "holiday.jpg").write_text("")
    (old_home / "holiday.jpg").chmod(0o644)
    private_files.protect(Settings(home=old_home))
    assert open_to_others(old_home) == {".": "0o755", "holiday.jpg": "0o644"}


def test_a_folder_for_everyone_with_the_sticky_bit_stays_for_everyone(old_home: Path) -> None:
    (old_home / "holiday.jpg").write_text("")
    old_home.chmod(0o1777)
    private_files.protect(Settings(home=old_home))
    assert mode(old_home) == 0o1777


def test_a_home_that_is_a_link_is_narrowed_where_it_leads_to(old_home: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(old_home)
    private_files.protect(Settings(home=tmp_path / "link"))
    assert open_to_others(old_home) == {}


def test_a_home_that_is_a_link_to_nothing_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    private_files.protect(Settings(home=tmp_path / "link"))
    assert not (tmp_path / "gone").exists()


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
    pages._write(settings.site / "2026-11-01.html", "new", settings.site_readable)
    private_files.publish_site(settings)
    opened = open_to_others(old_home)
    assert opened.pop(".") == "0o711"
    assert {name.partition("/")[0] for name in opened} == {"site"}
    assert {opened[name] for name in opened if name.endswith(".html")} == {"0o644"}
    assert {opened[name] for name in opened if not name.endswith(".html")} == {"0o755"}


def test_of_a_site_that_is_a_link_only_the_pages_that_we_write_are_opened(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for path in (other / "private.html", other / "index.html", other / "2026-10-22.html"):
        path.write_text("not ours")
        path.chmod(0o600)
    other.chmod(0o755)
    settings = Settings(home=tmp_path / "home", site_readable=True)
    settings.folder.mkdir()
    settings.site.symlink_to(other)
    private_files.protect(settings)
    pages._write(settings.site / "2026-11-01.html", "new", settings.site_readable)
    private_files.publish_site(settings)
    assert open_to_others(other) == {".": "0o755", "2026-11-01.html": "0o644"}


def test_what_is_no_page_of_ours_is_not_opened_with_the_site(old_home: Path) -> None:
    settings = Settings(home=old_home, site_readable=True)
    for name in ("notes.txt", "draft/2026-10-22.html", "private.html"):
        path = settings.site / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
        path.chmod(0o600)
    (settings.site / "draft").chmod(0o700)
    (settings.site / "logo.svg").write_text("")
    (settings.site / "logo.svg").chmod(0o666)
    private_files.protect(settings)
    assert open_to_others(settings.site) == {
        ".": "0o755",
        "2026-10-22.html": "0o644",
        "index.html": "0o644",
        "logo.svg": "0o644",
    }


def test_a_folder_for_other_things_too_stays_readable_where_others_may_read_the_site(old_home: Path) -> None:
    (old_home / "holiday.jpg").write_text("")
    private_files.protect(Settings(home=old_home, site_readable=True))
    assert mode(old_home) == 0o755


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
