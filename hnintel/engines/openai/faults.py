"""Classes of failed requests: the question is refused, a retry may help, or a setting is wrong."""

from __future__ import annotations

import math
import re
from typing import Any

import openai

from hnintel.engines.base import Usage

#: The longest ``Retry-After`` in seconds that a run waits; after a longer value, a later run asks again.
LONGEST_WAIT = 60.0

_NO_MODEL = re.compile(r"model.{0,200}(not found|not exist|not available)|(no such|unknown) model", re.DOTALL)


class Refused(Exception):
    """This question is not answered, now or later; the message has no text of the question.

    ``body`` is the endpoint's answer, which is searched for rejected parameters and never shown.
    """

    def __init__(self, message: str, usage: Usage | None = None, body: str = "") -> None:
        super().__init__(message)
        self.usage, self.body = usage, body


class Passing(Exception):
    """A failure that may pass. ``may_be_the_question`` where another question may be answered at the same moment."""

    def __init__(self, message: str, may_be_the_question: bool = True, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.may_be_the_question, self.retry_after = may_be_the_question, retry_after


class Abandoned(Exception):
    """The run was stopped and the question cancelled, during a request or between two attempts.

    ``usage`` is its possible cost, of a request under way the input alone; ``in_flight`` is 1 or 0.
    """

    def __init__(self, usage: Usage, in_flight: int) -> None:
        super().__init__("given up")
        self.usage, self.in_flight = usage, in_flight


class Misused(Exception):
    """No question is answered until a setting is corrected; the message continues a line that begins with the URL."""


def of_connection(error: openai.APIConnectionError) -> Passing:
    """Return the fault for a connection that failed or was lost."""
    cause = type(error.__cause__ or error).__name__
    return Passing(cause, may_be_the_question=cause not in ("ConnectError", "ConnectTimeout"))


def of_status(error: openai.APIStatusError, model: str) -> Exception:
    """Return the fault for an HTTP status that is not a success."""
    status, body = error.status_code, str(error.body or error.message).lower()
    described = f"HTTP {status}{_code(error)}"
    if status in (401, 403):
        return Misused(f"refuses the login ({described}): set HNINTEL_OPENAI_API_KEY")
    if status == 402 or (status == 429 and "insufficient_quota" in body):
        return Misused(f"has no credit left ({described}): add credit there")
    # The body of a refusal other than 404 may quote the question, so only its code is read.
    if error.code in ("model_not_found", "invalid_model") or (status == 404 and _NO_MODEL.search(body)):
        return Misused(
            f"does not know the model '{model}' ({described}): correct HNINTEL_OPENAI_MODEL, or load it there"
        )
    if status < 400 or status in (405, 410, 501) or (status == 404 and not named(body)):
        return Misused(
            f"offers no chat completions ({described}): correct HNINTEL_OPENAI_BASE_URL, which mostly ends in /v1"
        )
    if status in (408, 409, 425, 429) or status >= 500:
        ours = status not in (429, 502, 503)
        return Passing(
            described, may_be_the_question=ours, retry_after=_seconds(error.response.headers.get("retry-after"))
        )
    return Refused(f"the endpoint refuses the question ({described})", usage=Usage(), body=body)


#: Parameters that an endpoint may not know, each with the words by which an error names it.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "response_format": ("response_format", "json_schema", "json_object", "json schema", "structured output", "grammar"),
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "max_tokens": ("max_tokens",),
    "max_completion_tokens": ("max_completion_tokens",),
}


def named(body: str) -> set[str]:
    """Return the parameters that the endpoint rejects in *body*."""
    return {parameter for parameter, words in PARAMETERS.items() if any(word in body for word in words)}


def _code(error: openai.APIStatusError) -> str:
    """Return the endpoint's error code; empty where it is a sentence, which might quote the question."""
    code: Any = error.code or error.type
    return f", {code}" if isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", code) else ""


def _seconds(retry_after: str | None) -> float:
    """Return ``Retry-After`` in seconds; 0 for a date, since clocks differ."""
    try:
        seconds = float(retry_after or 0)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
