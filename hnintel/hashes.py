"""Hashes of contents: equal contents have the same hash. They name and compare; none of them keeps a secret."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any


def hash_of_bytes(*parts: bytes) -> str:
    """The md5, 32 hexadecimal digits, of *parts* one behind the other."""
    digest = hashlib.md5(usedforsecurity=False)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def hash_of_text(text: str) -> str:
    """The md5 of *text* in UTF-8, which is what ``md5`` gives in the warehouse.

    Raises:
        UnicodeEncodeError: the text has half a surrogate pair.
    """
    return hash_of_bytes(text.encode())


def hash_of_values(values: object, sort_keys: bool = False, default: Callable[[Any], Any] | None = None) -> str:
    """The md5 of plain values as JSON, all in ASCII.

    Args:
        values: what JSON can hold, and what *default* makes of the rest.
        sort_keys: whether the order of an object's keys makes no difference.
        default: as :func:`json.dumps` takes it.

    Raises:
        TypeError: JSON holds no such value, and there is no *default*.
    """
    return hash_of_text(json.dumps(values, sort_keys=sort_keys, default=default))
