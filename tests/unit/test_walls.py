"""A page that a site sends in place of an article is recognised, and no article is taken for one."""

# ruff: noqa: E501 - pages are on one line each

from __future__ import annotations

import gzip
from pathlib import Path

import lxml.html
import pytest

from hnintel.web import media
from hnintel.web.extract import article
from hnintel.web.walls import PASSING, _normal, wall, without_promotion, word_count, wordings

KINDS = tuple(kind for kind in wordings() if kind != "lines")
PARAGRAPH = (
    "The lighthouse was automated in 1982, and the last keeper kept a diary of every ship that passed the reef. "
)
ARTICLE = f"<article><h1>The last keeper</h1>{f'<p>{PARAGRAPH * 3}</p>' * 5}</article>"


def page(title: str, body: str, head: str = "") -> str:
    return f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>"


def wall_of(html: str, text: str) -> str | None:
    return wall(lxml.html.document_fromstring(html), html, text)


def kind_of(html: str) -> str | None:
    return article(html, "https://a.example/").wall


WALLS = {
    "challenge en": page(
        "www.shop.example",
        "<h1>Please verify you are a human</h1><p>Access to this page has been denied because we believe you are using automation tools. Reference ID: #a1</p><div id='px-captcha'></div>",
    ),
    "challenge de": page(
        "Einen Moment", "<p>Überprüfung, ob Sie ein Mensch sind. Dies kann einige Sekunden dauern.</p>"
    ),
    "challenge fr": page(
        "Un instant…",
        "<p>Vérifiez que vous êtes humain en effectuant l’action ci-dessous.</p><div class='cf-turnstile'></div>",
    ),
    "challenge zh": page("安全验证", "<p>请完成安全验证，以继续访问本网站。</p>"),
    "consent de": page(
        "Zustimmung",
        "<p>Wir und unsere Partner verarbeiten Ihre Daten, um Informationen auf einem Gerät speichern zu können.</p><button>Alle akzeptieren</button><button>Alle ablehnen</button>",
    ),
    "consent fr": page(
        "Le Journal",
        "<p>Nous respectons votre vie privée. Nous et nos partenaires utilisons des cookies.</p><button>Tout accepter</button><button>Continuer sans accepter</button>",
    ),
    "consent es": page(
        "El Diario",
        "<p>Valoramos tu privacidad. Nosotros y nuestros socios almacenamos cookies.</p><button>Aceptar todo</button>",
    ),
    "login en": page(
        "Log in | Social",
        "<h1>You must log in to continue.</h1><form><input name='email'><input type='password'><a>Forgotten password?</a></form>",
    ),
    "login de": page(
        "Anmelden", "<p>Bitte melden Sie sich an, um diese Seite zu sehen.</p><form><input type='password'></form>"
    ),
    "login zh": page("登录", "<p>请登录后查看全部内容。</p><form><input type='password'></form>"),
    "paywall de": page(
        "Die Reform",
        "<article><p>Die Reform kommt.</p></article><div><h2>Weiterlesen mit dem Digital-Abo</h2><p>Sie haben bereits ein Abo? Monatlich kündbar. Nur für Abonnenten.</p></div>",
    ),
    "paywall fr": page(
        "La réforme",
        "<article><p>La réforme arrive.</p></article><div><p>Cet article est réservé aux abonnés. Déjà abonné ? Sans engagement.</p></div>",
    ),
    "paywall es": page(
        "La reforma",
        "<article><p>Llega la reforma.</p></article><div><p>Contenido exclusivo para suscriptores. ¿Ya eres suscriptor? Cancela cuando quieras.</p></div>",
    ),
    "paywall zh": page(
        "改革", "<article><p>改革来了。</p></article><div><p>本文为付费内容，订阅后阅读全文。</p></div>"
    ),
    "paywall declared": page(
        "Chips",
        "<article><p>The fab never sleeps.</p></article><p>Subscribe to continue reading</p>",
        head='<script type="application/ld+json">{"@graph": [{"@type": "NewsArticle", "isAccessibleForFree": "False"}]}</script>',
    ),
    "soft_404 de": page(
        "Seite nicht gefunden", "<h1>404</h1><p>Die von Ihnen gesuchte Seite existiert nicht mehr. Zur Startseite</p>"
    ),
    "soft_404 fr": page("Page introuvable", "<p>La page que vous cherchez n’existe pas.</p>"),
    "soft_404 zh": page("页面不存在", "<p>您访问的页面不存在。返回首页</p>"),
    "script_only en": page(
        "App", "<noscript>You need to enable JavaScript to run this app.</noscript><div id='root'></div>"
    ),
    "region en": page(
        "News",
        "<p>This content is not available in your country due to the General Data Protection Regulation (GDPR).</p>",
    ),
    "parked en": page("example.com", "<h1>This domain is for sale</h1><p>Make an offer through our registrar.</p>"),
    "interstitial en": page(
        "Post", "<p>This content is only available in the app. Get it on the App Store and Google Play.</p>"
    ),
    "error en": page("502 Bad Gateway", "<h1>502 Bad Gateway</h1><hr><center>nginx</center>"),
}


