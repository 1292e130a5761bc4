"""How a method says that it has no answer."""

from __future__ import annotations

from typing import NoReturn


class NoMethod(Exception):
    """The engine has no method for what is asked, or found no evidence for an answer."""


def refuse(what: str) -> NoReturn:
    """Gives up the row: the engine has no method for *what*."""
    raise NoMethod(what)
