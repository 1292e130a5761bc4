"""The answer journal: every answer of an endpoint is on the disk before anything else happens to it.

A file belongs to one asking, which holds a lock on it and deletes it once its answers are in the warehouse. A file
whose lock is free was left behind by a process that was killed: the next asking about that day and stage reads it.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import logging
import os
import threading
import uuid
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from hnintel.hashes import hash_of_values

_log = logging.getLogger(__name__)
_SUFFIX = ".journal"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that arrived: its content, how it ended, and its tokens."""

    function: str
    content: str
    finish: str
    input_tokens: int
    output_tokens: int
    is_counted: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was sent, with the most tokens that it may be billed for."""

    function: str
    input_tokens: int
    output_tokens: int


@dataclass(slots=True)
class Left:
    """What a killed asking left behind: its answers, by key, and the worst case of the requests under way then."""

    about: Mapping[str, str]
    answers: dict[str, Answered] = field(default_factory=dict)
    under_way: dict[int, Sent] = field(default_factory=dict)


def key_of(model: str, messages: object, parameters: object) -> str:
    """The key of a question: the same model, messages, parameters and schema have the same key."""
    return hash_of_values([model, messages, parameters])


class Journal:
    """The journal of one asking. Requests are noted from one event loop; ``write`` may block and is thread-safe.

    Args:
        folder: of all journals; created if it is not there.
        about: names what is asked about: run, day and stage.
    """

    def __init__(self, folder: Path, about: Mapping[str, str]) -> None:
        self._folder, self._about = folder, dict(about)
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._known: dict[str, Answered] = {}
        self._taken: list[tuple[Path, int]] = []
        self._numbers = itertools.count(1)
        self._is_broken = False

    def take_over(self) -> list[Left]:
        """Read the files that killed askings about the same day and stage left behind; their answers are then known."""
        found = []
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")) if self._folder.is_dir() else ():
            locked = _locked(path)
            if locked is None:
                continue
            left = read(path)
            if left is None or not self._is_alike(left.about):
                os.close(locked)
                continue
            self._taken.append((path, locked))
            self._known |= left.answers
            found.append(left)
        return found

    def find(self, key: str) -> Answered | None:
        """The answer that a killed asking got to the same question."""
        return self._known.get(key)

    def sent(self, request: Sent) -> int:
        """Note that a request is about to be sent; return its number.

        The note need not be on the disk before the request is sent: a killed process loses nothing that was written.
        """
        number = next(self._numbers)
        self._write({"sent": number, **asdict(request)}, sync=False)
        return number

    def unbilled(self, number: int) -> None:
        """Note that a request was refused or never arrived, so that it costs nothing."""
        self._write({"unbilled": number}, sync=False)

    def answered(self, number: int, key: str, answer: Answered) -> None:
        """Write an answer down and wait until the disk has it. An answer that cannot be written is reported once."""
        self._write({"answered": number, "key": key, **asdict(answer)}, sync=True)

    def end(self, stored: bool) -> None:
        """Close the file; delete it, and those taken over, if the answers are *stored* in the warehouse."""
        with self._lock:
            if self._file is not None:
                path = Path(self._file.name)
                if stored:
                    path.unlink(missing_ok=True)
                self._file.close()
                self._file = None
            for path, locked in self._taken:
                if stored:
                    path.unlink(missing_ok=True)
                os.close(locked)
            self._taken.clear()

    def _is_alike(self, about: Mapping[str, str]) -> bool:
        return all(about.get(name) == self._about.get(name) for name in ("day", "stage"))

    def _write(self, entry: Mapping[str, Any], sync: bool) -> None:
        with self._lock:
            if self._is_broken:
                return
            try:
                if self._file is None:
                    self._file = self._open()
                self._file.write(_line(entry))
                if sync:
                    os.fsync(self._file.fileno())
            except OSError as error:  # a full disk; the answers themselves are still good
                self._is_broken = True
                _log.warning(
                    "%s cannot be written (%s): if this process is killed now, answers that were paid for are asked "
                    "for again; make room there",
                    *(self._folder, error.strerror),
                )

    def _open(self) -> IO[bytes]:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = (self._folder / f"{uuid.uuid4().hex}{_SUFFIX}").open("xb", buffering=0)
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.write(_line({"about": self._about}))
        return file


def read(path: Path) -> Left | None:
    """What is in the file; None where it does not begin as a journal does. A torn or damaged line is left out."""
    lines = _entries(path)
    first = next(lines, None)
    if first is None or not isinstance(first.get("about"), dict):
        return None
    left = Left(first["about"])
    for entry in lines:
        with suppress(KeyError, TypeError):
            if "sent" in entry:
                number = entry.pop("sent")
                left.under_way[number] = Sent(**entry)
            elif "unbilled" in entry:
                left.under_way.pop(entry["unbilled"], None)
            else:
                number, key = entry.pop("answered"), entry.pop("key")
                left.answers[key] = Answered(**entry)
                left.under_way.pop(number, None)
    return left


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    try:
        content = path.read_bytes()
    except OSError:
        return
    for line in content.split(b"\n"):
        checksum, _, body = line.partition(b" ")
        if checksum == _checksum(body):
            with suppress(ValueError, RecursionError):
                entry = json.loads(body)
                if isinstance(entry, dict):
                    yield entry


def _line(entry: Mapping[str, Any]) -> bytes:
    # Half of a surrogate pair cannot be encoded; as an escape it can, and it is read back as it was.
    body = json.dumps(entry, ensure_ascii=True).encode()
    return _checksum(body) + b" " + body + b"\n"


def _checksum(body: bytes) -> bytes:
    return b"%08x" % zlib.crc32(body)


def _locked(path: Path) -> int | None:
    """A descriptor that holds the file's lock; None where its asking is alive, or it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    if not path.exists():  # deleted between the two by its asking, which had stored its answers
        os.close(descriptor)
        return None
    return descriptor
