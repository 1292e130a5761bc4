"""Replays a dump of raw Firebase items (``.json``, ``.ndjson``, ``.gz``, ``.xz``), with an optional folder of pages."""

from __future__ import annotations

import gzip
import json
import lzma
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import IO, Any

import httpx

from hnintel.errors import SourceError, UsageError
from hnintel.hashes import hash_of_text
from hnintel.sources.base import Listing, Prove, Reading
from hnintel.sources.json_http import MOST_BYTES
from hnintel.sources.memory import ItemStore
from hnintel.sources.page_files import PageFiles
from hnintel.window import Window

_ENDINGS = (".json", ".ndjson", ".jsonl")
_PACKED: dict[str, Callable[[Path], Any]] = {".gz": gzip.GzipFile, ".xz": lzma.LZMAFile}
#: An array is read whole, and a few bytes may unpack to more than memory has; a day of items is 10 MB.
_MOST_OF_AN_ARRAY = 256_000_000
_BLANK = b" \t\r\n\xef\xbb\xbf"
_NOT_JSON = "lines that are not JSON"
_TOO_LONG = f"lines of more than {MOST_BYTES // 1_000_000} MB"


class ReplaySource:
    """Items from a file, or from every file of a folder, in the order of file names.

    Args:
        path: the file or folder.
        pages: a folder with ``pages.json`` (URL → answer, see :class:`PageFiles`); None: no pages.

    Raises:
        UsageError: a path does not exist or has no dump.
    """

    name = "replay"
    lists_gone = True

    def __init__(self, path: Path, pages: Path | None = None) -> None:
        self._files = _files(path)
        if pages is not None and not (pages / "pages.json").is_file():
            raise UsageError(f"{pages} has no pages.json: give a folder of pages, or omit it")
        self._pages = pages
        self.pages()  # raises on faulty pages before anything runs

    @cached_property
    def identity(self) -> str:
        """A hash of the files' paths, sizes and times of change."""
        versions = [(str(file.absolute()), file.stat().st_size, file.stat().st_mtime_ns) for file in self._files]
        return "replay-" + hash_of_text(repr(versions))

    @cached_property
    def _store(self) -> ItemStore:
        store = ItemStore()
        for file in self._files:
            store.add(_read(file, store))
        return store

    @property
    def notes(self) -> Counter[str]:
        """Counts of the values in the files that are not items."""
        return self._store.notes

    @property
    def unreadable(self) -> bool:
        """Whether the files have lines, but no line is JSON."""
        return not self._store.items and bool(self.notes) and self.notes.keys() <= {_NOT_JSON, _TOO_LONG}

    def newest_day(self, zone: str) -> date | None:
        """The newest day with a story in the dump."""
        return self._store.newest_day(zone)

    def days(self, zone: str) -> list[date]:
        """Every day with a story in the dump, the oldest first."""
        return self._store.days(zone)

    async def list_day(self, window: Window, prove: Prove = "sample") -> Listing:
        """The dump's stories of the window, with counts of malformed values."""
        return self._store.list_day(window)

    async def moving(self) -> frozenset[int]:
        """Empty: a changed dump has another identity."""
        return frozenset()

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        """Read items from memory."""
        return self._store.read(ids)

    def pages(self) -> httpx.AsyncBaseTransport | None:
        """The pages of the given folder, else None."""
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
    """Whether a file's name is that of a dump."""
    name = Path(file.name.lower())  # endings may be in upper case
    plain = name.with_suffix("") if name.suffix in _PACKED else name
    return plain.suffix in _ENDINGS and name.name != "pages.json"


def _read(file: Path, store: ItemStore) -> Iterator[object]:
    """The values of *file*: a value a line, an array, or a single item.

    Raises:
        SourceError: the file cannot be read to its end; an incomplete dump is rejected.
    """
    try:
        with _open(file) as stream:
            start = b""
            while not start and (piece := stream.readline(MOST_BYTES)):
                start = piece.lstrip(_BLANK)
            if start.startswith(b"["):
                yield from _array(start + stream.read(_MOST_OF_AN_ARRAY), file)
            elif start:
                yield from _values(_lines(start, stream), store)
    except (EOFError, lzma.LZMAError, zlib.error, OSError) as error:
        reason = "the file is cut short" if isinstance(error, EOFError) else str(error) or type(error).__name__
        raise SourceError(f"{file} cannot be read: {reason}; no item of it was loaded") from None


def _open(file: Path) -> IO[bytes]:
    unpacked = _PACKED.get(file.suffix.lower())
    return unpacked(file) if unpacked else file.open("rb")


def _array(content: bytes, file: Path) -> list[Any]:
    if len(content) > _MOST_OF_AN_ARRAY:
        reason = f"is a JSON array of more than {_MOST_OF_AN_ARRAY // 1_000_000} MB: write an item a line"
        raise SourceError(f"{file} {reason}; no item of it was loaded")
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        raise SourceError(f"{file} begins like a JSON array but is not valid JSON; no item of it was loaded") from None
    return values if isinstance(values, list) else [values]


def _lines(begin: bytes, stream: IO[bytes]) -> Iterator[bytes | None]:
    """The lines of *stream* after *begin*; None for a line that is too long, which is skipped unread."""
    line = begin
    if not line.endswith(b"\n") and len(line) < MOST_BYTES:  # leading blanks were removed from it
        line += stream.readline(MOST_BYTES)
    while line:
        if line.endswith(b"\n") or len(line) < MOST_BYTES:
            yield line
        else:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MOST_BYTES)
            yield None
        line = stream.readline(MOST_BYTES)


def _values(lines: Iterator[bytes | None], store: ItemStore) -> Iterator[object]:
    """The values of the lines; lines that are not JSON are counted in *store*."""
    first = next(lines)
    head = [first]
    if first and first.startswith(b"{") and not _loads(first)[0]:
        # An item printed over several lines is JSON as a whole; a dump with a broken first line is not.
        size = len(first)
        for line in lines:
            head.append(line)
            size += len(line or b"")
            if line is None or size > MOST_BYTES:  # longer than any item
                break
        else:
            is_json, value = _loads(b"".join(line or b"" for line in head))
            if is_json:
                yield value
                return
    for line in chain(head, lines):
        if line is None:
            store.notes[_TOO_LONG] += 1
        elif line.strip():
            parsed, value = _loads(line)
            if parsed:
                yield value
            else:
                store.notes[_NOT_JSON] += 1


def _loads(text: bytes) -> tuple[bool, Any]:
    try:
        return True, json.loads(text)
    except (ValueError, RecursionError):
        return False, None
