"""The count of vague words: what counts as a docstring, a comment, a message or a local name."""

from __future__ import annotations

from pathlib import Path

from bench.words import count_repository, count_source

SOURCE = '''"""One module; it was told."""

held = "kept"  # taken, and taken again

def report(found):
    """Say what is there."""
    kept_rows = [one for one in found if one]
    raise ValueError(f"{kept_rows} asked for {held}")
'''
COUNTS = {
    ("docstrings", "one"): 1,
    ("docstrings", "told"): 1,
    ("docstrings", "there"): 1,
    ("comments", "taken"): 2,
    ("messages", "asked"): 1,
    ("names", "found"): 2,
    ("names", "one"): 3,
    ("names", "kept"): 2,
}


def test_each_kind_of_text_is_counted_apart_and_module_names_and_keys_are_not() -> None:
    assert dict(count_source(SOURCE)) == COUNTS


def test_a_word_inside_a_longer_word_is_not_counted() -> None:
    assert not count_source('"""Everyone is foundational, remade and beheld."""\n')


def test_only_python_files_of_the_four_folders_are_counted(tmp_path: Path) -> None:
    for name in ("hnintel/deep/a.py", "flows/b.py", "tests/c.py", "tasks/d.sql"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('"""told"""\n', encoding="utf-8")
    assert dict(count_repository(tmp_path)) == {("docstrings", "told"): 2}
