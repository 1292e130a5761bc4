"""Publishing: the page says what the briefing says, hostile titles are only words, and a file is whole or not there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import lxml.html
import pytest
from markdown_it import MarkdownIt

from hnintel.briefing import pages
from hnintel.briefing.sections import fingerprint
from hnintel.errors import UsageError, WarehouseError
from tests.briefing.desk import Desk, claiming
from tests.warehouse.world import DAY, story

HOSTILE = [
    "</title><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) ![x](https://evil.example/x.png)",
    "` | a | b | ``` # heading\n- list\n***",
    "{{ 7 * 7 }} {% raw %}",
    "'\"><svg/onload=alert(1)>",
]
NEXT_DAY = DAY + timedelta(days=1)


def on(day: date, number: int) -> list:  # type: ignore[type-arg]
    return [story(number).model_copy(update={"day": day})]


def test_an_empty_day_has_a_page_that_says_so(desk: Desk) -> None:
    desk.write()
    html, markdown = desk.publish()
    said = lxml.html.fromstring(html).text_content()
    assert "There are no stories for this day" in said
    assert "There are no stories for this day" in markdown


def test_the_page_says_every_claim_and_links_every_story_it_cites(tmp_path: Path) -> None:
    desk = Desk(tmp_path, claiming({"text": "Databases were released.", "ids": [1, 2]}))
    desk.load([item.model_copy(update={"source": "live"}) for item in (story(1), story(2), story(3))])
    desk.write()
    html, markdown = desk.publish()
    shown = lxml.html.fromstring(html)
    assert shown.text_content().count("Databases were released.") == 2  # themes and launches; no trend here
    cited = {link for link in shown.xpath("//a/@href") if "item?id=" in link}
    assert {link.rpartition("=")[2] for link in cited} <= {"1", "2", "3"}
    assert "Databases were released" in markdown
    (briefing,) = desk.rows("SELECT text FROM enriched.briefings")
    assert briefing["text"] == markdown


def test_a_story_that_died_since_is_not_shown_nor_is_a_claim_that_rests_on_it_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path, claiming({"text": "A database was withdrawn.", "ids": [1]}))
    desk.load([story(1, "SECRET of the story"), story(2)])
    desk.write()
    desk.load([story(1, "SECRET of the story", dead=True)])
    html, markdown = desk.publish()
    for text in (html, markdown):
        assert "SECRET" not in text
        assert "withdrawn" not in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_title_is_only_words_in_html_and_markdown(tmp_path: Path, hostile: str) -> None:
    desk = Desk(tmp_path, claiming({"text": f"Databases claim: {hostile}", "ids": [1]}))
    desk.load([story(1).model_copy(update={"title": hostile, "url": "javascript:alert(1)", "author": hostile})])
    desk.write()
    html, markdown = desk.publish()
    for shown in (lxml.html.fromstring(html), lxml.html.fromstring(MarkdownIt("commonmark").render(markdown))):
        assert shown.xpath("//script | //img | //iframe | //@onerror | //@onload") == []
        assert [link for link in shown.xpath("//@href") if not link.startswith(("http", "#", "2", "index"))] == []
        assert [link for link in shown.xpath("//@href") if "evil" in link] == []
        words = "".join(hostile.split())
        assert words in "".join(shown.text_content().split())
    assert "49" not in lxml.html.fromstring(html).xpath("string(//h1)")


def test_the_text_of_another_wording_stays_on_the_index(tmp_path: Path) -> None:
    desk = Desk(tmp_path, claiming({"text": "Databases: so it is.", "ids": [1, 2]}))
    desk.load([*on(DAY, 1), *on(NEXT_DAY, 2)])
    desk.write(DAY)
    with desk.warehouse.transaction(stage="enrich") as session:  # as a briefing of an earlier version is kept
        session.execute("UPDATE enriched.briefings SET fingerprint = 'of-an-earlier-wording'")
    desk.write(NEXT_DAY)
    html, _ = desk.publish(NEXT_DAY)
    assert f"{DAY}.html" in html
    index = (desk.settings.site / "index.html").read_text(encoding="utf-8")
    assert f"{DAY}.html" in index
    assert f"{NEXT_DAY}.html" in index


def test_the_index_counts_live_stories_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path, claiming({"text": "Databases: so it is.", "ids": [1]}))
    dead = story(3).model_copy(update={"day": DAY, "status": "dead"})
    desk.load([*on(DAY, 1), *on(DAY, 2), dead])
    desk.write()
    desk.publish()
    assert "2 stories" in (desk.settings.site / "index.html").read_text(encoding="utf-8")


def test_the_briefing_of_todays_wording_is_the_one_that_is_shown(tmp_path: Path) -> None:
    desk = Desk(tmp_path, claiming({"text": "Databases: the accepted words.", "ids": [1]}))
    desk.load(on(DAY, 1))
    desk.write()
    with desk.warehouse.transaction(stage="enrich") as session:
        session.execute(
            "INSERT INTO enriched.briefings SELECT day, 'another', input_hash, replace(claims, 'accepted', 'other'), "
            "stories, text, model, run_id, written_at + INTERVAL 1 DAY FROM enriched.briefings"
        )
    html, _ = desk.publish()
    assert "Databases: the accepted words." in html
    shown = desk.rows("SELECT fingerprint FROM enriched.briefings WHERE text <> ''")
    assert [row["fingerprint"] for row in shown] == [fingerprint("offline-test")]


def test_a_day_that_was_never_written_is_told(desk: Desk) -> None:
    with pytest.raises(UsageError, match=f"no briefing of {DAY} was written: run that day first"):
        desk.publish()


def test_the_pages_before_and_after_link_to_each_other(tmp_path: Path) -> None:
    desk = Desk(tmp_path, claiming({"text": "Databases: so it is.", "ids": [1, 2]}))
    desk.load([*on(DAY, 1), *on(NEXT_DAY, 2)])
    desk.write(DAY)
    assert f"{NEXT_DAY}.html" not in desk.publish(DAY)[0]
    desk.write(NEXT_DAY)
    assert f"{DAY}.html" in desk.publish(NEXT_DAY)[0]
    assert f"{NEXT_DAY}.html" in (desk.settings.site / f"{DAY}.html").read_text(encoding="utf-8")


def test_publishing_again_gives_the_same_bytes(desk: Desk) -> None:
    desk.load([story(1), story(2)])
    desk.write()
    assert desk.publish() == desk.publish()


def test_what_cannot_be_written_is_told_and_leaves_the_page_that_was_there(desk: Desk) -> None:
    desk.load([story(1)])
    desk.write()
    html, _ = desk.publish()
    index = desk.settings.site / "index.html"
    index.unlink()
    index.mkdir()  # where a file should go
    with pytest.raises(WarehouseError, match=r"index\.html cannot be written.*give another HNINTEL_HOME") as refused:
        desk.publish()
    assert "\n" not in str(refused.value)
    assert (desk.settings.site / f"{DAY}.html").read_text(encoding="utf-8") == html
    assert sorted(path.name for path in desk.settings.site.iterdir()) == [f"{DAY}.html", "index.html"]


def test_a_site_folder_that_cannot_be_made_is_told(desk: Desk) -> None:
    desk.write()
    desk.settings.site.write_text("a file in the way")
    with pytest.raises(WarehouseError, match="cannot be written"):
        desk.publish()


def test_neighbours_may_be_published_at_the_same_time(tmp_path: Path) -> None:
    """They write each other's pages; whoever comes last wins."""
    desk = Desk(tmp_path, claiming({"text": "Databases: so it is.", "ids": [1, 2]}))
    desk.load([*on(DAY, 1), *on(NEXT_DAY, 2)])
    desk.write(DAY)
    desk.write(NEXT_DAY)
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(desk.publish, [DAY, NEXT_DAY] * 4))
    assert all(html.endswith("</html>\n") for html, _ in pages)
    assert len(list(desk.settings.site.iterdir())) == 3


def test_nobody_ever_sees_half_a_page(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    whole = {letter * 300_000 for letter in "abc"}

    def write(text: str) -> None:
        for _ in range(40):
            pages._write(path, text)

    pages._write(path, "a" * 300_000)
    with ThreadPoolExecutor(3) as pool:
        writing = [pool.submit(write, text) for text in whole]
        while not all(one.done() for one in writing):
            assert path.read_text() in whole
        for one in writing:
            one.result()
    assert list(tmp_path.iterdir()) == [path]
