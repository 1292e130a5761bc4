"""The package list of the image: complete, each package by hash, with the same versions as elsewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

HASHED = (ROOT / "deployments" / "requirements.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(text: str) -> dict[str, str]:
    """Return the version by name of all pinned packages."""
    return {canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([\w.+!]+)", text, re.M)}


def needed(requirement: Requirement, seen: set[tuple[str, frozenset[str]]]) -> Iterator[str]:
    """Return the names of a requirement and of its dependencies on this machine, from the installed packages."""
    name = canonicalize_name(requirement.name)
    if (name, frozenset(requirement.extras)) in seen:
        return
    seen.add((name, frozenset(requirement.extras)))
    yield name
    for told in requires(name) or ():
        below = Requirement(told)
        extras = requirement.extras or {""}
        if below.marker is None or any(below.marker.evaluate({"extra": extra}) for extra in extras):
            yield from needed(below, seen)


def test_every_package_of_the_list_has_the_version_of_constraints() -> None:
    constraints = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    hashed = pins(HASHED)
    assert len(hashed) > 100
    assert {name: constraints.get(name) for name in hashed} == hashed


def test_every_package_of_the_list_has_a_hash() -> None:
    entries = re.split(r"\n(?=\S)", HASHED.strip())
    assert len(entries) == len(pins(HASHED))
    assert [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)] == []


def test_the_list_names_no_index_and_nothing_but_packages() -> None:
    line = re.compile(r"[\w.-]+==[\w.+!]+(?: ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?")
    assert [one for one in HASHED.splitlines() if not line.fullmatch(one)] == []


def test_the_list_has_all_that_the_project_needs_at_run_time() -> None:
    seen: set[tuple[str, frozenset[str]]] = set()
    wanted: set[str] = set()
    for told in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["image"]]:
        try:
            wanted |= set(needed(Requirement(told), seen))
        except PackageNotFoundError as error:
            raise AssertionError(f"{error} is not installed: make setup") from None
    assert wanted - pins(HASHED).keys() == set()
    assert not {"pytest", "ruff", "fakesnow"} & pins(HASHED).keys()


def test_the_image_installs_by_hash_and_the_project_without_a_download() -> None:
    dockerfile = re.sub(r"\\\n\s*", "", (ROOT / "deployments" / "Dockerfile").read_text(encoding="utf-8"))
    listed, project = re.findall(r"pip install (.*?)(?: &&|$)", dockerfile, re.MULTILINE)
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(listed.split())
    assert {"--no-deps", "--no-index", "--no-build-isolation"} <= set(project.split())