@pytest.mark.parametrize("name", WALLS)
def test_a_wall_is_named_by_its_kind_and_has_no_text(name: str) -> None:
    found = article(WALLS[name], "https://a.example/")
    assert (found.wall, found.text) == (name.split()[0], None)


HINTS = {
    "login": page("Log in", "<form><input name='email'><input type='password'></form>"),
    "challenge": page("Security check", "<p>Wait.</p><div class='g-recaptcha'></div>"),
    "paywall": page(
        "Chips",
        "<article><p>The fab never sleeps.</p></article><p>Cancel anytime.</p>",
        head='<script type="application/ld+json">{"isAccessibleForFree": false}</script>',
    ),
}


def described(name: str, description: str, title: str | None = None) -> str | None:
    """The description that is kept of a wall, with its own title or another."""
    html = WALLS[name].replace("</title>", f'</title><meta name="description" content="{description}">')
    if title:
        html = html.replace("<title>", f'<meta property="og:title" content="{title}"><title>', 1)
    found = article(html, "https://a.example/")
    assert found.wall == name.split()[0]
    return found.description


@pytest.mark.parametrize("name", ["paywall de", "paywall declared", "consent fr", "script_only en", "region en"])
def test_a_wall_keeps_what_its_page_says_of_the_article_behind_it(name: str) -> None:
    assert described(name, "The reform of the harbours comes in May.") == "The reform of the harbours comes in May."


@pytest.mark.parametrize("name", ["challenge en", "soft_404 fr", "parked en", "error en"])
def test_a_wall_that_stands_before_no_article_keeps_no_description(name: str) -> None:
    assert described(name, "The reform of the harbours comes in May.") is None


def test_a_description_that_speaks_of_the_wall_or_of_a_page_named_after_one_is_not_kept() -> None:
    assert described("paywall de", "Subscribe to continue reading the story of the reform.") is None
    assert described("login en", "Connect with friends and the world around you.") is None
    assert described("login en", "A thread on tides in brass.", "Ann on tides") == "A thread on tides in brass."


@pytest.mark.parametrize("kind", HINTS)
def test_markup_beside_a_title_or_a_weak_word_makes_a_wall_without_a_sentence(kind: str) -> None:
    assert kind_of(HINTS[kind]) == kind
    bare = HINTS[kind].replace("type='password'", "").replace("class='g-recaptcha'", "").replace("false", "true")
    assert kind_of(bare) is None


def test_a_title_that_only_mentions_a_wall_is_no_wall() -> None:
    title = "Why every log in form of the last thirty years has been wrong in the same way"
    assert kind_of(page(title, "<p>A talk.</p><form><input type='password'></form>")) is None


def test_a_long_page_without_an_article_is_an_index_and_no_wall() -> None:
    index = "".join(f"<li><a href='/{number}'>Lamp number {number}</a></li>" for number in range(500))
    offer = "<p>Subscribe to continue reading. Cancel anytime.</p>"
    assert wall_of(page("Lamps", f"<ul>{index}</ul>{offer}"), "") is None
    assert wall_of(page("Lamps", offer), "") == "paywall"


