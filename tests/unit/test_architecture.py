"""The rules of the house, read from the code itself: imports run one way, and every file can be read."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("deployments", "flows", "tasks", "hnintel")
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
#: What each package may import of the others.
BELOW = {
    "deployments": {"flows", "tasks", "hnintel"},
    "flows": {"tasks", "hnintel"},
    "tasks": {"hnintel"},
    "hnintel": set(),
}
LONGEST = 400


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that *path* imports, wherever in the file, with its line; relative ones made absolute."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            yield node.lineno, ".".join((*above, node.module or "")).rstrip(".")


def breaches(path: Path, allowed: set[str], forbidden: set[str]) -> list[str]:
    """Imports of *path* from a *forbidden* place (a module or what is below it) that is not *allowed*."""
    return [
        f"{name_of(path)}:{line} imports {module}"
        for line, module in imports(path)
        if _is_below(module, forbidden) and not _is_below(module, allowed)
    ]


def _is_below(module: str, places: set[str]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str) -> None:
    others = set(PACKAGES) - {package} | {"tests", "bench"}
    found = [
        line
        for path in FILES
        if name_of(path).startswith(f"{package}/")
        for line in breaches(path, BELOW[package], others)
    ]
    assert found == []


def test_hnintel_needs_no_prefect() -> None:
    places = {"prefect", "prefect_dbt", "prefect_snowflake"}
    assert [
        line for path in FILES if name_of(path).startswith("hnintel/") for line in breaches(path, set(), places)
    ] == []


def test_a_flow_loads_dbt_and_snowflake_only_when_it_needs_them() -> None:
    flows = [f"flows.{path.stem}" for path in (ROOT / "flows").glob("[a-z]*.py")]
    slow = {"dbt", "prefect_dbt", "prefect_snowflake", "snowflake.connector"}
    code = f"import sys, {', '.join(flows)}; print(*{slow} & {{*sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (loaded.stdout.split(), loaded.returncode) == ([], 0), loaded.stderr


def test_an_enrichment_needs_nothing_but_the_means_to_declare_it() -> None:
    files = [path for path in FILES if name_of(path).startswith("hnintel/enrichments/")]
    assert len(files) > 1
    found = [line for path in files for line in breaches(path, {"hnintel.enrich.declaration"}, {"hnintel"})]
    assert found == []


def test_only_the_settings_read_the_environment() -> None:
    def reads(path: Path) -> Iterator[str]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = {node.attr} if isinstance(node, ast.Attribute) else set()
            names |= (
                {alias.name for alias in node.names}
                if isinstance(node, ast.ImportFrom) and node.module == "os"
                else set()
            )
            for name in names & {"environ", "environb", "getenv", "putenv"}:
                yield f"{name_of(path)}:{node.lineno} uses os.{name}"

    files = [path for path in FILES if name_of(path).startswith("hnintel/")]
    assert [line for path in files for line in reads(path) if not line.startswith("hnintel/settings.py")] == []
    assert any(reads(ROOT / "hnintel" / "settings.py"))


def test_the_domain_reads_no_clock_to_say_which_day_it_is() -> None:
    """``date.today()`` is the day of the machine, not of the business; a day comes in from outside."""
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("today", "utcnow")
    ]
    assert found == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_module_says_what_it_is_for_and_is_short_enough_to_be_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), f"{name_of(path)} has no docstring"
    assert len(text.splitlines()) <= LONGEST


def test_the_rules_catch_what_they_are_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "hnintel" / "sources" / "wrong.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "def late():\n    import prefect.task\n    from ...flows import main\n    from ..enrich.run import enrich\n"
    )
    assert breaches(path, set(), {"prefect", "flows"}) == [
        "hnintel/sources/wrong.py:2 imports prefect.task",
        "hnintel/sources/wrong.py:3 imports flows",
    ]
    assert breaches(path, {"hnintel.enrich"}, {"hnintel"}) == []


def test_commands_read_their_arguments_before_prefect_is_imported() -> None:
    """Prefect reads its settings when it is imported: once it is, it is too late to tell it of the run's own server."""
    commands = [f"flows.local.{path.stem}" for path in (ROOT / "flows" / "local").glob("[a-z]*.py")]
    program = f"import sys, {', '.join(commands)}; sys.exit('prefect' in sys.modules)"
    assert commands
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
