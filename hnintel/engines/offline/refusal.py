"""The exception of a method that has no answer."""

from __future__ import annotations

from typing import NoReturn


class NoMethod(Exception):
    """The engine has no method for the question, or the text has no evidence for an answer."""


def refuse(what: str) -> NoReturn:
    """Refuse the row: the engine has no method for *what*."""
    raise NoMethod(what)
