"""The page of a repository gives its README, the page of a video its description."""

from __future__ import annotations

import json

import pytest

from hnintel.web.extract import article

README = "".join(
    f"<p>Fenwick keeps prefix sums in an array, rule {number}, and updates them in place.</p>" for number in range(9)
)
AROUND = "".join(
    f"<p>Commit {number} by ann: mend the tests of the build on the other machine.</p>" for number in range(30)
)
REPOSITORY = f"""<html><head><title>ann/fenwick</title></head><body><div>{AROUND}</div><div id="readme">
<article class="markdown-body entry-content"><h1>fenwick</h1>{README}<pre>pip install fenwick</pre></article></div>
</body></html>"""
SAID = "A carillon of forty bells is restored.\nThe bell founder explains how each is tuned by turning it on a lathe."


@pytest.mark.parametrize("url", ["https://github.com/ann/fenwick", "https://www.github.com/ann/fenwick/"])
def test_the_page_of_a_repository_gives_its_readme_alone(url: str) -> None:
    text = article(REPOSITORY, url).text or ""
    assert text.count("prefix sums") == 9
    assert "pip install fenwick" in text
    assert "Commit" not in text


@pytest.mark.parametrize("url", ["https://github.com/ann/fenwick/issues/1", "https://blog.example/ann/fenwick"])
def test_another_page_is_read_whole(url: str) -> None:
    assert "Commit" in (article(REPOSITORY, url).text or "")


def test_a_page_with_two_readmes_is_read_whole() -> None:
    two = REPOSITORY.replace("</body>", f'<article class="markdown-body">{AROUND}</article></body>')
    assert "Commit" in (article(two, "https://github.com/ann/fenwick").text or "")


def video(head: str, body: str = "") -> str | None:
    return article(
        f"<html><head><title>Bells</title>{head}</head><body>{body}</body></html>", "https://v.example/1"
    ).text


def linked(**said: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(said)}</script>'


OG = '<meta property="og:type" content="video.other">'


def test_the_page_of_a_video_gives_its_description() -> None:
    assert video(linked(**{"@type": "VideoObject", "description": SAID})) == SAID
    assert video(OG + f'<meta property="og:description" content="{SAID}">') == SAID
    short = f'<meta property="og:description" content="{SAID[:50]}...">'
    player = f"<script>var player = {json.dumps({'videoDetails': {'shortDescription': SAID}})}</script>"
    assert video(OG + short + player.replace('": "', '":"')) == SAID


def test_a_video_that_says_next_to_nothing_has_no_text() -> None:
    assert video(OG + '<meta property="og:description" content="Bells.">') is None
    assert video(OG) is None


def test_an_article_with_a_video_in_it_keeps_its_text() -> None:
    both = linked(**{"@type": "NewsArticle", "video": {"@type": "VideoObject", "description": SAID * 50}})
    text = video(both, f"<article>{AROUND}</article>") or ""
    assert "Commit 3" in text
    assert "carillon" not in text
    assert video(f'<meta property="og:description" content="{SAID}">') is None


@pytest.mark.parametrize("broken", ['"shortDescription":"\\x"', '"shortDescription":"', '"shortDescription":"\\ud800"'])
def test_broken_data_of_a_player_is_passed_over(broken: str) -> None:
    assert video(OG + f'<meta property="og:description" content="{SAID}"><script>{broken}</script>') == SAID
