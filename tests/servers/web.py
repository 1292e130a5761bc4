"""The web over a World: pages by host name and path, and each host's robots.txt."""

from __future__ import annotations

from collections.abc import Callable

from tests.servers.material import Page, World

#: A page of any length, for whoever asks for a host that the world has no pages of.
Maker = Callable[[str, str], Page]

NOT_FOUND = Page(b"<html><body><p>There is no such page.</p></body></html>", status=404)
NO_RULES = Page(status=404)


def page(world: World, host: str, path: str, make: Maker | None = None) -> Page:
    """The page at *path* of *host*; what the world does not have is made by *make*, or is not found.

    A host without a robots.txt of its own answers 404 for it, which allows everything.
    """
    known = world.pages.get(f"{host}{path}")
    if known is not None:
        return known
    if path == "/robots.txt":
        return NO_RULES
    return make(host, path) if make else NOT_FOUND


def article(host: str, path: str, paragraphs: int = 12) -> Page:
    """An article for any URL, with enough in it for an extractor to find; the same for the same URL."""
    title = f"What {host} has to say about {path.strip('/') or 'itself'}"
    sentence = (
        f"The people behind {host} have thought about {path} for a long while, and they wrote down what came of it. "
    )
    body = "".join(f"<p>Part {number}. {sentence * 4}</p>" for number in range(1, paragraphs + 1))
    navigation = "".join(f'<li><a href="/{number}">Section {number}</a></li>' for number in range(8))
    html = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title></head><body>"
        f"<nav><ul>{navigation}</ul></nav><article><h1>{title}</h1>{body}</article>"
        f"<footer>© {host}</footer></body></html>"
    )
    return Page(html.encode())
