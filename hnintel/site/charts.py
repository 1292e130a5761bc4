"""Charts as static inline SVG: drawn by pygal, then stripped to shapes, so that the page's own style colours them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

import pygal
from markupsafe import Markup
from pygal.style import Style

from hnintel.site.model import EntityTrend, SentimentDay, TopicTrend
from hnintel.site.text import clean

#: All that is taken over of pygal's drawing. It adds scripts, styles, the date and random ids, none of which may reach
#: the page: its Content-Security-Policy forbids the first two, and the others make each rendering different.
_ELEMENTS = frozenset({"svg", "g", "rect", "path", "text"})
_ATTRIBUTES = frozenset({"viewBox", "class", "transform", "x", "y", "width", "height", "d"})
_DROPPED = frozenset({"background", "overlay", "text-overlay", "tooltip"})
_CLASSES = frozenset({"axis", "x", "y", "guides", "guide", "line", "serie-0", "serie-1", "serie-2"})
_DECIMALS = re.compile(r"(?<!\d)\d+\.\d+")

#: Charts over days have room for a week even when less is known.
_FEWEST_DAYS = 7

_FONT_SIZE = 11
_PLAIN: dict[str, Any] = {
    "js": [],
    "margin": 0,
    "show_legend": False,
    "style": Style(label_font_size=_FONT_SIZE, major_label_font_size=_FONT_SIZE),
}
_BARE: dict[str, Any] = {**_PLAIN, "show_x_labels": False, "show_y_labels": False, "spacing": 0}


def sentiment_chart(days: Sequence[SentimentDay]) -> Markup:
    """Stacked bars, one a day: negative below, neutral between, positive on top. *days* ascend and are not empty."""
    last = days[-1]
    days = [*_days_before(days[0].day, _FEWEST_DAYS - len(days)), *days]
    most = max(day.positive + day.neutral + day.negative for day in days)
    chart = pygal.StackedBar(
        **_PLAIN,
        width=340,
        height=150,
        # Wide gaps make a week's bars slim; thirty days need the room.
        spacing=max(1, 56 // len(days)),
        margin_top=6,
        range=(0, most),
        y_labels=sorted({0, most // 2, most}),
        show_minor_x_labels=False,
        # pygal would cut dates to "…" for want of room, though only the labelled ones are drawn.
        truncate_label=-1,
    )
    chart.x_labels = [_short(day) for day in days]
    chart.x_labels_major = [_short(days[i]) for i in _labelled(len(days))]
    chart.add("negative", [day.negative for day in days])
    chart.add("neutral", [day.neutral for day in days])
    chart.add("positive", [day.positive for day in days])
    label = (
        f"Stories by sentiment, {_short(days[0])} to {_short(last)}. On {_short(last)}: {last.positive} positive, "
        f"{last.neutral} neutral, {last.negative} negative. The table below has every day."
    )
    return _static(chart, label, "sentiment-chart")


def topic_bar(topic: TopicTrend, most: int) -> Markup:
    """Two bars for a table's row: the last seven days above the seven before, on the scale of the busiest topic."""
    chart = pygal.HorizontalBar(**_BARE, width=240, height=10, range=(0, max(most, 1)))
    chart.add("now", [topic.stories_7d])
    chart.add("before", [topic.stories_previous_7d])
    label = f"{topic.topic}: {topic.stories_7d} stories in 7 days, {topic.stories_previous_7d} in the 7 before"
    return _static(chart, label, "topic-bar")


def entity_sparkline(entity: EntityTrend) -> Markup:
    """The last days' mentions of a name as bars no bigger than a word."""
    days = [0] * (_FEWEST_DAYS - len(entity.days)) + list(entity.days)
    chart = pygal.Bar(**_BARE, width=70, height=18, range=(0, max(*days, 1)))
    chart.add("mentions", days)
    label = f"{entity.entity}, mentions a day: {', '.join(map(str, entity.days))}"
    return _static(chart, label, "sparkline")


def _days_before(first: date, count: int) -> list[SentimentDay]:
    """Days without a bar, so that the first days of a history do not swell to fill the chart."""
    return [SentimentDay(first - timedelta(days=back), 0, 0, 0) for back in range(count, 0, -1)]


def _short(day: SentimentDay) -> str:
    return f"{day.day.day} {day.day:%b}"


def _labelled(count: int) -> list[int]:
    """Which of *count* days get a label: first, middle and last, since more would touch each other on a phone."""
    return sorted({0, count // 2, count - 1}) if count > 7 else list(range(count))


def _static(chart: Any, label: str, name: str) -> Markup:
    """*chart* as SVG of shapes alone, named for screen readers and styled by its class."""
    drawing = _shapes(chart.render_tree())
    if drawing is None:
        raise ValueError("pygal drew nothing")
    spoken = clean(label)
    drawing.attrib.update({"class": f"chart {name}", "role": "img", "aria-label": spoken})
    title = ElementTree.Element("title")
    title.text = spoken
    drawing.insert(0, title)
    # ElementTree escapes whatever the label holds, and nothing else in the drawing is text from outside.
    return Markup(ElementTree.tostring(drawing, encoding="unicode"))  # noqa: S704


def _shapes(element: Any) -> ElementTree.Element | None:
    """A copy of *element* with the allowed elements and attributes; None if nothing visible is left of it."""
    tag = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
    classes = (element.get("class") or "").split()
    if tag not in _ELEMENTS or not _DROPPED.isdisjoint(classes):
        return None
    copy = ElementTree.Element(tag, {k: _shorter(v) for k, v in element.attrib.items() if k in _ATTRIBUTES})
    copy.attrib.pop("class", None)
    if kept := [name for name in classes if name in _CLASSES]:
        copy.set("class", " ".join(kept))
    copy.text = element.text if tag == "text" else None
    copy.extend(child for child in map(_shapes, element) if child is not None)
    return copy if tag != "g" or len(copy) else None


def _shorter(value: str) -> str:
    """Coordinates to a hundredth: no eye sees more, and a page has hundreds of them."""
    return _DECIMALS.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), value)
