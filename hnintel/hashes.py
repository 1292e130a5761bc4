"""Hashes that name and compare contents; none of them protects a secret."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any


def hash_of_bytes(*parts: bytes) -> str:
    """The md5 of the concatenated *parts*, as 32 hexadecimal digits."""
    digest = hashlib.md5(usedforsecurity=False)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def hash_of_text(text: str) -> str:
    """The md5 of *text* in UTF-8; equal to ``md5`` in the warehouse.

    Raises:
        UnicodeEncodeError: the text has half a surrogate pair.
    """
    return hash_of_bytes(text.encode())


def hash_of_values(values: object, sort_keys: bool = False, default: Callable[[Any], Any] | None = None) -> str:
    """The md5 of plain values as JSON in ASCII.

    Args:
        values: values that JSON can represent, or that *default* converts.
        sort_keys: ignore the order of an object's keys.
        default: as for :func:`json.dumps`.

    Raises:
        TypeError: JSON cannot represent a value, and there is no *default*.
    """
    return hash_of_text(json.dumps(values, sort_keys=sort_keys, default=default))
