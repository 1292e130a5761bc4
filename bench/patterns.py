"""How the work of each regular expression grows with its text: counted steps of backtracking at n and 2n, no time.

A pattern whose work grows faster than its text can be held up by a text that somebody else wrote, and the interpreter
holds its lock all that while. Steps are counted by a small matcher over Python's own parse of each pattern, which tries
what the ``re`` module would try. Repetitions with a bound are cut to a few: they add a factor, and no growth.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
#: What reads texts of others. In deployments/, texts are the project's own files.
FOLDERS = ("hnintel", "flows", "tasks")
#: Twice the text, twice the work, and a bit for what does not grow; four times would be quadratic.
GOAL = 2.6
_UNITS = 24
#: The ratio that stands for steps too many to be counted.
_WORST = 99.0
_MOST_STEPS = 100_000
#: How often a bounded repetition is tried beyond its lower bound.
_BOUNDED = 3
#: Repeated in a text whatever the pattern.
_ANYTHING = (" ", "a", "A", "0", "\n", '"', "\\", '\\"', "{", "[1]", "a ", "A ", "a.", "1,", "-", "'", "\t\n")
_FUNCTIONS = ("compile", "search", "match", "fullmatch", "findall", "finditer", "sub", "subn", "split")


class TooMuch(Exception):
    """More steps than are counted."""


@dataclass(frozen=True)
class Pattern:
    """A regular expression of the tree: where it stands, and whether it is only tried at the text's start."""

    place: str
    source: str
    flags: int
    is_anchored: bool

    @cached_property
    def tree(self) -> Any:
        """As Python parses it."""
        return _parser.parse(self.source, self.flags)


def collect() -> tuple[list[Pattern], list[str]]:
    """Every pattern of the tree, and the places of those that only a run knows."""
    patterns: dict[tuple[str, int], Pattern] = {}
    unknown: list[str] = []
    for path in sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "re." not in text or "import re" not in text:
            continue
        place = str(path.relative_to(ROOT))
        names = _names_of(place)
        for name, pattern in _module_patterns(names):
            methods = set(re.findall(rf"\b{re.escape(name)}\.(\w+)\(", text))
            found_pattern = Pattern(
                f"{place} {name}", pattern.pattern, pattern.flags, bool(methods) and methods <= {"match", "fullmatch"}
            )
            patterns.setdefault((found_pattern.source, found_pattern.flags), found_pattern)
        for call in ast.walk(ast.parse(text)):
            if not _is_of_re(call):
                continue
            try:
                source, flags = (_value(arg, names) for arg in _arguments(call))
            except Exception:  # the pattern is known only at run time: the test lists each such call with its reason
                unknown.append(f"{place}: {ast.unparse(call.args[0])}")
                continue
            if isinstance(source, re.Pattern):
                continue
            compiled = re.compile(source, flags)
            is_anchored = call.func.attr in ("match", "fullmatch")
            found_pattern = Pattern(f"{place}:{call.lineno}", source, compiled.flags, is_anchored)
            patterns.setdefault((found_pattern.source, found_pattern.flags), found_pattern)
    return list(patterns.values()), unknown


