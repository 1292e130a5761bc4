"""The files of an image, from a simple parser of ``.dockerignore`` and of a Dockerfile's ``COPY`` lines.

Docker's rules that the two files use: a pattern matches a path or any folder above it, ``**`` stands for any number of
folders, ``!`` lets in again, and the last pattern that matches decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import PurePosixPath


def let_in(ignore: str, path: str) -> bool:
    """Return whether the build context includes *path*, relative to its root.

    Args:
        ignore: the text of a ``.dockerignore``.
        path: of a file, with forward slashes.
    """
    names = [path, *(str(one) for one in PurePosixPath(path).parents if str(one) != ".")]
    ignored = False
    for line in ignore.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted = _pattern(pattern.lstrip("!").strip("/"))
        if any(wanted.fullmatch(name) for name in names):
            ignored = not pattern.startswith("!")
    return not ignored


@lru_cache
def _pattern(glob: str) -> re.Pattern[str]:
    parts = {r"\*\*/": "(?:.*/)?", r"\*\*": ".*", r"\*": "[^/]*", r"\?": "[^/]"}
    words = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    return re.compile("".join(parts.get(re.escape(word), re.escape(word)) for word in words))


def copied(dockerfile: str, stage: int | None = None) -> Iterator[tuple[str, str]]:
    """Yield (source, destination) of each context ``COPY``, of all stages or of the stage with that index."""
    joined = re.sub(r"\\\n", " ", dockerfile)
    stages = re.split(r"^FROM ", joined, flags=re.MULTILINE)[1:]
    for text in stages if stage is None else [stages[stage]]:
        for line in re.findall(r"^(?:COPY|ADD) (.*)$", text, re.MULTILINE):
            words = line.split()
            if any(word.startswith("--from") for word in words):
                continue
            *sources, destination = [word for word in words if not word.startswith("--")]
            for source in sources:
                yield source.strip("/"), destination


def in_the_image(ignore: str, dockerfile: str, paths: Iterable[str], stage: int | None = None) -> dict[str, str]:
    """Return the copied files by their path relative to the working folder, each with its path in the context.

    Args:
        ignore: the text of a ``.dockerignore``.
        dockerfile: the text of a Dockerfile.
        paths: all files of the context.
        stage: the index of a stage; of all stages where it is None.
    """
    given = [path for path in paths if let_in(ignore, path)]
    found: dict[str, str] = {}
    for source, destination in copied(dockerfile, stage):
        for path in given:
            if path == source:
                inside = destination.endswith("/") or destination == "."
                name = f"{destination}/{PurePosixPath(path).name}" if inside else destination
            elif source == "." or path.startswith(f"{source}/"):
                name = f"{destination}/{path.removeprefix(source).lstrip('/')}"
            else:
                continue
            found[str(PurePosixPath(name))] = path
    return found
