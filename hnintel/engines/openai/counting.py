"""Tokens of an answer: the count of the endpoint where it is plausible, else an estimate.

A count decides what is booked and when a budget stops a run, so a wrong count does as much harm as a wrong price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from hnintel.engines.base import Usage
from hnintel.engines.bounds import MARKS, byte_length, most_read

#: The most tokens of reasoning that are accepted for an answer: as many as any model may write.
MOST_REASONING = 131_072
#: The most characters of a token in any language, on average over a text.
_MOST_CHARS_A_TOKEN = 8


def usage(reply: Any, messages: Sequence[Mapping[str, str]], parameters: Mapping[str, Any]) -> Usage:
    """Return the tokens of a completion: the counts of *reply* where they are plausible, else estimates from the texts.

    Args:
        reply: the endpoint's answer, parsed from JSON; it may have any shape.
        messages: the messages that were sent.
        parameters: the parameters that were sent, such as a schema, which an endpoint may put into the prompt.

    Returns:
        tokens of input and output; ``is_counted`` only where both are the endpoint's own.
    """
    question = "".join(message["content"] for message in messages)
    message = _message(reply)
    content = message.get("content")
    written = content if isinstance(content, str) else ""
    reported = reply.get("usage") if isinstance(reply, Mapping) else None
    reported = reported if isinstance(reported, Mapping) else {}
    reported_input, reported_output = reported.get("prompt_tokens"), reported.get("completion_tokens")

    most_input = most_read(messages, parameters)
    shown = sum(byte_length(part) for part in message.values() if isinstance(part, str))
    most_written = shown + MARKS + _reasoning(reported)
    if _is_possible(reported_input, question, most_input) and _is_possible(reported_output, written, most_written):
        return Usage(reported_input, reported_output)
    return Usage(
        _bounded(reported_input, question, most_input),
        _bounded(reported_output, written, most_written),
        is_counted=False,
    )


def unanswered(messages: Sequence[Mapping[str, str]]) -> Usage:
    """Estimate the input tokens of a question without an answer."""
    return Usage(_estimated("".join(message["content"] for message in messages)), 0, is_counted=False)


def _is_possible(count: object, text: str, most: int) -> TypeGuard[int]:
    """Return whether *text* can have *count* tokens; a bool, a float or a string is not a count."""
    return type(count) is int and max(bool(text), len(text) // _MOST_CHARS_A_TOKEN) <= count <= most


def _bounded(count: object, text: str, most: int) -> int:
    """Return *count* where it is plausible, *most* where it is larger than that, else an estimate."""
    if type(count) is int and count > most:
        return most
    return count if type(count) is int and _is_possible(count, text, most) else _estimated(text)


def _estimated(text: str) -> int:
    """The most tokens that *text* can have, since a budget holds only if no estimate is too low."""
    return byte_length(text)


def _reasoning(reported: Mapping[str, Any]) -> int:
    """Return the output tokens of hidden reasoning, 0 where the endpoint reports none."""
    details = reported.get("completion_tokens_details")
    hidden = details.get("reasoning_tokens") if isinstance(details, Mapping) else None
    return min(hidden, MOST_REASONING) if type(hidden) is int and hidden > 0 else 0


def _message(reply: Any) -> Mapping[str, Any]:
    """Return the message of the first choice; its other fields may have reasoning, which is paid for too."""
    try:
        message = reply["choices"][0]["message"]
    except (KeyError, IndexError, TypeError):
        return {}
    return message if isinstance(message, Mapping) else {}
