"""The rules of the house, read from the code itself: who may import whom, and that every file can be read."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import structure
from hnintel.partitions.stages.publish import PAGE_FILES
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
#: Who may import whom inside each of them: a line is a floor, the lowest first. What is on a floor may import what is
#: on the floors below it, and nothing beside it. A name is a package or a loose module; "." is the package's own file.
FLOORS = {
    "hnintel": """
        . errors events hashes http sample
        models process settings window
        engines web
        sources warehouse
        cost ledger
        enrich ingest site
        briefing checks enrichments spotlight transform
        doctor evaluation partitions runs
        planning
        cli
        __main__
    """,
    "tasks": """
        prefect_private
        assets backfill billing checks concurrency dbt_runner kept_results prefect_errors snowflake_block
        . brief events own_stage policies transform
        articles enrich ingest
        spotlight
    """,
    "flows": """
        approval futures local run_log stage task_runner
        . asking billing checks reading transform watch
        enrich spotlight
        main
        backfill_children reconcile
        backfill
    """,
    "deployments": """
        . audit command_line provisioning serving
        checking provision reference serve
    """,
}
#: So many modules may lie loose in ``hnintel/``; what is more has a package that it belongs to.
MOST_LOOSE = 10


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def breaches(path: Path, allowed: set[str], forbidden: set[str]) -> list[str]:
    """Imports of *path* from a *forbidden* place (a module or what is below it) that is not *allowed*."""
    return [
        f"{name_of(path)}:{one.line} imports {one.module}"
        for one in structure.imports(path, ROOT)
        if _is_below(one.module, forbidden) and not _is_below(one.module, allowed)
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


def not_downward(rooms: structure.Graph, package: str, table: str) -> list[str]:
    """Imports of *package* that do not run to a lower floor of *table*, and rooms that have no floor."""
    floors = {
        package if name == "." else f"{package}.{name}": number
        for number, line in enumerate(table.strip().splitlines())
        for name in line.split()
    }
    inside = {
        room: {one for one in others if one in rooms} for room, others in rooms.items() if _is_below(room, {package})
    }
    homeless = [f"{room} is on no floor" for room in sorted(inside.keys() - floors)]
    gone = [f"{room} is on a floor, and is not there" for room in sorted(floors.keys() - inside)]
    wrong = [
        f"{room} imports {other}, which is on no lower floor"
        for room, others in sorted(inside.items())
        for other in sorted(others & floors.keys())
        if room in floors and floors[other] >= floors[room]
    ]
    return homeless + gone + wrong


@pytest.mark.parametrize("package", FLOORS)
def test_a_room_imports_from_lower_floors_alone(package: str) -> None:
    rooms = structure.graph_of_rooms(structure.graph_of_files(ROOT))
    assert not_downward(rooms, package, FLOORS[package]) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    files = structure.graph_of_files(ROOT)
    assert len(files) == len(FILES)
    assert structure.circles(files) == []


def test_few_modules_lie_loose() -> None:
    assert 0 < len(structure.loose_modules(ROOT)) <= MOST_LOOSE


def test_the_architecture_names_every_package_in_a_line() -> None:
    told = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "hnintel").glob("*/__init__.py")}
    assert [room for room in sorted(rooms - {"sample"}) if f"\n| `{room}/` | " not in told] == []


def test_hnintel_needs_no_prefect() -> None:
    places = {"prefect", "prefect_dbt", "prefect_snowflake"}
    assert [
        line for path in FILES if name_of(path).startswith("hnintel/") for line in breaches(path, set(), places)
    ] == []


@pytest.mark.slow  # processes that import Prefect
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

    settings = ROOT / "hnintel" / "settings" / "__init__.py"
    files = [path for path in FILES if name_of(path).startswith("hnintel/") and path != settings]
    assert [line for path in files for line in reads(path)] == []
    assert any(reads(settings))


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


STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|CREATE|ALTER|DROP)\b")
BELONGS_IN_A_FILE = re.compile(r"\b(JOIN|UNION|MERGE)\b|^\s*WITH\b|;\s*(SELECT|INSERT|UPDATE|DELETE|CREATE)\b")
LONGEST_INLINE = 240


def inline_statements(path: Path) -> Iterator[tuple[int, str]]:
    """Every SQL statement that *path* has in a string, with its line; what is filled in stands as ``{}``."""
    nested = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        text = None if node in nested else _text_of(node)
        if text is not None:
            nested.update(ast.walk(node))
            if STATEMENT.match(text):
                yield node.lineno, text  # type: ignore[attr-defined]  # an expression has one


def _text_of(node: ast.AST) -> str | None:
    """The text of a string, an f-string, or strings put together by ``+``; None of anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_text_of(part) or "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text_of(node.left), _text_of(node.right)
        return None if left is None and right is None else (left or "{}") + (right or "{}")
    return None


