"""A day's page as HTML and as Markdown, and the index of all days. Pure: the same page gives the same text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hnintel.site import charts, view
from hnintel.site.model import (
    SAMPLE,
    Claim,
    DomainRow,
    EntityTrend,
    Facts,
    Page,
    PostedBefore,
    Provenance,
    SentimentDay,
    Story,
    TopicTrend,
)
from hnintel.site.text import Markdown, clean, clip, escape_markdown, markdown_link

__all__ = [
    "Claim",
    "DomainRow",
    "EntityTrend",
    "Facts",
    "Page",
    "PostedBefore",
    "Provenance",
    "SentimentDay",
    "Story",
    "TopicTrend",
    "page_path",
    "render_index",
    "render_markdown",
    "render_page",
]

_HERE = Path(__file__).parent


def page_path(day: date) -> str:
    """A day's page, seen from the index and from every other day's page: all of them lie in one folder."""
    return f"{day.isoformat()}.html"


def render_page(page: Page) -> str:
    """*page* as one HTML file that loads nothing: no script, no style, font or image from elsewhere."""
    return _HTML.get_template("page.html.jinja").render(**_figures(page), **_style())


def render_markdown(page: Page) -> str:
    """*page* as Markdown without its charts, for a Prefect artifact and for the warehouse."""
    return _MARKDOWN.get_template("page.md.jinja").render(**_figures(page))


def render_index(days: Sequence[tuple[date, str, int]]) -> str:
    """The list of all briefings, newest first, of (day, headline, number of stories)."""
    rows = [
        {"day": day, "headline": clip(headline, 240), "stories": stories}
        for day, headline, stories in sorted(days, key=lambda row: row[0], reverse=True)
    ]
    return _HTML.get_template("index.html.jinja").render(days=rows, **_style())


def _figures(page: Page) -> dict[str, Any]:
    stories = view.stories(page)
    sentiment = view.sentiment_days(page)
    return {
        "page": page,
        "is_sample": page.provenance.source == SAMPLE,
        "stories": stories,
        "sections": view.sections(page, stories),
        "topics": view.topics(page.topics),
        "sentiment": sentiment,
        "sentiment_chart": charts.sentiment_chart(sentiment) if sentiment else None,
        "entities": view.entities(page.entities),
    }


def _style() -> Mapping[str, Markup]:
    """The one style sheet, and its hash, by which the Content-Security-Policy knows it from an injected one."""
    css = (_HERE / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii")
    return {"style": Markup(css), "style_hash": Markup(digest)}  # noqa: S704 (a file of this package)


def _shown_in_html(value: Any) -> Any:
    """Autoescape sees to the markup; this, to what escaping leaves as it is: characters that cannot be seen."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _shown_in_markdown(value: Any) -> Any:
    """Markdown has no autoescape, so every value of every template goes through here."""
    return escape_markdown(value) if isinstance(value, str) and not isinstance(value, Markdown) else value


def _environment(finalize: Callable[[Any], Any], *, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=autoescape,  # noqa: S701 (where it is off, finalize escapes)
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        costs=view.costs,
        clip=clip,
        counted=view.counted,
        kinds=view.kinds,
        local_time=view.local_time,
        long_date=view.long_date,
        markdown_link=markdown_link,
        page_path=page_path,
        thousands=lambda number: f"{number:,}",
    )
    return environment


_HTML = _environment(_shown_in_html, autoescape=True)
_MARKDOWN = _environment(_shown_in_markdown, autoescape=False)
