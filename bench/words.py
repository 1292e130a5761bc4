"""Counts words that stand in for a noun or a precise verb, over the Python files of the project.

Docstrings, comments, messages and local names are counted apart. The code is parsed, never imported or run::

    python bench/words.py [--repo DIR]
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

TOPS = ("hnintel", "flows", "tasks", "deployments")
WORDS = ("told", "one", "found", "asked", "wanted", "there", "made", "kept", "held", "taken")
KINDS = ("docstrings", "comments", "messages", "names")

#: Occurrences of each (kind, word).
Counts = Counter[tuple[str, str]]

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, *_COMPREHENSIONS)


def count_words(text: str) -> Counter[str]:
    """Return how often each of ``WORDS`` is in *text*; an underscore separates words, case is ignored."""
    return Counter(word for word in re.findall(r"[a-z]+", text.lower()) if word in WORDS)


def count_source(source: str) -> Counts:
    """Return the counts of a module's *source*.

    Raises:
        SyntaxError: *source* is not Python.
    """
    tree = ast.parse(source)
    docstrings = list(_docstrings(tree))
    documented = {id(node) for node in docstrings}
    texts = {
        "docstrings": [str(node.value) for node in docstrings],
        "comments": _comments(source),
        "messages": [text for node in ast.walk(tree) if id(node) not in documented for text in _message(node)],
        "names": _local_names(tree),
    }
    counts: Counts = Counter()
    for kind, parts in texts.items():
        for part in parts:
            counts.update({(kind, word): count for word, count in count_words(part).items()})
    return counts


def count_repository(repository: Path) -> Counts:
    """Return the counts of all Python files below ``TOPS`` of *repository*."""
    counts: Counts = Counter()
    for top in TOPS:
        for path in sorted((repository / top).rglob("*.py")):
            counts.update(count_source(path.read_text(encoding="utf-8")))
    return counts


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield the docstring nodes of the module, its classes and its functions."""
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and node.body and isinstance(node.body[0], ast.Expr):
            value = node.body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value


def _comments(source: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def _message(node: ast.AST) -> Iterator[str]:
    """Yield the string of *node* if it has a blank; a key or a column's name has none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
        yield node.value


def _local_names(tree: ast.AST) -> Iterator[str]:
    """Yield each use of a name that is bound in a function, a lambda or a comprehension."""
    for scope in _outermost_scopes(tree):
        uses = list(_uses(scope))
        bound = {name for name, binds in uses if binds}
        yield from (name for name, _ in uses if name in bound)


def _outermost_scopes(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _SCOPES):
            yield child
        else:
            yield from _outermost_scopes(child)


def _uses(scope: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield the names used in *scope*, each with whether this use binds it."""
    for node in ast.walk(scope):
        if isinstance(node, ast.Name):
            yield node.id, isinstance(node.ctx, ast.Store)
        elif isinstance(node, ast.arg):
            yield node.arg, True
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, True


def _print_table(counts: Counts) -> None:
    print(f"{'word':8}" + "".join(f"{kind:>12}" for kind in KINDS) + f"{'all':>8}")
    for word in WORDS:
        row = [counts[kind, word] for kind in KINDS]
        print(f"{word:8}" + "".join(f"{count:12}" for count in row) + f"{sum(row):8}")
    totals = [sum(counts[kind, word] for word in WORDS) for kind in KINDS]
    print(f"{'all':8}" + "".join(f"{total:12}" for total in totals) + f"{sum(totals):8}")


def main() -> None:
    """Print the counts of a repository."""
    parser = argparse.ArgumentParser(description="Count words that stand in for a noun or a precise verb.")
    parser.add_argument("--repo", type=Path, default=Path(__file__).parents[1], help="default: this repository")
    _print_table(count_repository(parser.parse_args().repo))


if __name__ == "__main__":
    main()
