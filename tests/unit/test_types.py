"""The type checker is as strict as it can be, and whoever installs the packages gets their types."""

from __future__ import annotations

import re
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CHECKED = ("hnintel", "tasks", "flows", "deployments")
_IGNORE = re.compile(r"#\s*type:\s*ignore(?P<code>\[[a-z-]+(, ?[a-z-]+)*\])?(?P<rest>.*)")


def ignores() -> Iterator[tuple[str, str, str]]:
    """Each line with a `type: ignore`: where it is, the line, and the line above."""
    for folder in CHECKED:
        for path in sorted((ROOT / folder).rglob("*.py")):
            lines = ["", *path.read_text().splitlines()]
            for number, line in enumerate(lines):
                if _IGNORE.search(line):
                    yield f"{path.relative_to(ROOT)}:{number}", line, lines[number - 1]


def test_mypy_is_strict_over_every_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert settings["strict"] is True
    assert set(settings["files"]) == set(CHECKED)


def test_an_ignored_type_error_names_its_code_and_its_reason() -> None:
    bare = []
    for where, line, above in ignores():
        match = _IGNORE.search(line)
        assert match
        has_reason = "#" in match["rest"] or above.lstrip().startswith("#")
        if not (match["code"] and has_reason):
            bare.append(f"{where}: {line.strip()}")
    assert bare == []


def test_there_is_no_blanket_ignore_of_a_file() -> None:
    for folder in CHECKED:
        for path in (ROOT / folder).rglob("*.py"):
            assert not re.search(r"^# mypy: (ignore-errors|disable-error-code)", path.read_text(), re.MULTILINE), path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in the wheel that the build backend makes of the tree."""
    setuptools = pytest.importorskip("setuptools.build_meta")
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    for package in ("hnintel", "tasks", "flows"):
        (source / package).mkdir()
        for name in ("__init__.py", "py.typed"):
            (source / package / name).write_bytes((ROOT / package / name).read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(source)
        name = setuptools.build_wheel(str(built))
    with zipfile.ZipFile(built / name) as archive:
        return archive.namelist()


@pytest.mark.parametrize("package", ["hnintel", "tasks", "flows"])
def test_a_wheel_says_that_the_package_has_types(wheel: list[str], package: str) -> None:
    assert f"{package}/py.typed" in wheel
