"""A story whose page was walled is asked about by what is known of it, and every other story as it always was."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hnintel.enrich.declaration import Column, Enrichment, load_enrichments
from hnintel.enrich.question import fingerprint_of
from hnintel.ingest.articles import load_articles
from hnintel.models import Article, Comment
from hnintel.warehouse import open_warehouse
from tests.enrichments.subjects import load_comments
from tests.warehouse.conftest import ADAPTERS
from tests.warehouse.world import DAY, NOW, Asking, fetch, load, story

GIST = Enrichment(
    "gist",
    doc="What a story says.",
    version=1,
    call="AI_CLASSIFY({{ input }}, {{ labels }})",
    columns=(Column("gist", str, "Which.", one_of=("one", "other"), path="labels[0]"),),
)
URL = "https://paper.example/reform"
WALL = "Subscribe to continue reading"
#: Fingerprints of the questions about stories, with the offline engine, before walled stories were asked about.
FINGERPRINTS = {
    "entities": "b6cde804f6aaeacc83fd040415238419",
    "sentiment": "9bbb1c6134f8ca808d98552bad61c76f",
    "takeaway": "9564bc064ae14b14292c7461faee76a1",
    "topic": "8e68c9ec1af6e5cce9f2d5a320f9b7d3",
}


@pytest.fixture(params=ADAPTERS)
def asking(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Asking:
    monkeypatch.setattr(Asking, "opens", staticmethod(ADAPTERS[request.param]))
    return Asking(tmp_path)


def keep(asking: Asking, url: str, status: str = "walled", **more: str) -> None:
    article = Article(canonical_url=url, url=url, status=status, reason="paywall", **more)  # type: ignore[arg-type]
    with asking.warehouse.transaction(stage="ingest") as session:
        load_articles(session, [article], DAY, "reading", NOW)


def comment(number: int, text: str, story_id: int = 1, depth: int = 1) -> Comment:
    return Comment(id=number, story_id=story_id, parent=story_id, depth=depth, status="ok", text=text)


def asked(asking: Asking) -> list[str]:
    asking.run(GIST)
    return sorted(set(asking.engine.texts))


def test_a_walled_story_is_asked_about_by_its_title_its_description_and_its_first_comments(asking: Asking) -> None:
    load(asking.warehouse, [story(1, "The reform", url=URL, text=None)])
    load_comments(asking, [comment(11, "It comes in May."), comment(12, "A reply.", depth=2), comment(13, "Too late.")])
    keep(asking, URL, description="The ports are reformed.")
    assert asked(asking) == ["The reform\n\nThe ports are reformed.\n\nComment: It comes in May.\n\nComment: Too late."]


def test_a_description_that_another_page_of_the_site_has_too_is_not_asked_about(asking: Asking) -> None:
    load(asking.warehouse, [story(1, "The reform", url=URL, text="Our own words.")])
    keep(asking, URL, description="News of all ports.")
    keep(asking, "https://other.example/", description="News of all ports.")
    assert asked(asking) == ["The reform\n\nNews of all ports.\n\nOur own words."]
    keep(asking, "https://paper.example/elsewhere", "ok", text="An article.", description="News of all ports.")
    assert asked(asking) == ["The reform\n\nOur own words."]


def test_at_most_ten_comments_stand_in_for_an_article_and_a_later_one_asks_nothing_anew(asking: Asking) -> None:
    load(asking.warehouse, [story(1, "The reform", url=URL, text=None)])
    load_comments(asking, [comment(number, "x" * (2_000 if number == 100 else 500)) for number in range(100, 111)])
    keep(asking, URL)
    (text,) = asked(asking)
    assert text.count("Comment: ") == 10
    assert len(text) == len("The reform") + 10 * len("\n\nComment: ") + 1_000 + 9 * 500
    load_comments(asking, [comment(111, "One more.")])
    assert asked(asking) == []


def test_a_walled_story_of_which_nothing_else_is_known_is_asked_about_by_its_title(asking: Asking) -> None:
    load(asking.warehouse, [story(1, "The reform", url=URL, text=None)])
    keep(asking, URL)
    assert asked(asking) == ["The reform"]


@pytest.mark.parametrize("status", ["ok", "empty", "gone", "retry_at", "no_pages"])
def test_a_story_that_is_not_walled_is_asked_about_without_description_or_comments(asking: Asking, status: str) -> None:
    load(asking.warehouse, [story(1, "The reform", url=URL, text="Own."), story(2, "A text", text="Words.")])
    load_comments(asking, [comment(11, "It comes in May."), comment(12, "Hm.", story_id=2)])
    text = {"text": "The article."} if status == "ok" else {}
    keep(asking, URL, status, description="The ports are reformed.", **text)
    said = text.get("text", "Own.")
    assert asked(asking) == ["A text\n\nWords.", f"The reform\n\n{said}"]
    hashes = dict(fetch(asking.warehouse, "SELECT item_id, input_hash FROM enriched.gist"))
    assert hashes == {
        1: hashlib.md5(f"The reform\n\n{said}".encode(), usedforsecurity=False).hexdigest(),
        2: hashlib.md5(b"A text\n\nWords.", usedforsecurity=False).hexdigest(),
    }


def test_the_questions_about_stories_have_the_fingerprints_that_they_had(tmp_path: Path) -> None:
    asking = Asking(tmp_path)
    warehouse = open_warehouse(asking.settings)
    found = {
        name: fingerprint_of(warehouse, enrichment, asking.settings)
        for name, enrichment in load_enrichments().items()
        if enrichment.of == "story"
    }
    assert found == FINGERPRINTS
