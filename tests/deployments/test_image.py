"""The files of the image: everything that a worker needs, by name, and no secret of the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.deployments.image import copied, in_the_image, let_in

DOCKERFILE = (ROOT / "deployments" / "Dockerfile").read_text(encoding="utf-8")
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8")
#: Names that hold secrets, and folders that hold data.
SECRETS = (
    "worker.env",
    ".env",
    ".env.local",
    "key.pem",
    "rsa_key.p8",
    "rsa_key",
    "rsa_key.pub",
    "tls.key",
    ".hnintel/prefect/prefect.db",
    ".git/config",
    "hnintel.duckdb",
)
FOLDERS = ("", "deployments/", "hnintel/", "hnintel/sql/", "flows/", "tasks/", "dbt/", "dbt/models/staging/")
#: Of a checkout, what no image needs: left out even where it holds no secret.
NOT_NEEDED = ("tests/conftest.py", "bench/README.md", "deployments/compose.yaml", "deployments/serve.py", "Makefile")


def checkout() -> Iterator[str]:
    """Create the files of the project as the root of a build."""
    kept = ("hnintel", "tasks", "flows", "dbt", "deployments", "tests", "bench", "docs")
    for top in kept:
        for folder, _, names in os.walk(ROOT / top):
            yield from (str((Path(folder) / name).relative_to(ROOT)) for name in names)
    yield from (path.name for path in ROOT.iterdir() if path.is_file())


def test_no_secret_of_a_checkout_gets_into_the_image() -> None:
    planted = {f"{folder}{name}" for folder in FOLDERS for name in SECRETS}
    found = set(in_the_image(IGNORE, DOCKERFILE, {*checkout(), *planted}).values())
    assert found & planted == set()
    assert "hnintel/settings/__init__.py" in found


@given(
    folder=st.sampled_from(FOLDERS),
    between=st.lists(st.from_regex(r"[a-z]{1,6}", fullmatch=True), max_size=3),
    name=st.sampled_from(SECRETS),
)
def test_a_secret_is_left_out_however_deep_it_lies(folder: str, between: list[str], name: str) -> None:
    path = folder + "".join(f"{one}/" for one in between) + name
    assert not in_the_image(IGNORE, DOCKERFILE, [path])


def test_the_image_has_nothing_of_the_checkout_that_a_worker_does_not_need() -> None:
    found = set(in_the_image(IGNORE, DOCKERFILE, checkout()).values())
    assert found.isdisjoint(NOT_NEEDED)
    assert {path.split("/")[0] for path in found} == {
        *("hnintel", "tasks", "flows", "dbt", "deployments"),
        *("pyproject.toml", "prefect.yaml", "README.md"),
    }


def test_what_is_copied_out_of_deployments_is_named_file_by_file() -> None:
    sources = [source for source, _ in copied(DOCKERFILE)]
    assert "." not in sources
    assert "deployments" not in sources
    assert all((ROOT / source).exists() for source in sources)


@pytest.mark.parametrize("path", [f"{folder}{name}" for folder in ("", "deployments/") for name in SECRETS[:8]])
def test_git_does_not_take_a_secret_in(path: str, tmp_path: Path) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("no git here")
    shutil.copy(ROOT / ".gitignore", tmp_path)
    subprocess.run([git, "init", "-q"], cwd=tmp_path, check=True)
    asked = subprocess.run([git, "check-ignore", "-q", path], cwd=tmp_path, check=False)
    assert asked.returncode == 0


@pytest.mark.parametrize(
    ("path", "given"),
    [("a/b.py", True), ("a/b.env", False), ("a/.env", False), ("c/d.py", False), ("c/kept/e.py", True), ("f", False)],
)
def test_the_reading_of_dockerignore_is_dockers(path: str, given: bool) -> None:
    assert let_in("# a comment\n*\n!a\n\n!c/kept\n**/*.env\n", path) is given


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the working folder of the image's last stage."""
    folder = tmp_path_factory.mktemp("image")
    for name, path in in_the_image(IGNORE, DOCKERFILE, checkout(), stage=1).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / name)
    return folder


def _run(unpacked: Path, home: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HNINTEL_"))}
    environ = kept | {"HNINTEL_HOME": str(home), "PREFECT_HOME": str(home), "PYTHONPATH": str(unpacked)}
    command = [sys.executable, *argv]
    return subprocess.run(command, cwd=unpacked, env=environ, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_a_worker_starts_with_what_is_in_the_image(unpacked: Path, tmp_path: Path) -> None:
    """Each command of compose.yaml fails only when it connects to the missing server."""
    told = _run(unpacked, tmp_path, "-m", "hnintel", "settings")
    assert told.returncode == 0, told.stderr
    lacking = _run(unpacked, tmp_path, "deployments/provision.py")
    assert re.fullmatch(r"error: PREFECT_API_URL is not set: [^\n]*\n", lacking.stderr)
    imported = (
        "import deployments.provisioning.changes as p; p.declared_automations(p.Path('deployments/automations.yaml'))"
    )
    assert _run(unpacked, tmp_path, "-c", imported).stderr == ""


def test_every_entrypoint_of_prefect_yaml_is_in_the_image(unpacked: Path) -> None:
    named = re.findall(r"entrypoint: ([\w/]+\.py):", (unpacked / "prefect.yaml").read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if not (unpacked / name).is_file()] == []