def too_much_inline(path: Path) -> list[str]:
    """The statements of *path* that belong in a file, by the rule of CONTRIBUTING.md."""
    return [
        f"{name_of(path)}:{line} has a statement that belongs in hnintel/sql/: {text[:60]}"
        for line, text in inline_statements(path)
        if len(text) > LONGEST_INLINE or BELONGS_IN_A_FILE.search(text)
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_statement_that_is_long_or_joins_tables_is_a_file(package: str) -> None:
    files = [path for path in FILES if name_of(path).startswith(f"{package}/")]
    assert [line for path in files for line in too_much_inline(path)] == []


def test_the_rule_for_statements_sees_them_however_they_are_written(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "wrong.py"
    path.write_text(
        f"""
short = "SELECT count(*) FROM raw.items WHERE day = ?"
words = "JOIN the others, MERGE what is there: no statement"
joined = f"SELECT a FROM {{table}} AS a JOIN b ON b.id = a.id"
added = "SELECT a FROM " + table + " AS a JOIN b ON b.id = a.id"
halves = (
    "SELECT a FROM b "
    "UNION SELECT a FROM c"
)
with_names = " WITH a AS (SELECT 1) SELECT * FROM a"
long = "SELECT a FROM b WHERE c IN ({"?, " * LONGEST_INLINE})"
merge = "MERGE INTO a USING b ON a.id = b.id"
several = "CREATE MACRO a() AS 1; CREATE MACRO b() AS 2"
"""
    )
    assert [line.split(" ")[0].partition(":")[2] for line in too_much_inline(path)] == [
        *("4", "5", "7", "10", "11", "12", "13"),
    ]


def test_every_statement_file_is_in_the_folder_of_a_package() -> None:
    folder = ROOT / "hnintel" / "sql"
    packages = {path.name for path in (ROOT / "hnintel").iterdir() if (path / "__init__.py").is_file()}
    assert {path.parent for path in folder.rglob("*.sql")} > {folder / "ledger"}
    assert {path.relative_to(folder).parts[0] for path in folder.rglob("*.sql")} <= packages | {"migrations"}


def test_a_statement_that_pages_are_made_with_is_in_their_fingerprint() -> None:
    """Else pages that were published before stay as they were when it changes."""
    code = (ROOT / "hnintel" / "briefing" / "pages.py").read_text(encoding="utf-8")
    files = {f"hnintel/sql/{name}.sql" for name in re.findall(r"""statement\(\s*"([^"]+)\"""", code)}
    assert files
    assert files <= set(PAGE_FILES)
    assert all((ROOT / name).exists() for name in PAGE_FILES)


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


def test_floors_say_what_imports_upward_or_beside_itself_and_what_has_no_floor() -> None:
    rooms = {"it": set(), "it.low": set(), "it.beside": {"it.low"}, "it.high": {"it.low", "it"}, "it.new": {"it.high"}}
    assert not_downward(rooms, "it", ". low\nbeside\nhigh\nnew") == []
    assert not_downward(rooms, "it", ". low beside\nhigh gone") == [
        "it.new is on no floor",
        "it.gone is on a floor, and is not there",
        "it.beside imports it.low, which is on no lower floor",
    ]
    assert not_downward(rooms, "it", "high\n. low\nbeside\nnew") == [
        "it.high imports it, which is on no lower floor",
        "it.high imports it.low, which is on no lower floor",
    ]


@pytest.mark.slow  # a process
def test_commands_read_their_arguments_before_prefect_is_imported() -> None:
    """Prefect reads its settings when it is imported: once it is, it is too late to tell it of the run's own server."""
    commands = [f"flows.local.{path.stem}" for path in (ROOT / "flows" / "local").glob("[a-z]*.py")]
    program = f"import sys, {', '.join(commands)}; sys.exit('prefect' in sys.modules)"
    assert commands
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
