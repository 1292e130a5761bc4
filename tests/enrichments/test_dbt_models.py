"""The dbt models follow from the declarations: what is committed is what is declared, and any text is safe in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hnintel.cli.app import main
from hnintel.enrich.column import Column
from hnintel.enrich.dbt_models import (
    HAND_WRITTEN_MARTS,
    STORY_COLUMNS,
    render_models,
    stale_files,
    story_columns,
    write_files,
)
from hnintel.enrich.declaration import Enrichment, load_enrichments
from hnintel.errors import DeclarationError
from hnintel.partitions.pipeline import Pipeline
from hnintel.settings import Settings
from hnintel.transform import DECLARED, PROJECT, write_project
from hnintel.warehouse import open_warehouse


def declaring(name: str, *columns: Column, of: str = "story") -> Enrichment:
    """An enrichment with these columns."""
    call = "AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {{ response_format }})"
    digest = "Say what is said." if of == "comments" else ""
    return Enrichment(name, "A doc.", 1, call, columns, model="m", prompt="Answer.", of=of, digest=digest)


def rendered(*enrichments: Enrichment) -> dict[str, str]:
    """The files of *enrichments*, by their name."""
    return {path.name: text for path, text in render_models({one.name: one for one in enrichments}).items()}


def described(files: dict[str, str], layer: str, model: str) -> dict[str, Any]:
    """What the YAML of a layer says of *model*."""
    models = yaml.safe_load(files[f"_declared_{layer}.yml"])["models"]
    return next(one for one in models if one["name"] == model)


def columns_of(described_model: dict[str, Any]) -> list[str]:
    return [column["name"] for column in described_model["columns"]]


def test_the_models_in_the_checkout_are_those_of_the_declarations() -> None:
    assert stale_files(DECLARED, render_models(load_enrichments())) == []


def test_gen_writes_the_models_and_its_check_fails_until_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hnintel.cli.gen.DECLARED", tmp_path)
    write_files(tmp_path, render_models(load_enrichments()))
    (tmp_path / "staging" / "stg_ai__topic.sql").write_text("select 1")
    (tmp_path / "staging" / "stg_ai__gone.sql").write_text("select 1")
    assert main(["gen", "--check"]) == 5
    said = capsys.readouterr()
    assert "dbt/declared/staging/stg_ai__topic.sql: changed" in said.out
    assert "dbt/declared/staging/stg_ai__gone.sql: gone" in said.out
    assert said.err == "error: dbt/declared differs from the enrichments: python -m hnintel gen writes it\n"
    assert main(["gen"]) == 0
    assert main(["gen", "--check"]) == 0


def test_the_marts_names_that_are_taken_are_those_of_the_hand_written_models() -> None:
    assert {path.stem for path in (PROJECT / "models" / "marts").glob("*.sql")} == HAND_WRITTEN_MARTS


def test_a_declared_column_is_in_stories_and_described_by_its_declaration() -> None:
    files = rendered(declaring("mood", Column("calm", bool, "Whether it is calm.")))
    stories = described(files, "marts", "stories")
    assert stories["columns"][-1] == {"name": "calm", "description": "Whether it is calm."}
    assert {*columns_of(stories), "canonical_url"} == {*STORY_COLUMNS, "calm"}
    assert '{"mood": {"calm": "calm"}}' in files["int_stories__answers.sql"]


def test_a_list_has_a_mart_of_its_own() -> None:
    files = rendered(declaring("named", Column("people", list[str], "People."), Column("calm", bool, "Calm.")))
    assert 'lists_of_live_stories("named", ["people"])' in files["named_lists.sql"]
    assert "people" not in columns_of(described(files, "marts", "stories"))


def test_what_is_asked_about_comments_has_a_mart_of_its_own() -> None:
    files = rendered(declaring("wish", Column("wanted", str, "What is wanted."), of="comments"))
    assert columns_of(described(files, "marts", "wishs")) == ["item_id", "day", "wanted"]
    assert "wanted" not in columns_of(described(files, "marts", "stories"))


@pytest.mark.parametrize(
    ("enrichments", "names"),
    [
        ({"mood": "kind"}, ["mood_kind"]),
        ({"mood": "tone", "voice": "tone"}, ["mood_tone", "voice_tone"]),
        ({"mood": "topic", "topic": "topic"}, ["mood_topic", "topic"]),
    ],
    ids=["the mart has that column", "two declare it", "one is called like it"],
)
def test_a_column_whose_name_is_taken_is_named_after_its_enrichment(
    enrichments: dict[str, str], names: Sequence[str]
) -> None:
    declared = [declaring(name, Column(column, str, "A text.")) for name, column in enrichments.items()]
    assert [column.name for column in story_columns(declared)] == names


def test_two_columns_that_would_have_one_name_are_refused() -> None:
    declared = [declaring("a", Column("kind", str, "A text.")), declaring("b", Column("a_kind", str, "A text."))]
    with pytest.raises(DeclarationError, match=r"two declared columns would be marts\.stories\.a_kind"):
        story_columns(declared)


def test_a_mart_whose_name_is_taken_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"domain\.py: its mart would be marts\.domains.*rename the file"):
        rendered(declaring("domain", Column("calm", bool, "Calm."), of="comments"))


def test_what_a_column_promises_is_tested_on_the_answers_to_the_present_question() -> None:
    columns = (
        Column("mark", int, "A mark.", between=(1, 5)),
        Column("sure", float, "How sure.", between=(0, 1), nullable=True),
        Column("side", str, "Which side.", one_of=("left", "the other's")),
    )
    model = described(rendered(declaring("mood", *columns)), "staging", "stg_ai__mood")
    present = {"where": "'{{ env_var('HNINTEL_DBT_ASKED_MOOD', '') }}' in ('', fingerprint)"}
    assert model["data_tests"][0]["holds"]["arguments"]["rules"] == [
        "mark is not null",
        "side is not null",
        "coalesce(mark between 1 and 5, true)",
        "coalesce(sure between 0 and 1, true)",
    ]
    assert model["data_tests"][0]["holds"]["config"] == present
    side = next(column for column in model["columns"] if column["name"] == "side")
    accepted = {"arguments": {"values": ["left", "the other''s"]}, "config": present}
    assert side["data_tests"] == [{"accepted_values": accepted}]


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.sampled_from("{}%#'\":- \nab—🙂"), max_size=30).filter(str.strip))
def test_text_of_a_declaration_comes_out_of_dbt_as_it_is_declared(text: str) -> None:
    model = described(rendered(declaring("mood", Column("calm", bool, text))), "staging", "stg_ai__mood")
    description = model["columns"][1]["description"]
    assert jinja2.Template(description).render() == " ".join(text.split())


def test_a_runs_project_has_the_declared_models_and_is_written_again_only_where_it_differs(tmp_path: Path) -> None:
    here = Settings(home=tmp_path)
    one = declaring("mood", Column("calm", bool, "Calm."))
    folder = write_project(here, {"gone": declaring("gone", Column("calm", bool, "Calm."))})
    kept = (folder / "models" / "marts" / "stories.sql").stat().st_mtime_ns
    assert write_project(here, {"mood": one}) == folder
    assert (folder / "declared" / "staging" / "stg_ai__mood.sql").is_file()
    assert not (folder / "declared" / "staging" / "stg_ai__gone.sql").exists()
    assert (folder / "models" / "marts" / "stories.sql").stat().st_mtime_ns == kept
    hand_written = {PurePosixPath(path.relative_to(PROJECT)) for path in (PROJECT / "models").rglob("*.sql")}
    assert hand_written <= {PurePosixPath(path.relative_to(folder)) for path in folder.rglob("*.sql")}


def test_the_marts_are_stale_when_a_column_is_declared(tmp_path: Path) -> None:
    here = Settings(home=tmp_path)
    pipeline = Pipeline(open_warehouse(here), here, "sample")
    before = pipeline.fingerprint("transform")
    topic = pipeline.enrichments["topic"]
    wider = replace(topic, columns=(*topic.columns, Column("calm", bool, "Calm.", nullable=True)))
    pipeline.enrichments["topic"] = wider
    assert pipeline.fingerprint("transform") != before
