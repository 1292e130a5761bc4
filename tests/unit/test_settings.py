"""Settings: defaults, the environment, and what is told where a value does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from hnintel.errors import UsageError
from hnintel.settings import PREFIX, ROOT, Settings, load_settings

Environment = pytest.MonkeyPatch


def test_without_an_environment_there_are_the_defaults() -> None:
    settings = load_settings()
    assert settings.time_zone == "America/New_York"
    assert settings.folder == ROOT / ".hnintel"
    assert settings.warehouse_file == ROOT / ".hnintel" / "hnintel.duckdb"


def test_everything_that_is_written_is_below_the_home_folder(tmp_path: Path, monkeypatch: Environment) -> None:
    monkeypatch.setenv("HNINTEL_HOME", str(tmp_path / "a home"))
    settings = load_settings()
    for path in (settings.warehouse_file, settings.site, settings.logs):
        assert path.is_relative_to(tmp_path / "a home")


def test_a_home_may_be_named_from_where_one_stands_or_lives(tmp_path: Path, monkeypatch: Environment) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(home="here").folder == tmp_path / "here"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings(home="~/there").folder == tmp_path / "there"


def test_what_is_given_wins_over_the_environment_and_that_over_the_default(monkeypatch: Environment) -> None:
    monkeypatch.setenv("HNINTEL_ENRICH_CHUNK", "7")
    assert load_settings().enrich_chunk == 7
    assert load_settings(enrich_chunk=9).enrich_chunk == 9
    assert load_settings(enrich_chunk=None).enrich_chunk == 7


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ENRICH_CHUNK", "0", "HNINTEL_ENRICH_CHUNK=0: "),
        ("ENRICH_CHUNK", "many", "HNINTEL_ENRICH_CHUNK=many: "),
        ("LOCK_WAIT", "-1", "HNINTEL_LOCK_WAIT=-1: "),
        ("BAD_ANSWER_SHARE", "1.5", "HNINTEL_BAD_ANSWER_SHARE=1.5: "),
        ("TIME_ZONE", "Mars/Base", "use a name such as America/New_York"),
        ("TIME_ZONE", "../etc/passwd", "use a name such as America/New_York"),
        ("FIRST_DAY", "yesterday", "HNINTEL_FIRST_DAY=yesterday: "),
        ("ENGINE", "magic", "HNINTEL_ENGINE=magic: "),
        ("ALLOWED_PORTS", "80,443", "cannot be read"),
    ],
)
def test_a_value_that_does_not_fit_is_told_in_one_line(
    monkeypatch: Environment, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(UsageError, match=told) as refused:
        load_settings()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("HNINTEL_ENRICH_CHUNKS", r"not a setting: did you mean HNINTEL_ENRICH_CHUNK\?"),
        ("HNINTEL_QQQQQQQQQQQQQQQQQQQQQQQQ", "not a setting: .*lists all settings"),
    ],
)
def test_a_variable_that_is_no_setting_is_refused(monkeypatch: Environment, name: str, told: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(UsageError, match=told):
        load_settings()


def test_a_variable_of_somebody_else_is_not_ours_to_refuse(monkeypatch: Environment) -> None:
    monkeypatch.setenv("HN_INTELLIGENCE", "1")
    load_settings()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_told_in_a_sentence_and_has_a_default_that_fits(name: str) -> None:
    field = Settings.model_fields[name]
    assert field.description
    assert field.description.endswith(".")
    assert not field.is_required()
    Settings(**{name: getattr(Settings(), name)})


def test_settings_that_are_the_same_open_the_same_warehouse(tmp_path: Path) -> None:
    from hnintel.warehouse import open_warehouse

    assert open_warehouse(load_settings(home=tmp_path)) is open_warehouse(load_settings(home=tmp_path))
    assert open_warehouse(load_settings(home=tmp_path)) is not open_warehouse(load_settings(home=tmp_path / "other"))


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "HOME", "")
    monkeypatch.setenv(PREFIX + "LOCK_WAIT", "")
    assert (load_settings().home, load_settings().lock_wait) == (Settings().home, Settings().lock_wait)
    assert load_settings().home.name == ".hnintel"
