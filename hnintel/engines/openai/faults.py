"""What a failed request means: the question is refused, it may pass, or the endpoint is used wrongly."""

from __future__ import annotations

import math
import re
from typing import Any

import openai

from hnintel.engines.base import Usage

#: An endpoint that asks for more patience than this (seconds) is asked again by a later run.
LONGEST_WAIT = 60.0

_NO_MODEL = re.compile(r"model.{0,200}(not found|not exist|not available)|(no such|unknown) model", re.DOTALL)


class Refused(Exception):
    """This question is not answered, now or later; the message has no text of it.

    ``body`` is what the endpoint said, to be searched for what it does not know, and never told.
    """

    def __init__(self, told: str, usage: Usage | None = None, body: str = "") -> None:
        super().__init__(told)
        self.usage, self.body = usage, body


class Passing(Exception):
    """Not answered now. ``may_be_the_question`` where another question may fare better at the same moment."""

    def __init__(self, told: str, may_be_the_question: bool = True, retry_after: float = 0.0) -> None:
        super().__init__(told)
        self.may_be_the_question, self.retry_after = may_be_the_question, retry_after


class Abandoned(Exception):
    """The run is to end, and the question was given up: while the endpoint was at it, or between two tries.

    ``usage`` is what it may have cost, of an answer under way the input alone; ``in_flight`` is 1 or 0.
    """

    def __init__(self, usage: Usage, in_flight: int) -> None:
        super().__init__("given up")
        self.usage, self.in_flight = usage, in_flight


class Misused(Exception):
    """No question will be answered before a setting is mended; the message goes on from the endpoint's URL."""


def of_connection(error: openai.APIConnectionError) -> Passing:
    """A connection that could not be made, or was lost."""
    cause = type(error.__cause__ or error).__name__
    return Passing(cause, may_be_the_question=cause not in ("ConnectError", "ConnectTimeout"))


def of_status(error: openai.APIStatusError, model: str) -> Exception:
    """An HTTP status that is no success."""
    status, body = error.status_code, str(error.body or error.message).lower()
    told = f"HTTP {status}{_code(error)}"
    if status in (401, 403):
        return Misused(f"does not let us in ({told}): set HNINTEL_OPENAI_API_KEY")
    if status == 402 or (status == 429 and "insufficient_quota" in body):
        return Misused(f"has no credit left for us ({told}): top it up there")
    # In another refusal than 404 there may be words of the question, so there only its code counts.
    if error.code in ("model_not_found", "invalid_model") or (status == 404 and _NO_MODEL.search(body)):
        return Misused(f"does not know the model '{model}' ({told}): mend HNINTEL_OPENAI_MODEL, or load it there")
    if status < 400 or status in (405, 410, 501) or (status == 404 and not named(body)):
        return Misused(f"takes no chat completions ({told}): mend HNINTEL_OPENAI_BASE_URL, which mostly ends in /v1")
    if status in (408, 409, 425, 429) or status >= 500:
        ours = status not in (429, 502, 503)
        return Passing(told, may_be_the_question=ours, retry_after=_seconds(error.response.headers.get("retry-after")))
    return Refused(f"the endpoint refuses the question ({told})", usage=Usage(), body=body)


#: What a request may hold that an endpoint may not know, by the words with which it says so.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "response_format": ("response_format", "json_schema", "json_object", "json schema", "structured output", "grammar"),
    "temperature": ("temperature",),
    "top_p": ("top_p",),
}


def named(body: str) -> set[str]:
    """Which parameters the endpoint complains of."""
    return {parameter for parameter, words in PARAMETERS.items() if any(word in body for word in words)}


def _code(error: openai.APIStatusError) -> str:
    """The endpoint's own code, where it is one and not a sentence, which might quote the question."""
    code: Any = error.code or error.type
    return f", {code}" if isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", code) else ""


def _seconds(retry_after: str | None) -> float:
    """``Retry-After`` in seconds; a date is left to the backoff, for clocks differ."""
    try:
        seconds = float(retry_after or 0)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
