"""What may be declared, what a wrong declaration is told, and what follows from a right one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.enrich.declaration import Column, Enrichment, layers, load_enrichments
from hnintel.errors import DeclarationError
from hnintel.settings import load_settings
from hnintel.warehouse.statements import RESERVED

TONE = Column("tone", str, "The tone.", one_of=("good", "bad"))
GOOD: dict[str, Any] = {
    "module": "folder.tone",
    "doc": "The tone.",
    "version": 1,
    "call": "AI_CLASSIFY({{ input }}, {{ labels }})",
    "columns": (TONE,),
}
COMPLETE = {
    **GOOD,
    "model": "a-model",
    "prompt": "Judge it.",
    "call": "AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {'temperature': 0}, {{ response_format }})",
}


def column(name: str = "tone", kind: object = str, told: str = "The tone.", **more: Any) -> dict[str, Any]:
    return {"columns": (TONE, Column(name, kind, told, **more))}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no columns": ({"columns": ()}, "declare at least one"),
    "a column without its comma": ({"columns": TONE}, r"needs a comma: \(Column"),
    "a column that is none": ({"columns": ("tone",)}, "must be a tuple of Column"),
    "two columns of a name": (column(), "two columns have the same name"),
    "a column name with a space": (column("a b"), "use lower-case letters"),
    "a column name of SQL": (column("group"), "word of SQL: choose another name"),
    "a column of ours": (column("run_id"), "choose another"),
    "a type there is not": (column("a", dict), "type must be str, float, int, bool, datetime or list"),
    "a type that is a value": (column("a", ["x"]), "type must be"),
    "no description": (column("a", told=" "), "has no description"),
    "one_of of a number": (column("a", int, one_of=("x",)), "one_of goes with str"),
    "one_of without its comma": (column("a", one_of="good"), "must be a tuple or a dict of texts"),
    "one_of of numbers": (column("a", one_of=(1, 2)), "must be a tuple or a dict of texts"),
    "one_of with a value twice": (column("a", one_of=("x", "x")), "twice; remove one"),
    "max_length of a number": (column("a", int, max_length=3), "max_length goes with str"),
    "longest of a number": (column("a", int, longest=3), "longest goes with"),
    "longest beside max_length": (column("a", longest=3, max_length=3), "str without max_length"),
    "longest of nothing": (column("a", longest=0), "is at least 1"),
    "most_items of a text": (column("a", most_items=3), r"most_items goes with list\[str\]"),
    "most_items of nothing": (column("a", list[str], most_items=0), "a number of at least 1"),
    "max_length of nothing": (column("a", max_length=0), "a number of at least 1"),
    "nullable that is no yes or no": (column("a", nullable="no"), "nullable is True or False"),
    "a column of the judge": (column("absent_a"), "choose another"),
    "between of a text": (column("a", between=(0, 1)), "between goes with a number"),
    "between the wrong way round": (column("a", int, between=(1, 0)), "is .least, greatest."),
    "between of three": (column("a", int, between=(0, 1, 2)), "is .least, greatest."),
    "between without an end": (column("a", float, between=(0, float("inf"))), "is .least, greatest."),
    "a path that is none": (column("a", path="labels[x]"), r"is not like labels\[0\]"),
    "a path with a quote": (column("a", path="a' || 'b"), r"is not like labels\[0\]"),
    "a name that is no name": ({"module": "folder.my-tone"}, "use lower-case letters"),
    "a call that is no AI function": ({"call": "upper({{ input }})"}, r"must be one AI_\* function"),
    "a call of two": ({"call": "AI_CLASSIFY({{ input }}, {{ labels }}); DROP TABLE x"}, r"must be one AI_\* function"),
    "a call with a typing mistake": ({"call": "AI_CLASSIFY({{ inputs }}, {{ labels }})"}, "'inputs' is undefined"),
    "a call that is no template": ({"call": "AI_CLASSIFY({{ input, {{ labels }})"}, "cannot be rendered"),
    "a call that is no SQL": ({"call": "AI_CLASSIFY({{ input }}, , {{ labels }})"}, "call is no SQL: .*mend it"),
    "a call without the input": ({"call": "AI_CLASSIFY('x', {{ labels }})"}, "call has no {{ input }}"),
    "labels without one_of": ({"columns": (Column("a", str, "A."),)}, "no column has one_of"),
    "a deep path under a schema": ({**COMPLETE, **column("a", path="b.c")}, "a path must be a plain name"),
    "a prompt that goes nowhere": ({"prompt": "Judge it."}, "does not use {{ prompt }}"),
    "no prompt where one goes": ({**COMPLETE, "prompt": ""}, "declare prompt="),
    "no model where one goes": ({**COMPLETE, "model": ""}, "declare model="),
    "a backslash": ({**COMPLETE, "prompt": "a\\b"}, "the two engines read it differently; leave it out"),
    "a condition that is no SQL": ({"where": "type = 'story' AND"}, "where is no SQL: .*mend it"),
    "a condition that closes its bracket": ({"where": "1 = 1); DELETE FROM raw.items WHERE (1 = 1"}, "where is no SQL"),
    "an input there is not": ({"of": "authors"}, "of='authors' is no known input; choose from story, comments"),
    "many texts and no digest": ({"of": "comments"}, "many texts an item; declare digest="),
    "many texts and a blank digest": ({"of": "comments", "digest": " "}, "many texts an item; declare digest="),
    "a digest of one text": ({"digest": "Sum it up."}, "digest is declared, but of='story' has a single text an item"),
    "a digest with a backslash": ({"of": "comments", "digest": "a\\b"}, "the two engines read it differently"),
    "after without its comma": ({"after": "sentiment"}, "needs a comma"),
    "after of what is no name": ({"after": (["sentiment"],)}, "after must be a tuple of names"),
    "the briefings' name": ({"module": "folder.briefings"}, "the name belongs to the briefings"),
    "the briefing's stage": ({"module": "folder.briefing"}, "the name belongs to the briefings"),
    "the name of another's view": ({"module": "folder.tone_current"}, "ends in _current; rename the file"),
    "a version that is no number": ({"version": object()}, "version or doc is missing; declare a whole number"),
    "no sentence on what it is": ({"doc": " "}, "doc is missing; declare .* one sentence"),
    "two calls in one": (
        {"call": "AI_CLASSIFY({{ input }}, {{ labels }}) || AI_CLASSIFY({{ input }}, {{ labels }})"},
        r"call must be one AI_\* function, .*remove the others",
    ),
    "a call with a question mark": ({"call": "AI_CLASSIFY({{ input }}, {{ labels }}, ?)"}, "nothing is bound to its ?"),
    "a condition with a question mark": ({"where": "score > ?"}, "where is no SQL: nothing is bound to its ?"),
    "two columns of one value": (
        {**COMPLETE, "columns": (TONE, Column("b", int, "B.", path="tone"))},
        "another column has the same path but another schema",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_wrong_declaration_is_told_in_one_sentence_with_the_mend(what: str) -> None:
    changes, told = BAD[what]
    with pytest.raises(DeclarationError, match=told) as refused:
        Enrichment(**{**GOOD, **changes})
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("enrichment ")


def test_a_right_declaration_has_its_names_from_the_file() -> None:
    one = Enrichment(**GOOD)
    assert (one.name, one.table, one.stage, one.function) == ("tone", "enriched.tone", "enrich:tone", "AI_CLASSIFY")


def test_every_word_of_sql_that_cannot_name_a_column_is_refused() -> None:
    words = duckdb.sql("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'").fetchall()
    assert {word for (word,) in words} <= RESERVED


@pytest.mark.parametrize("name", ["reason", "answer", "input", "value", "error", "key", "stage", "table_name"])
def test_ordinary_words_are_free_for_columns(name: str) -> None:
    assert Enrichment(**{**GOOD, **column(name)}).columns[1].name == name


def test_brackets_and_question_marks_in_a_text_are_no_sql() -> None:
    prompt = "What is it (in a word)? It's one of: :) or :("
    assert Enrichment(**{**COMPLETE, "prompt": prompt, "where": "title NOT LIKE '%?)'"}).prompt == prompt


# What follows from a declaration


def test_the_schema_of_an_answer_holds_it_to_the_columns() -> None:
    columns = (TONE, Column("share", float, "A share.", between=(0, 1)), Column("names", list[str], "Names."))
    assert Enrichment(**{**COMPLETE, "columns": columns}).schema() == {
        "type": "object",
        "properties": {
            "tone": {"type": "string", "description": "The tone.", "enum": ["good", "bad"]},
            "share": {"type": "number", "description": "A share."},
            "names": {"type": "array", "items": {"type": "string"}, "description": "Names."},
        },
        "required": ["tone", "share", "names"],
    }


def test_a_property_of_the_schema_has_the_name_that_its_column_is_read_from() -> None:
    one = Enrichment(**{**COMPLETE, "columns": (replace(TONE, name="mood", path="tone"),)})
    assert list(one.schema()["properties"]) == one.schema()["required"] == ["tone"]


def test_a_classification_takes_its_labels_with_what_they_mean() -> None:
    told = Column("tone", str, "The tone.", one_of={"good": "It's praise.", "bad": "Blame."})
    assert Enrichment(**{**GOOD, "columns": (told,)}).render_call("") == (
        "AI_CLASSIFY(input, [{'label': 'good', 'description': 'It''s praise.'}, "
        "{'label': 'bad', 'description': 'Blame.'}])"
    )


CHANGES: dict[str, dict[str, Any]] = {
    "version": {"version": 2},
    "prompt": {"prompt": "Judge it well."},
    "call": {"call": COMPLETE["call"].replace("'temperature': 0", "'temperature': 1")},
    "a column more": {"columns": (TONE, Column("said", str, "What."))},
    "a column's name": {"columns": (replace(TONE, name="mood"),)},
    "a column's description": {"columns": (replace(TONE, description="The mood."),)},
    "a column's values": {"columns": (replace(TONE, one_of=("good", "bad", "meh")),)},
    "what a value means": {"columns": (replace(TONE, one_of={"good": "Praise.", "bad": "Blame."}),)},
    "a column's path": {"columns": (replace(TONE, path="other_tone"),)},
    "a column's range": {"columns": (TONE, Column("share", float, "A share.", between=(0, 2)))},
    "a column's type": {"columns": (TONE, Column("share", int, "A share.", between=(0, 1)))},
}


def test_whatever_changes_the_question_changes_the_fingerprint() -> None:
    one = Enrichment(**COMPLETE)
    ranged = replace(one, columns=(TONE, Column("share", float, "A share.", between=(0, 1))))
    prints = [replace(one, **changes).fingerprint("m", 8000) for changes in CHANGES.values()]
    prints += [one.fingerprint("m", 8000), ranged.fingerprint("m", 8000), one.fingerprint("other", 8000)]
    prints += [one.fingerprint("m", 9000)]
    over = replace(one, of="comments", digest="Sum it up.")
    prints += [over.fingerprint("m", 8000), replace(over, digest="Sum it all up.").fingerprint("m", 8000)]
    assert len(set(prints)) == len(prints)


def test_what_is_not_asked_does_not_change_the_fingerprint() -> None:
    one = Enrichment(**COMPLETE)
    same = replace(one, doc="Told otherwise.", where="score > 100", after=("sentiment",), module="another.tone")
    assert same.fingerprint("m", 8000) == one.fingerprint("m", 8000)
    assert replace(one, model="another").fingerprint("m", 8000) == one.fingerprint("m", 8000)  # it is "m" that answers


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\\\x00"), min_size=1).filter(str.strip))
def test_any_prompt_reaches_the_model_as_it_is(prompt: str) -> None:
    one = Enrichment(**{**COMPLETE, "prompt": prompt})
    sent = one.render_call("m").removeprefix("AI_COMPLETE('m', ").partition(" || '<text>'")[0]
    assert duckdb.sql(f"SELECT {sent}").fetchall() == [(one.instruction,)]


# Folders of them

FILE = """
from hnintel.enrich.declaration import Column, Enrichment
enrichment = Enrichment(
    __name__,
    doc="The tone.",
    version=1,
    call="AI_CLASSIFY({{{{ input }}}}, {{{{ labels }}}})",
    columns=(Column("tone", str, "The tone.", one_of=("good", "bad")),),
    after={after},
)
"""


def write(folder: Path, **after: tuple[str, ...]) -> Path:
    for name, names in after.items():
        (folder / f"{name}.py").write_text(FILE.format(after=names))
    return folder


def test_a_folder_of_ones_own_is_read_in_place_of_the_bundled_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HNINTEL_ENRICHMENTS_PATH", str(write(tmp_path, tone=(), _not_one=("x",))))
    found = load_enrichments(load_settings().enrichments_path)
    assert [(one.name, one.table) for one in found.values()] == [("tone", "enriched.tone")]


def test_enrichments_come_after_those_they_name(tmp_path: Path) -> None:
    found = load_enrichments(write(tmp_path, a=("c",), b=(), c=("d", "b"), d=()))
    names = list(found)
    assert names.index("a") > names.index("c") > max(names.index("b"), names.index("d"))
    assert [{one.name for one in layer} for layer in layers(found)] == [{"b", "d"}, {"c"}, {"a"}]


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({"a": ("b",), "b": ("c",), "c": ("a",), "d": ()}, "^a.py, b.py, c.py wait for each other: remove a name"),
        ({"a": ("a",)}, "^a.py wait for each other"),
        ({"a": ("nothing",), "b": ()}, "^a.py: after names 'nothing', which does not exist; choose b"),
        ({"a": ("tones",), "tone": ()}, "which does not exist; choose tone; did you mean tone?"),
    ],
)
def test_an_after_that_cannot_be_kept_names_the_files(tmp_path: Path, after: dict[str, Any], told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        load_enrichments(write(tmp_path, **after))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("tone.py", "enrichment = Enrichment(", "tone.py: SyntaxError.*correct the file"),
        ("tone.py", "import no_such_library", "tone.py: ModuleNotFoundError.*correct the file"),
        ("tone.py", "raise ValueError('one\\ntwo')", "tone.py: ValueError: one; correct the file"),
        (
            "tone.py",
            "from hnintel.enrich.declaration import Enrichment\nEnrichment('tone')",
            "tone.py: TypeError.*correct the file",
        ),
        ("tone.py", "", "tone.py declares no enrichment: add"),
        (
            "tone.py",
            FILE.format(after="('x',)").replace('tone"', 'group"'),
            "tone.py: enrichment tone: 'group' is a reserved word",
        ),
        ("mood.py", FILE.format(after=()).replace("__name__", "'x.tone'"), "mood.py declares 'tone': give it __name__"),
        ("My-Tone.py", FILE.format(after=()), "My-Tone.py: enrichment My-Tone: .* use lower-case letters"),
    ],
)
def test_a_file_that_declares_nothing_right_is_named(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DeclarationError, match=told) as refused:
        load_enrichments(tmp_path)
    assert "\n" not in str(refused.value)


def test_a_folder_without_any_or_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="declares no enrichment: add a file"):
        load_enrichments(tmp_path)
    with pytest.raises(DeclarationError, match=r"no folder of enrichments.*HNINTEL_ENRICHMENTS_PATH"):
        load_enrichments(tmp_path / "nowhere")
