"""The authentication string of a home: the same for concurrent starts, and private to its owner."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from flows.local import prefect_home
from flows.local.auth import CLIENT, FILE, SERVER, auth_string, shared_string, write_private, write_profile
from hnintel.errors import UsageError, WarehouseError
from hnintel.settings import load_settings
from tests.conftest import ROOT

_ASK = "import sys, pathlib; from flows.local.auth import auth_string; print(auth_string(pathlib.Path(sys.argv[1])))"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_all_who_start_at_once_on_a_new_home_get_the_same_string(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _ASK, str(tmp_path / "home" / "prefect")]
    (tmp_path / "home" / "prefect").mkdir(parents=True)
    with FileLock(tmp_path / "home" / "prefect" / f"{FILE}.lock"):  # until all of them have seen that there is none
        started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        time.sleep(3)
    given_out = {process.communicate(timeout=120)[0].strip() for process in started}
    (only,) = given_out
    assert len(only) > len("hnintel:") + 40


def test_two_homes_have_two_strings(tmp_path: Path) -> None:
    assert auth_string(tmp_path / "a") != auth_string(tmp_path / "b")


def test_the_string_and_its_folder_are_closed_to_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        auth_string(tmp_path / "prefect")
    finally:
        os.umask(before)
    assert (mode(tmp_path / "prefect"), mode(tmp_path / "prefect" / FILE)) == (0o700, 0o600)


def test_a_string_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    made = auth_string(tmp_path)
    (tmp_path / FILE).chmod(0o644)
    assert auth_string(tmp_path) == made
    assert mode(tmp_path / FILE) == 0o600


def test_an_empty_file_is_no_string(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    assert auth_string(tmp_path).startswith("hnintel:")


def test_an_unreadable_file_is_reported_in_a_line(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(WarehouseError, match=r"auth-string cannot be used \(Is a directory\): remove it"):
        auth_string(tmp_path)


@pytest.mark.parametrize("names", [(SERVER,), (CLIENT,), (SERVER, CLIENT)], ids=["server", "client", "both"])
def test_a_string_of_the_user_is_taken_whichever_setting_it_is_in(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert shared_string(dict.fromkeys(names, "admin:x"), tmp_path) == "admin:x"
    assert not (tmp_path / FILE).exists()


def test_two_different_strings_are_refused_without_showing_them(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        shared_string({SERVER: "admin:one-secret", CLIENT: "admin:other-secret"}, tmp_path)
    assert SERVER in str(told.value)
    assert "secret" not in str(told.value)


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_a_profile_gives_back_any_string(tmp_path_factory: pytest.TempPathFactory, auth: str) -> None:
    path = tmp_path_factory.getbasetemp() / "profile.toml"
    write_profile(path, "http://127.0.0.1:1/api", auth)
    read = tomllib.loads(path.read_text(encoding="utf-8"))
    assert read["profiles"][read["active"]] == {"PREFECT_API_URL": "http://127.0.0.1:1/api", CLIENT: auth}
    assert mode(path) == 0o600


def test_a_private_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(tmp_path / "there", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_the_string_of_a_home_is_kept_from_a_server_of_the_user(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CLIENT, raising=False)
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.setenv(name, os.environ[name])  # as it was, after the test
    monkeypatch.setenv("PREFECT_LOCAL_STORAGE_PATH", str(home))
    monkeypatch.setenv("PREFECT_RESULTS_DEFAULT_SERIALIZER", "json")
    before = dict(os.environ)
    auth_string(home / "prefect")
    with prefect_home.prefect(load_settings(), True, "https://prefect.example/api") as wait:
        wait()
        assert dict(os.environ) == before
