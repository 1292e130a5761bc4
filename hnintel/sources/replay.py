"""A dump of raw Firebase items, replayed: ``.json``, ``.ndjson``, ``.gz``, ``.xz``; pages from an optional folder."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import httpx

from hnintel.errors import SourceError, UsageError
from hnintel.sources.base import Listing, Reading
from hnintel.sources.memory import ItemStore
from hnintel.sources.page_files import PageFiles
from hnintel.window import Window

_ENDINGS = (".json", ".ndjson", ".jsonl")
_PACKED: dict[str, Callable[[Path], Any]] = {".gz": gzip.GzipFile, ".xz": lzma.LZMAFile}


class ReplaySource:
    """Items from a file, or from every file of a folder, in the order of their names.

    Args:
        path: the file or folder.
        pages: a folder with ``pages.json`` (URL → answer, see :class:`PageFiles`); None: there are no pages.

    Raises:
        UsageError: a path does not exist, or holds no items.
    """

    name = "replay"
    lists_gone = True

    def __init__(self, path: Path, pages: Path | None = None) -> None:
        self._files = _files(path)
        if pages is not None and not (pages / "pages.json").is_file():
            raise UsageError(f"{pages} has no pages.json: give a folder of pages, or leave it out")
        self._pages = pages
        self.pages()  # what is wrong with it is told before anything is run

    @cached_property
    def identity(self) -> str:
        """Of the files' names, sizes and times of change."""
        told = [(str(file.absolute()), file.stat().st_size, file.stat().st_mtime_ns) for file in self._files]
        return "replay-" + hashlib.md5(repr(told).encode(), usedforsecurity=False).hexdigest()

    @cached_property
    def _store(self) -> ItemStore:
        store = ItemStore()
        for file in self._files:
            store.add(_read(file, store))
        return store

    @property
    def notes(self) -> Counter[str]:
        """What is in the files and is no item, counted."""
        return self._store.notes

    def newest_day(self, zone: str) -> date | None:
        """The newest day with a story in the dump."""
        return self._store.newest_day(zone)

    def days(self, zone: str) -> list[date]:
        """Every day with a story in the dump, the oldest first."""
        return self._store.days(zone)

    async def list_day(self, window: Window) -> Listing:
        """The dump's stories of the window, with what was malformed counted."""
        return self._store.list_day(window)

    async def moving(self) -> frozenset[int]:
        """None: a dump that changes is another one."""
        return frozenset()

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        """From memory."""
        return self._store.read(ids)

    def pages(self) -> httpx.AsyncBaseTransport | None:
        """The given folder's pages, if one was given."""
        return PageFiles([self._pages]) if self._pages else None


def _files(path: Path) -> list[Path]:
    if path.parts[:1] in (("http:",), ("https:",)):
        raise UsageError("a dump is not fetched: download it first, and give its file")
    if not path.exists():
        raise UsageError(f"{path} does not exist: give a file or folder of Hacker News items")
    if path.is_file():
        if not is_dump(path):
            raise UsageError(f"{path.name} is none of {', '.join(_ENDINGS)}, plain or with {', '.join(_PACKED)}")
        return [path]
    if not path.is_dir():
        raise UsageError(f"{path} is neither a file nor a folder")
    files = sorted(file for file in path.iterdir() if file.is_file() and is_dump(file))
    if not files:
        raise UsageError(f"{path} holds no file that ends in {', '.join(_ENDINGS)}, plain or with {', '.join(_PACKED)}")
    return files


def is_dump(file: Path) -> bool:
    """Whether a file is one of items, by its name."""
    name = Path(file.name.lower())  # a dump that was made on Windows may shout
    plain = name.with_suffix("") if name.suffix in _PACKED else name
    return plain.suffix in _ENDINGS and name.name != "pages.json"


def _read(file: Path, store: ItemStore) -> Iterator[object]:
    """The values of *file*: one a line, or one array, or one item.

    Raises:
        SourceError: the file cannot be read to its end; half a dump is not taken for a whole one.
    """
    try:
        with _open(file) as stream:
            first = stream.read(1)
            while first and first in b" \t\r\n\xef\xbb\xbf":
                first = stream.read(1)
            if first == b"[":
                yield from _array(b"[" + stream.read(), file)
            elif first:
                yield from _lines(first, stream, store)
    except (EOFError, lzma.LZMAError, zlib.error, OSError) as error:
        told = "ends before its time" if isinstance(error, EOFError) else str(error) or type(error).__name__
        raise SourceError(f"{file} cannot be read: {told}; nothing of it was taken") from None


def _open(file: Path) -> IO[bytes]:
    unpacked = _PACKED.get(file.suffix.lower())
    return unpacked(file) if unpacked else file.open("rb")


def _array(content: bytes, file: Path) -> list[Any]:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        raise SourceError(f"{file} begins as a JSON array and is none; nothing of it was taken") from None
    return values if isinstance(values, list) else [values]


def _lines(first: bytes, stream: IO[bytes], store: ItemStore) -> Iterator[object]:
    line = first + stream.readline()
    rest = b""
    if first == b"{" and not _loads(line)[0]:
        # One item printed over several lines is JSON as a whole; a broken first line of many is not.
        rest = stream.read()
        whole, value = _loads(line + rest)
        if whole:
            yield value
            return
    for text in [line, *rest.splitlines()] if rest else _chain(line, stream):
        if text.strip():
            parsed, value = _loads(text)
            if parsed:
                yield value
            else:
                store.notes["lines that are not JSON"] += 1


def _chain(line: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    yield line
    yield from stream


def _loads(text: bytes) -> tuple[bool, Any]:
    try:
        return True, json.loads(text)
    except (ValueError, RecursionError):
        return False, None
