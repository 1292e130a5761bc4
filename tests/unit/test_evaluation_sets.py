"""Labelled sets: the format of their files, their samples, and the mapping of public corpora."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import UsageError
from hnintel.evaluation.corpora import read_corpora
from hnintel.evaluation.sets import Example, LabelledSet, chosen_sets, read_folder, read_set
from tests.conftest import ROOT
from tests.unit.evaluating import NAMES, TONE

OWN = ROOT / "hnintel" / "labelled"


def written(folder: Path, *lines: str, name: str = "mine.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_set_is_a_file_of_texts_with_their_columns_beside_them(tmp_path: Path) -> None:
    found = read_set(written(tmp_path, '{"text": "a b", "tone": "neutral"}', "", '{"text": "c", "people": ["Ada"]}'))
    assert found.name == "mine"
    assert [(one.text, one.expected, one.where) for one in found.examples] == [
        ("a b", {"tone": "neutral"}, "mine.jsonl:1"),
        ("c", {"people": ("Ada",)}, "mine.jsonl:3"),
    ]
    assert found.columns == ("tone", "people")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "the line is not JSON"),
        ("[1]", "the line has no text"),
        ('{"tone": "neutral"}', "the line has no text"),
        ('{"text": " ", "tone": "neutral"}', "the line has no text"),
        ('{"text": "a"}', "the line has no label"),
        ('{"text": "a", "tone": 3}', "tone is neither a text nor a list of texts"),
        ('{"text": "a", "people": ["Ada", null]}', "people is neither a text nor a list of texts"),
        ('{"text": "a \\ud83d", "tone": "neutral"}', "a text has half of a surrogate pair"),
        ('{"text": "a", "names": ["\\ud83d"]}', "a text has half of a surrogate pair"),
        ('{"text": ' + "[" * 100_000, "the line is not JSON"),
    ],
)
def test_a_malformed_line_is_reported_by_file_and_line(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(UsageError, match=f"^mine.jsonl:2: {told}") as caught:
        read_set(written(tmp_path, '{"text": "a", "tone": "neutral"}', line))
    assert "\n" not in str(caught.value)


def test_an_empty_file_is_refused_as_a_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no labelled text"):
        read_set(written(tmp_path, ""))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"text": "a", "tone": "glad"}', "tone 'glad' is none of enrichment tone's: positive, neutral, negative"),
        ('{"text": "a", "tone": null}', "tone is null, but enrichment tone allows no null there"),
        ('{"text": "a", "tone": ["neutral"]}', "tone needs one label"),
    ],
)
def test_an_invalid_label_is_reported_by_file_and_line(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(UsageError, match=f"^mine.jsonl:1: {told}"):
        read_set(written(tmp_path, line)).judged_columns(TONE)


def test_a_text_in_place_of_a_list_of_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^mine.jsonl:1: people needs a list of names"):
        read_set(written(tmp_path, '{"text": "a", "people": "Ada"}')).judged_columns(NAMES)


def test_a_set_scores_the_columns_that_it_labels(tmp_path: Path) -> None:
    found = read_set(written(tmp_path, '{"text": "a", "people": ["Ada"]}'))
    assert [column.name for column in found.judged_columns(NAMES)] == ["people"]
    assert found.judged_columns(TONE) == []


def test_an_unknown_set_is_reported_with_the_known_sets() -> None:
    sets = [LabelledSet("stories", ()), LabelledSet("names", ())]
    assert [one.name for one in chosen_sets(sets, [])] == ["stories", "names"]
    assert [one.name for one in chosen_sets(sets, ["names"])] == ["names"]
    with pytest.raises(
        UsageError, match="no labelled set is named 'storys'; the sets are stories, names; did you mean stories"
    ):
        list(chosen_sets(sets, ["storys"]))


# --- samples ---------------------------------------------------------------------------------------------------------


def _many(**counts: int) -> LabelledSet:
    return LabelledSet(
        "many", tuple(Example(f"{tone} {n}", {"tone": tone}) for tone, count in counts.items() for n in range(count))
    )


def test_a_sample_keeps_the_labels_in_proportion() -> None:
    sample = _many(positive=60, neutral=30, negative=10).sample(20)
    assert Counter(one.expected["tone"] for one in sample.examples) == {"positive": 12, "neutral": 6, "negative": 2}


def test_a_sample_is_the_same_whatever_the_order_of_the_file() -> None:
    whole = _many(positive=40, neutral=40)
    turned = LabelledSet("many", whole.examples[::-1])
    assert set(whole.sample(7).keys) == set(turned.sample(7).keys)
    assert len(whole.sample(7).examples) == 7


def test_a_sample_of_the_size_of_the_set_is_the_set() -> None:
    whole = _many(positive=3)
    assert whole.sample(3) is whole
    assert whole.sample(None) is whole


def test_a_duplicate_text_is_two_rows() -> None:
    assert len(set(LabelledSet("s", (Example("a", {}), Example("a", {}))).keys)) == 2


# --- ours ------------------------------------------------------------------------------------------------------------


def test_our_own_sets_are_balanced_over_every_label_and_fit_the_enrichments() -> None:
    sets = {one.name: one for one in read_folder(OWN)}
    enrichments = load_enrichments()
    stories, names = sets["stories"], sets["names"]
    for column, each in (("sentiment", 20), ("topic", 4)):
        (judged,) = stories.judged_columns(enrichments[column])
        assert Counter(one.expected[column] for one in stories.examples) == dict.fromkeys(judged.one_of, each)
    judged_columns = names.judged_columns(enrichments["entities"])
    assert [column.name for column in judged_columns] == [column.name for column in enrichments["entities"].columns]
    assert len(names.examples) >= 20


def test_every_labelled_name_is_in_its_text() -> None:
    for line in (OWN / "names.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        assert [name for column in row if column != "text" for name in row[column] if name not in row["text"]] == []


def test_our_own_sets_are_packaged() -> None:
    import tomllib

    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "labelled/**/*" in told["tool"]["setuptools"]["package-data"]["hnintel"]


# --- others' ---------------------------------------------------------------------------------------------------------


def _corpus(folder: Path, path: str, text: str) -> Path:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")
    return folder


def test_a_folder_without_corpora_gives_an_empty_list(tmp_path: Path) -> None:
    assert read_corpora(tmp_path) == []


def test_senti4sd_labels_are_sentiments(tmp_path: Path) -> None:
    _corpus(tmp_path, "labels/senti4sd/train3098itemPOLARITY.csv", 't1;negative;Bad; very "bad"\nt2;neutral;So so\n')
    (found,) = read_corpora(tmp_path)
    assert [(one.text, one.expected) for one in found.examples] == [
        ('Bad; very "bad"', {"sentiment": "negative"}),
        ("So so", {"sentiment": "neutral"}),
    ]


def test_entity_types_without_a_column_are_set_aside(tmp_path: Path) -> None:
    words = "Ada\tB-person\nLovelace\tI-person\nof\tO\nTurin\tB-location\n,\tO\nat\tO\nIBM\tB-corporation\n\nHi\tO\n"
    _corpus(tmp_path, "labels/wnut17/emerging.dev.conll", words)
    (found,) = read_corpora(tmp_path)
    first, second = found.examples
    assert first.text == "Ada Lovelace of Turin, at IBM"
    assert first.expected == {"people": ("Ada Lovelace",), "companies": ("IBM",), "products": ()}
    assert first.aside == ("Turin",)
    assert (second.text, second.where) == ("Hi", "emerging.dev.conll:9")


def test_two_adjacent_names_stay_separate(tmp_path: Path) -> None:
    _corpus(tmp_path, "labels/crossner_ai/dev.txt", "Lisp\tB-programlang\nAPL\tB-programlang\n")
    assert read_corpora(tmp_path)[0].examples[0].expected["technologies"] == ("Lisp", "APL")


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("labels/senti4sd/train3098itemPOLARITY.csv", "t1;neutral;fine\nt2;glad;x\n", "train3098itemPOLARITY.csv:2"),
        ("labels/wnut17/emerging.dev.conll", "Ada\tB-person\nwrites O\n", "emerging.dev.conll:2"),
    ],
)
def test_a_malformed_corpus_is_reported_by_file_and_line(tmp_path: Path, path: str, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=f"^{told}: the line is not"):
        read_corpora(_corpus(tmp_path, path, text))


def test_the_real_corpora_are_read_whole(test_data: Path) -> None:
    sizes = {one.name: len(one.examples) for one in read_corpora(test_data)}
    assert sizes == {"senti4sd": 3097, "wnut17": 1009, "crossner_ai": 350}
