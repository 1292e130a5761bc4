"""The offline engine: deterministic answers without a key or a network, and an error where it has no method."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hnintel.engines.base import Answer, Label
from hnintel.engines.offline import fields, tokens
from hnintel.engines.offline.digest import digest
from hnintel.engines.offline.prompt import instruction_and_text
from hnintel.engines.offline.refusal import NoMethod, refuse
from hnintel.engines.offline.sentiment import is_sentiment_set, sentiment
from hnintel.engines.offline.summary import summarize
from hnintel.engines.offline.text import READ_AT_MOST
from hnintel.engines.offline.zeroshot import classifier

MODEL = "offline-1"

_ASKS_FOR_SUMMARY = re.compile(r"\b(?:summar(?:y|ies|i[sz]e\w*)|digest|tl;?dr)\b", re.IGNORECASE)
_log = logging.getLogger(__name__)


class OfflineEngine:
    """An ``Engine`` of lexicons, TF-IDF and rules. It has no state between calls, so threads may share it."""

    def model(self, requested: str) -> str:
        return MODEL

    def classify(self, texts: Sequence[str | None], labels: Sequence[Label], config: Mapping[str, Any]) -> list[Answer]:
        """Classify sentiments by lexicon, other labels by their words; ``task_description`` has no effect."""
        if not labels:
            return [_no_method("a classification without labels") for _ in texts]
        several = str(config.get("output_mode", "single")).lower() == "multi"
        label_set = tuple({label.label: label for label in labels}.values())
        return [_row(text, lambda text: _labels(text, label_set, several)) for text in texts]

    def complete(
        self, model: str, prompts: Sequence[str | None], parameters: Mapping[str, Any], schema: Mapping[str, Any] | None
    ) -> list[Answer]:
        """Answer the properties of the schema; without a schema, summarize where the instruction asks for a summary."""
        return [_row(prompt, lambda prompt: _completion(prompt, schema)) for prompt in prompts]

    def aggregate(self, texts: Sequence[str], task: str | None) -> Answer:
        """Return themes, launches or trends where the task asks for them, else an extractive summary of the group."""
        with_text = [text for text in texts if isinstance(text, str) and text.strip()]
        return _guarded(
            lambda: digest(with_text, task) or refuse("texts without sentences, or without what the task asks for")
        )

    def count_tokens(self, text: str) -> int:
        return tokens.count_tokens(text)


def _labels(text: str, labels: tuple[Label, ...], several: bool) -> dict[str, list[str]]:
    by_name = {label.label.strip().lower(): label.label for label in labels}
    if is_sentiment_set(by_name):
        return {"labels": [by_name[sentiment(text, by_name)]]}
    return {"labels": classifier(labels).classify(text, several) or refuse("a text that speaks for none of the labels")}


def _completion(prompt: str, schema: Mapping[str, Any] | None) -> Any:
    instruction, text = instruction_and_text(prompt)
    if not text.strip():
        refuse("a prompt without a text")
    if schema is not None:
        return fields.answer(schema, text[:READ_AT_MOST])
    if _ASKS_FOR_SUMMARY.search(instruction):
        return summarize([text], instruction) or refuse("a text without sentences")
    return refuse("a free completion: it summarises, or fills a schema")


def _row(text: str | None, method: Callable[[str], Any]) -> Answer:
    """Return the answer of *method* for a row."""
    if not isinstance(text, str) or not text.strip():
        return _no_method("an empty text")
    return _guarded(lambda: method(text))


def _guarded(method: Callable[[], Any]) -> Answer:
    """Return the answer of *method*; an exception there becomes the error of this row alone."""
    try:
        return Answer(method())
    except NoMethod as reason:
        return _no_method(str(reason))
    except Exception as problem:
        _log.exception("%s failed on a row", MODEL)
        return Answer(error=f"{MODEL} failed: {type(problem).__name__}: {problem}")


def _no_method(what: str) -> Answer:
    return Answer(error=f"{MODEL} has no method for {what}")