def _names_of(place: str) -> dict[str, Any]:
    """What a module knows; of what cannot be imported without a server behind it, nothing but ``re``."""
    if not place.startswith("hnintel"):
        return {"re": re}
    return vars(importlib.import_module(place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")))


def _module_patterns(names: dict[str, Any]) -> Iterator[tuple[str, re.Pattern[str]]]:
    """The compiled patterns among a module's names, in tuples and in tables too."""
    for name, value in list(names.items()):
        for pattern in _inside(value):
            yield name, pattern


def _inside(value: Any) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from (pattern for inner in value.values() for pattern in _inside(inner))
    elif isinstance(value, tuple | list):
        yield from (pattern for inner in value for pattern in _inside(inner))


def _is_of_re(call: Any) -> bool:
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "re"
        and call.func.attr in _FUNCTIONS
    )


def _arguments(call: Any) -> tuple[Any, Any]:
    place = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(call.func.attr, 2)
    named = next((keyword.value for keyword in call.keywords if keyword.arg == "flags"), None)
    return call.args[0], named or (call.args[place] if len(call.args) > place else ast.Constant(0))


def _value(expression: Any, names: dict[str, Any]) -> Any:
    whole = ast.fix_missing_locations(ast.Expression(expression))
    return eval(compile(whole, "<pattern>", "eval"), dict(names))  # noqa: S307 - the tree's own code


class Matcher:
    """Tries a pattern at every place of a text, as ``sub`` does, and counts what it tries."""

    def __init__(self, pattern: Pattern, text: str) -> None:
        self.text, self.steps = text, 0
        self._flags, self._tree, self._anchored = pattern.tree.state.flags, list(pattern.tree), pattern.is_anchored
        self._groups: dict[int, str] = {}

    def run(self) -> int:
        """The steps of a whole text."""
        place = 0
        while place <= len(self.text):
            end = next(self._sequence(self._tree, 0, place), None)
            if self._anchored:
                break
            place = end if end is not None and end > place else place + 1
        return self.steps

    def _sequence(self, nodes: list[Any], index: int, place: int) -> Iterator[int]:
        if index == len(nodes):
            yield place
            return
        for after in self._node(*nodes[index], place):
            yield from self._sequence(nodes, index + 1, after)

    def _node(self, op: Any, given: Any, place: int) -> Iterator[int]:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise TooMuch
        if op in _SINGLE:
            if place < len(self.text) and self._fits(op, given, self.text[place]):
                yield place + 1
        elif op is sre.AT:
            if self._is_at(given, place):
                yield place
        elif op is sre.BRANCH:
            for branch in given[1]:
                yield from self._sequence(list(branch), 0, place)
        elif op is sre.SUBPATTERN:
            group, _, _, inner = given
            for after in self._sequence(list(inner), 0, place):
                self._groups[group] = self.text[place:after]
                yield after
        elif op in (sre.ASSERT, sre.ASSERT_NOT):
            direction, inner = given
            start = place if direction > 0 else place - inner.getwidth()[0]
            holds = start >= 0 and next(self._sequence(list(inner), 0, start), None) is not None
            if holds is (op is sre.ASSERT):
                yield place
        elif op is sre.GROUPREF:
            same = self._groups.get(given, "\0")
            if self.text.startswith(same, place):
                yield place + len(same)
        elif op is sre.ATOMIC_GROUP:
            yield from _first(self._sequence(list(given), 0, place))
        elif op is sre.POSSESSIVE_REPEAT:
            yield from _first(self._repeat(given, place, is_greedy=True))
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            yield from self._repeat(given, place, op is sre.MAX_REPEAT)
        else:
            raise ValueError(f"a pattern uses {op}, whose steps this bench does not count")

    def _repeat(self, given: Any, place: int, is_greedy: bool) -> Iterator[int]:
        least, most, inner = given
        most = len(self.text) + 1 if most is sre.MAXREPEAT else min(most, least + _BOUNDED)
        if len(inner) == 1 and inner[0][0] in _SINGLE:
            yield from self._repeat_single(inner[0], place, least, most, is_greedy)
        else:
            yield from self._repeat_group(list(inner), place, least, most, is_greedy)

    def _repeat_single(self, node: Any, place: int, least: int, most: int, is_greedy: bool) -> Iterator[int]:
        end = place
        while end < len(self.text) and end - place < most and self._fits(*node, self.text[end]):
            end += 1
            self.steps += is_greedy
        ends = range(place + least, end + 1)
        for after in reversed(ends) if is_greedy else ends:
            self.steps += 1
            yield after

    def _repeat_group(self, nodes: list[Any], place: int, least: int, most: int, is_greedy: bool) -> Iterator[int]:
        self.steps += 1
        if not is_greedy and least <= 0:
            yield place
        if most > 0:
            for after in self._sequence(nodes, 0, place):
                if after > place:
                    yield from self._repeat_group(nodes, after, least - 1, most - 1, is_greedy)
                elif least > 0:
                    yield after
        if is_greedy and least <= 0:
            yield place

    def _fits(self, op: Any, given: Any, char: str) -> bool:
        if self._flags & re.IGNORECASE:
            return any(_is_one_of(op, given, variant, self._flags) for variant in {char, char.lower(), char.upper()})
        return _is_one_of(op, given, char, self._flags)

    def _is_at(self, where: Any, place: int) -> bool:
        text = self.text
        if where in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
            return place == 0 or bool(where is sre.AT_BEGINNING and self._flags & re.M and text[place - 1] == "\n")
        if where is sre.AT_END_STRING:
            return place == len(text)
        if where is sre.AT_END:
            rest = text[place:]
            return rest in ("", "\n") or bool(self._flags & re.M and rest[0] == "\n")
        is_edge = (place > 0 and _is_word(text[place - 1])) != (place < len(text) and _is_word(text[place]))
        return is_edge is (where is sre.AT_BOUNDARY)


_SINGLE = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: str.isdecimal,
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_WORD: lambda char: _is_word(char),
    sre.CATEGORY_NOT_DIGIT: lambda char: not char.isdecimal(),
    sre.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
    sre.CATEGORY_NOT_WORD: lambda char: not _is_word(char),
}


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _is_one_of(op: Any, given: Any, char: str, flags: int) -> bool:
    if op is sre.LITERAL:
        return ord(char) == given
    if op is sre.NOT_LITERAL:
        return ord(char) != given
    if op is sre.ANY:
        return bool(flags & re.DOTALL) or char != "\n"
    if op is sre.RANGE:
        return given[0] <= ord(char) <= given[1]
    if op is sre.CATEGORY:
        return _CATEGORIES[given](char)
    negated = given[0][0] is sre.NEGATE
    return any(_is_one_of(*member, char, flags) for member in given[negated:]) is not negated


