"""What an endpoint says an answer took in tokens, believed only where it can be so, and otherwise estimated.

A count decides what is booked and when a budget stops a run, so a wrong one is worth as much as a wrong price.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from hnintel.engines.base import Usage

#: The most tokens of reasoning that are believed of one answer: as many as any model may write.
MOST_REASONING = 131_072
#: Tokens beside the text: the marks of a chat template around a message, and the end of an answer.
_MARKS = 64
#: In no language does a tokenizer take more characters than this for one token, on average over a text.
_MOST_CHARS_A_TOKEN = 8
#: A token of prose and JSON is more than three bytes. An estimate by two is too high, as it has to be.
_BYTES_A_TOKEN = 2


def usage(reply: Any, messages: Sequence[Mapping[str, str]], parameters: Mapping[str, Any]) -> Usage:
    """The tokens of one completion: as *reply* counts them where that is possible, else estimated from both texts.

    Args:
        reply: the endpoint's answer as it was parsed from JSON; it may be of any shape.
        messages: that were sent.
        parameters: that were sent along, such as a schema, which an endpoint may put into the prompt.

    Returns:
        tokens of input and output; ``is_counted`` only where both are the endpoint's own.
    """
    asked = "".join(message["content"] for message in messages)
    message = _message(reply)
    content = message.get("content")
    written = content if isinstance(content, str) else ""
    reported = reply.get("usage") if isinstance(reply, Mapping) else None
    reported = reported if isinstance(reported, Mapping) else {}
    read, wrote = reported.get("prompt_tokens"), reported.get("completion_tokens")

    sent = _bytes(asked) + _bytes(json.dumps(parameters, ensure_ascii=False, default=str))
    most_read = sent + _MARKS * (1 + len(messages))
    shown = sum(_bytes(part) for part in message.values() if isinstance(part, str))
    most_written = shown + _MARKS + _reasoning(reported)
    if _is_possible(read, asked, most_read) and _is_possible(wrote, written, most_written):
        return Usage(read, wrote)
    return Usage(_believed(read, asked, most_read), _believed(wrote, written, most_written), is_counted=False)


def unanswered(messages: Sequence[Mapping[str, str]]) -> Usage:
    """About the tokens that were read of a question whose answer never came."""
    return Usage(_estimated("".join(message["content"] for message in messages)), 0, is_counted=False)


def _is_possible(count: object, text: str, most: int) -> TypeGuard[int]:
    """Whether *text* can have so many tokens; a bool, a float and a text are no count."""
    return type(count) is int and max(bool(text), len(text) // _MOST_CHARS_A_TOKEN) <= count <= most


def _believed(count: object, text: str, most: int) -> int:
    """*count* where it is possible; the most that there can be where it is above that; else an estimate."""
    if type(count) is int and count > most:
        return most
    return count if type(count) is int and _is_possible(count, text, most) else _estimated(text)


def _estimated(text: str) -> int:
    return math.ceil(_bytes(text) / _BYTES_A_TOKEN)


def _reasoning(reported: Mapping[str, Any]) -> int:
    """Tokens of output that nobody is shown, where the endpoint names them."""
    details = reported.get("completion_tokens_details")
    hidden = details.get("reasoning_tokens") if isinstance(details, Mapping) else None
    return min(hidden, MOST_REASONING) if type(hidden) is int and hidden > 0 else 0


def _message(reply: Any) -> Mapping[str, Any]:
    """The message of the first choice; its other fields may hold reasoning, which is paid for too."""
    try:
        message = reply["choices"][0]["message"]
    except (KeyError, IndexError, TypeError):
        return {}
    return message if isinstance(message, Mapping) else {}


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