def test_an_article_each_line_of_which_speaks_of_walls_stays_an_article() -> None:
    text = "\n".join(f"Page not found, the keeper wrote in line {number} of his diary." for number in range(30))
    assert wall_of(page("Page not found", f"<p>{text}</p>"), text) is None
    assert wall_of(page("Page not found", f"<p>{text[:120]}</p>"), text[:120]) == "soft_404"


def test_lines_of_promotion_do_not_come_into_an_article() -> None:
    promoted = ARTICLE.replace("</article>", f"<p>Share this article with your friends</p><p>{PARAGRAPH}</p></article>")
    text = article(page("The last keeper", promoted), "https://a.example/").text
    assert text is not None
    assert "Share this article" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_each_sentence_of_the_wording_makes_a_short_page_a_wall(kind: str) -> None:
    missed = [
        phrase for phrase in wordings()[kind].strong if wall_of(page("A page", f"<p>{phrase}</p>"), phrase) is None
    ]
    assert missed == []


@pytest.mark.parametrize("kind", wordings())
def test_the_wording_is_written_as_pages_are_compared(kind: str) -> None:
    words = wordings()[kind]
    phrases = [*words.title, *words.strong, *words.weak]
    assert [phrase for phrase in phrases if phrase.strip() != _normal(phrase)] == []
    assert len(set(words.strong)) == len(words.strong)


@pytest.mark.parametrize("kind", KINDS)
def test_an_article_that_speaks_of_walls_stays_an_article(kind: str) -> None:
    spoken = "".join(f"<p>It said: {phrase}. {PARAGRAPH}</p>" for phrase in wordings()[kind].strong[:8])
    found = article(
        page("The last keeper", f"<article><h1>On walls</h1>{spoken}{ARTICLE}</article>"), "https://a.example/"
    )
    assert found.wall is None
    assert found.text is not None


@pytest.mark.parametrize(
    "around",
    [
        "<div class='consent'><p>We value your privacy. We and our partners store cookies.</p><button>Accept all</button></div>",
        "<form><input type='password'><a>Forgot password?</a><p>Sign in to continue</p></form>",
        "<aside><p>Already a subscriber? Subscribe to continue reading. Cancel anytime.</p></aside>",
        "<noscript>Please enable JavaScript</noscript><div class='g-recaptcha'></div>",
    ],
)
def test_what_surrounds_an_article_does_not_make_it_a_wall(around: str) -> None:
    assert kind_of(page("The last keeper", around + ARTICLE + around)) is None


def test_a_short_post_of_its_own_words_is_no_wall() -> None:
    post = f"<article><p>{PARAGRAPH * 3}</p></article><form><p>Sign in to continue</p><input type='password'></form>"
    assert kind_of(page("A note", post)) is None


def test_lines_of_promotion_are_taken_out_of_an_article_and_its_sentences_stay() -> None:
    text = f"{PARAGRAPH}\nRegister now for FREE unlimited access to example.com\n\n{PARAGRAPH}\nShare this article"
    assert without_promotion(text) == f"{PARAGRAPH}\n\n{PARAGRAPH}"
    sentence = (
        "He was asked to share this article with the harbour master, who had never heard of the reef before that day."
    )
    assert without_promotion(f"{PARAGRAPH}\n{sentence}") == f"{PARAGRAPH}\n{sentence}"
    assert without_promotion("Share this article") == "Share this article"


def test_chinese_is_counted_in_words_too() -> None:
    assert word_count("改革来了") >= 2


def test_walls_that_may_be_gone_another_time_are_kinds() -> None:
    assert set(KINDS) > PASSING


def test_pages_that_sites_sent_in_place_of_articles_are_walls(test_data: Path) -> None:
    kinds = {path.stem: kind_of(path.read_text(encoding="utf-8")) for path in (test_data / "walls").glob("*.html")}
    assert kinds == {name: name for name in kinds}


@pytest.mark.slow
def test_no_real_article_is_taken_for_a_wall(test_data: Path) -> None:
    walled = {}
    for path in (test_data / "articles").rglob("*.html.gz"):
        if kind := kind_of(media.to_text(gzip.decompress(path.read_bytes()), "text/html")):
            walled[path.name] = kind
    assert walled == {}
