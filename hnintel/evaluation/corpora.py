"""Public labelled corpora, mapped to our columns where their labels mean the same; the project includes none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from hnintel.errors import UsageError
from hnintel.evaluation.sets import Example, LabelledSet

#: Entity type → column. Entities of other types are set aside: answering them is neither right nor wrong.
_WNUT17 = {"person": "people", "corporation": "companies", "product": "products"}
_CROSSNER_AI = {
    "person": "people",
    "researcher": "people",
    "organisation": "companies",  # the column includes organisations
    "university": "companies",
    "product": "products",
    "programlang": "technologies",
}
_SENTIMENTS = ("positive", "neutral", "negative")


def read_corpora(folder: Path) -> list[LabelledSet]:
    """Return the corpora that *folder* has under their usual paths; an empty list is not an error.

    Raises:
        UsageError: a file does not have the format of its corpus; the message has the line.
    """
    sets = []
    for name, path, read in _CORPORA:
        if (folder / path).is_file():
            sets.append(LabelledSet(name, tuple(read(folder / path))))
    return sets


def _senti4sd(path: Path) -> Iterator[Example]:
    """``t1;negative;A post``: the post may hold semicolons."""
    for where, line in _lines(path):
        _, _, rest = line.partition(";")
        label, semicolon, text = rest.partition(";")
        if not semicolon or label not in _SENTIMENTS:
            raise UsageError(f"{where}: the line is not 'id;positive|neutral|negative;text'")
        if text.strip():
            yield Example(text, {"sentiment": label}, where=where)


def _conll(columns: dict[str, str]) -> Callable[[Path], Iterator[Example]]:
    """``word<TAB>tag`` a line, an empty line between sentences; tags are O, B-type and I-type."""

    def read(path: Path) -> Iterator[Example]:
        sentence: list[tuple[str, str]] = []
        began = ""
        for where, line in [*_lines(path), ("", "")]:
            if line.strip():
                word, tab, tag = line.partition("\t")
                if not tab or not re.fullmatch(r"O|[BI]-\S+", tag.strip()):
                    raise UsageError(f"{where}: the line is not 'word<TAB>O|B-type|I-type'")
                began = began or where
                sentence.append((word, tag.strip()))
            elif sentence:
                yield _sentence(sentence, columns, began)
                sentence, began = [], ""

    return read


def _sentence(words: list[tuple[str, str]], columns: dict[str, str], where: str) -> Example:
    expected: dict[str, list[str]] = {column: [] for column in columns.values()}
    aside = []
    for kind, name in _entities(words):
        if kind in columns:
            expected[columns[kind]].append(name)
        else:
            aside.append(name)
    return Example(
        _joined([word for word, _ in words]),
        {column: tuple(dict.fromkeys(names)) for column, names in expected.items()},
        tuple(aside),
        where,
    )


def _entities(words: list[tuple[str, str]]) -> list[tuple[str, str]]:
    spans: list[tuple[str, list[str]]] = []
    inside = False
    for word, tag in words:
        if tag.startswith("B-") or (tag != "O" and not inside):
            spans.append((tag[2:], [word]))
        elif tag != "O":
            spans[-1][1].append(word)
        inside = tag != "O"
    return [(kind, _joined(span)) for kind, span in spans]


def _joined(words: list[str]) -> str:
    """Join words, without a space before a comma; names are joined alike, so that the text contains them."""
    return re.sub(r" ([,.;:!?)\]])", r"\1", " ".join(words))


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield every line with its file and number; lines end at line feeds only, since posts contain other separators."""
    text = path.read_text(encoding="utf-8", errors="replace").removesuffix("\n")
    for number, line in enumerate(text.split("\n"), start=1):
        yield f"{path.name}:{number}", line.rstrip("\r")


_CORPORA: tuple[tuple[str, str, Callable[[Path], Iterator[Example]]], ...] = (
    ("senti4sd", "labels/senti4sd/train3098itemPOLARITY.csv", _senti4sd),
    ("wnut17", "labels/wnut17/emerging.dev.conll", _conll(_WNUT17)),
    ("crossner_ai", "labels/crossner_ai/dev.txt", _conll(_CROSSNER_AI)),
)