def _first(ends: Iterator[int]) -> Iterator[int]:
    end = next(ends, None)
    if end is not None:
        yield end


def _texts(pattern: Pattern, is_thorough: bool) -> Iterator[tuple[str, str, str]]:
    """What is put before, what is repeated and what behind it: pieces of what the pattern takes, and of any text."""
    leaves = list(dict.fromkeys(_leaves(pattern.tree, pattern.flags)))[:10]
    whole = _example(pattern.tree, pattern.flags)
    repeated = list(_repeated(pattern.tree, pattern.flags))
    units = [*leaves, *_ANYTHING, whole, whole[:-1], *repeated]
    if is_thorough:
        units += [a + b for a in leaves[:5] for b in leaves[:5] if a != b]
    for unit in dict.fromkeys(unit for unit in units if unit):
        yield "", unit, "\x01"
        yield "", unit, " \x01"
    for unit in dict.fromkeys([*repeated, " ", "a"]) if is_thorough else ():
        for cut in sorted({1, len(whole) // 2, len(whole) - 1}):
            yield whole[: max(cut, 0)], unit, "\x01"


def _leaves(tree: Any, flags: int) -> Iterator[str]:
    for op, given in tree:
        if op in _SINGLE:
            yield _example([(op, given)], flags)
        else:
            for inner in _inner(op, given):
                yield from _leaves(inner, flags)


def _repeated(tree: Any, flags: int) -> Iterator[str]:
    """Examples of what has a repetition of its own."""
    for op, given in tree:
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            yield _example(given[2], flags)
        for inner in _inner(op, given) if op not in _SINGLE else ():
            yield from _repeated(inner, flags)


def _inner(op: Any, given: Any) -> Iterable[Any]:
    if op is sre.BRANCH:
        return given[1]
    if op is sre.SUBPATTERN:
        return [given[3]]
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return [given[2]]
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        return [given[1]]
    return [given] if op is sre.ATOMIC_GROUP else []


def _example(tree: Any, flags: int) -> str:
    """A text that *tree* takes, or nearly."""
    text = ""
    for op, given in tree:
        if op in _SINGLE:
            usual = (
                chr(given)
                if op is sre.LITERAL
                else next(iter(c for c in "aA1 .-\n\"'" if _is_one_of(op, given, c, flags)), "~")
            )
            text += usual if op is not sre.IN or usual != "~" else _first_of(given)
        elif op is sre.BRANCH:
            text += _example(given[1][0], flags)
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            text += _example(given[2], flags) * max(1, min(given[0], 4))
        elif op in (sre.SUBPATTERN, sre.ATOMIC_GROUP):
            text += _example(_inner(op, given)[0], flags)  # type: ignore[index]
    return text


def _first_of(members: Any) -> str:
    for op, given in members:
        if op is sre.LITERAL:
            return chr(given)
        if op is sre.RANGE:
            return chr(given[0])
    return "~"


def growth(pattern: Pattern, is_thorough: bool = True) -> tuple[float, str]:
    """The worst ratio of the steps at 2n and n of what is repeated, and what that is."""
    worst, by = 0.0, ""
    if not _is_unbounded(pattern.tree):
        return worst, by
    for before, unit, behind in _texts(pattern, is_thorough):
        steps = []
        for count in (_UNITS, 2 * _UNITS):
            try:
                steps.append(Matcher(pattern, before + unit * count + behind).run())
            except (TooMuch, RecursionError):
                steps.append(100 * _MOST_STEPS)
        ratio = min(steps[1] / steps[0], _WORST) if steps[0] <= _MOST_STEPS else _WORST
        if ratio > worst:
            worst, by = ratio, f"{before!r} + {unit!r} * n + {behind!r}"
        if worst == _WORST:
            break
    return worst, by


def _is_unbounded(tree: Any) -> bool:
    """Return whether *tree* has an unbounded repetition; otherwise its work at a place is bounded."""
    return any(
        (op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT) and given[1] is sre.MAXREPEAT)
        or any(map(_is_unbounded, _inner(op, given) if op not in _SINGLE else ()))
        for op, given in tree
    )


def main() -> int:
    """Print the ratio of every pattern, the worst last; return 1 if any grows faster than its text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="print those that meet the goal too")
    arguments = parser.parse_args()
    sys.setrecursionlimit(20_000)
    patterns, unknown = collect()
    grown = sorted(((growth(ranked), ranked) for ranked in patterns), key=lambda measured: measured[0])
    for (ratio, by), pattern in grown:
        if arguments.all or ratio > GOAL:
            print(f"{ratio:5.1f}  {pattern.place}  {pattern.source[:60]!r}  {by}")
    for place in unknown:
        print(f"    ?  {place}")
    missed = sum(ratio > GOAL for (ratio, _), _ in grown)
    print(f"goal: no pattern grows faster than its text: {'met' if not missed else 'missed'} ({len(grown)} patterns)")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
