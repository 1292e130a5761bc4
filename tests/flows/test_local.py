"""The API of a run outside a deployment: the user's API if it is set, else a separate server."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.local import prefect_home

PROFILES = """
active = "here"
[profiles.here]
PREFECT_API_URL = "http://127.0.0.1:9/of-the-profile"
[profiles.bare]
PREFECT_LOGGING_LEVEL = "INFO"
"""


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any settings of Prefect."""
    for name in ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def profiles(folder: Path) -> None:
    folder.mkdir()
    (folder / "profiles.toml").write_text(PROFILES, encoding="utf-8")


def test_the_environment_names_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert prefect_home.own_api() == "http://127.0.0.1:9/api"


def test_where_nothing_is_set_prefect_is_not_even_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefect_home.subprocess, "run", None)
    assert prefect_home.own_api() is None


@pytest.mark.slow  # asks Prefect, in a process of its own
def test_the_profile_that_is_active_names_the_api(tmp_path: Path) -> None:
    profiles(tmp_path / ".prefect")
    assert prefect_home.own_api() == "http://127.0.0.1:9/of-the-profile"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("profile", "api"),
    [(None, "http://127.0.0.1:9/of-the-profile"), ("bare", None)],
    ids=["active", "without-an-api"],
)
def test_the_profile_of_another_home_does_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str | None, api: str | None
) -> None:
    profiles(tmp_path / "other")
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "other"))
    if profile:
        monkeypatch.setenv("PREFECT_PROFILE", profile)
    assert prefect_home.own_api() == api


def test_a_home_without_an_api_is_no_place_where_runs_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "new"))
    assert prefect_home.own_api() is None
