"""A loopback endpoint that speaks OpenAI's chat completions over HTTP, and misbehaves when it is told to.

It is a small language model of rules: what it answers follows from the request alone. An object is made after the JSON
schema that is in the request (its ``response_format``, else the words of its messages), out of the text between
``<text>`` and ``</text>``; without a schema it says the first sentences of the texts again.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

#: What can befall a question, beside any HTTP status as a number ("429", "500").
FAULTS = {
    "hang": "never answers",
    "drip": "sends a blank a tenth of a second, and nothing else",
    "drop": "closes the connection without an answer",
    "no_json": "its body is no JSON",
    "no_choices": "an answer without a choice",
    "no_usage": "an answer without usage",
    "odd_usage": "an answer with a usage that counts nothing",
    "huge_usage": "an answer with a usage that nobody can have counted",
    "refusal": "the model refuses",
    "length": "the answer is cut off half way",
    "empty": "the answer is empty",
    "prose": "an answer in prose",
    "fenced": "the right JSON in a fence, with prose around it",
    "comma": "the right JSON with a comma behind its last value",
    "thoughts": "the right JSON behind the model's thoughts",
    "misfit": "JSON that does not fit the schema",
}
_SCHEMA_IN_WORDS = re.compile(r"JSON schema:\n(\{.*\})")
_IDS = re.compile(r"\[\d+\]\s*")
_TEXT = re.compile(r"<text>(.*?)</text>", re.DOTALL)


@dataclass
class Mood:
    """What befalls which question.

    Args:
        always: faults by a part of the user's message; "" is in every one.
        first: faults of so many first questions: ``("429", 2)``.
        knows: what it takes as a ``response_format``.
        refuses: parameters it does not know.
        model: the one it has.
        key: the one it wants; None wants none.
        retry_after: seconds that 429 and 503 say.
        location: where 307 points to.
        latency: seconds before every answer.
        usage: what it reports, whatever it read and wrote; by default it counts.
        most_tokens: the largest bound on an answer that it takes.
        fills: whether it thinks, after each answer, up to the last token of the bound.
    """

    always: Mapping[str, str] = field(default_factory=dict)
    first: tuple[str, int] = ("", 0)
    knows: tuple[str, ...] = ("json_schema", "json_object")
    refuses: tuple[str, ...] = ()
    model: str = "small-rules"
    key: str | None = None
    retry_after: str | None = None
    location: str | None = None
    latency: float = 0.0
    usage: Any = None
    most_tokens: int | None = None
    fills: bool = False


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def user(self) -> str:
        """The user's message."""
        return str(self.body["messages"][-1]["content"])

    @property
    def tokens(self) -> int:
        """What it is charged for."""
        return sum(tokens(message["content"]) for message in self.body["messages"])

    @property
    def most_tokens(self) -> int:
        """The bound on its answer."""
        return int(self.body.get("max_tokens") or self.body.get("max_completion_tokens") or 10**9)

    @property
    def held_by(self) -> str | None:
        """The type of its ``response_format``."""
        return cast("str | None", self.body.get("response_format", {}).get("type"))


class ChatServer:
    """The endpoint; a context manager. ``asked`` are the requests in their order, ``at_once`` the most at one time."""

    def __init__(self, mood: Mood | None = None, port: int = 0) -> None:
        self.mood = mood or Mood()
        self.asked: list[Asked] = []
        #: The tokens read and written of every answer that it generated, whether or not it arrived.
        self.billed: list[tuple[int, int]] = []
        self.at_once = 0
        self.lock, self.inside, self.closing = threading.Lock(), 0, threading.Event()
        outer = self

        class Handler(_Handler):
            server_of = outer

        self._server = _Server(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False

    @property
    def base_url(self) -> str:
        """What the setting takes."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="chat-server", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def fault(self, asked: Asked) -> str | None:
        """What befalls this question, which is noted."""
        with self.lock:
            self.asked.append(asked)
            fault, times = self.mood.first
            if len(self.asked) <= times:
                return fault
        return next((fault for part, fault in self.mood.always.items() if part in asked.user), None)

    def held_by(self) -> Counter[str | None]:
        """How often which ``response_format`` was asked for."""
        return Counter(one.held_by for one in self.asked)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing where whoever asked has gone."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: ChatServer

    def log_message(self, *_: Any) -> None:
        """Nothing: tests look at what was asked."""

    def do_POST(self) -> None:
        server = self.server_of
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with server.lock:
            server.inside += 1
            server.at_once = max(server.at_once, server.inside)
        try:
            asked = Asked(json.loads(body), {name.lower(): value for name, value in self.headers.items()})
            fault = server.fault(asked)
            time.sleep(server.mood.latency)
            self._answer(asked, fault)
        except (ConnectionError, json.JSONDecodeError):  # whoever asked has gone, before or while it asked
            self.close_connection = True
        finally:
            with server.lock:
                server.inside -= 1

    def _answer(self, asked: Asked, fault: str | None) -> None:
        mood = self.server_of.mood
        if self.path != "/v1/chat/completions":
            self._error(404, "there is nothing here")
        elif mood.key is not None and asked.headers.get("authorization") != f"Bearer {mood.key}":
            self._error(401, "Incorrect API key provided", "invalid_api_key")
        elif asked.body["model"] != mood.model:
            self._error(404, f"The model `{asked.body['model']}` does not exist", "model_not_found")
        elif asked.held_by is not None and asked.held_by not in mood.knows:
            self._error(400, f"'response_format' of type '{asked.held_by}' is not supported")
        elif unknown := next((name for name in mood.refuses if name in asked.body), None):
            self._error(400, f"Unsupported parameter: '{unknown}'", "unsupported_parameter")
        elif mood.most_tokens is not None and asked.most_tokens > mood.most_tokens:
            self._error(
                400, f"max_tokens is too large: {asked.most_tokens}. This model takes at most {mood.most_tokens}."
            )
        elif fault is not None and fault.isdigit():
            self._error(int(fault), f"a failure over {asked.user}")
        elif fault in ("hang", "drop", "drip"):
            self._bill(asked, fault)
            self._silence(fault)
        else:
            told = self._bill(asked, fault) | ({} if mood.usage is None else {"usage": mood.usage})
            self._send(200, b"<html>" if fault == "no_json" else json.dumps(told).encode())

    def _bill(self, asked: Asked, fault: str | None) -> dict[str, Any]:
        """The body of an answer, which is billed from here on."""
        answer = completion(asked, fault, self.server_of.mood.fills)
        with self.server_of.lock:
            self.server_of.billed.append((answer["billed"]["prompt_tokens"], answer["billed"]["completion_tokens"]))
        return {name: part for name, part in answer.items() if name != "billed"}

    def _silence(self, fault: str) -> None:
        self.close_connection = True
        if fault == "hang":
            self.server_of.closing.wait(30)
        if fault == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n")
            while not self.server_of.closing.wait(0.1):
                self.wfile.write(b" ")

    def _error(self, status: int, told: str, code: str | None = None) -> None:
        self._send(status, json.dumps({"error": {"message": told, "type": "error", "code": code}}).encode())

    def _send(self, status: int, body: bytes) -> None:
        mood = self.server_of.mood
        more = f"Retry-After: {mood.retry_after}\r\n" if mood.retry_after is not None and status in (429, 503) else ""
        more += f"Location: {mood.location}\r\n" if mood.location is not None and status == 307 else ""
        standing = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.wfile.write(f"HTTP/1.1 {status} X\r\n{standing}{more}\r\n".encode() + body)


def tokens(text: str) -> int:
    """How this endpoint counts, which is not how anybody else does."""
    return len(text) // 2


def completion(asked: Asked, fault: str | None, fills: bool = False) -> dict[str, Any]:
    """The body of an answer."""
    schema = _schema(asked.body)
    texts = [text for text in _TEXT.findall(asked.user) if text != " and "] or [asked.user]  # but "<text> and </text>"
    told = json.dumps(made_after(schema, " ".join(texts))) if schema else " ".join(map(_first_words, texts))
    content = _bent(told, fault)
    message = {"role": "assistant", "content": content, "refusal": "I will not" if fault == "refusal" else None}
    finish = "length" if fault == "length" else "stop"
    read, wrote = asked.tokens, tokens(told)
    if fills:
        message["reasoning"] = "x" * (2 * (asked.most_tokens - wrote))
        wrote = asked.most_tokens
    usage: dict[str, Any] = {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}
    billed = usage
    if fault == "odd_usage":
        usage = {"prompt_tokens": "few", "completion_tokens": wrote}
    if fault == "huge_usage":
        usage = {"prompt_tokens": 9 * 10**18, "completion_tokens": wrote}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_792_600_000,
        "model": asked.body["model"],
        "choices": [] if fault == "no_choices" else [{"index": 0, "message": message, "finish_reason": finish}],
        **({} if fault == "no_usage" else {"usage": usage}),
        "billed": billed,
    }


def _bent(told: str, fault: str | None) -> str:
    bent = {
        "refusal": "",
        "empty": "",
        "length": told[: len(told) // 2],
        "prose": "I would rather talk about it.",
        "fenced": f"Here you are:\n```json\n{told}\n```\nAnything {{else}}?",
        "comma": f"{told[:-1]},}}",
        "thoughts": f"<think>Perhaps {told.lower()}?</think>\n{told}",
        "misfit": json.dumps({"unasked": json.loads(told)}) if fault == "misfit" else "",
    }
    return bent.get(fault or "", told)


def _schema(body: Mapping[str, Any]) -> Any:
    held = body.get("response_format", {})
    if held.get("type") == "json_schema":
        return held["json_schema"]["schema"]
    found = _SCHEMA_IN_WORDS.search(body["messages"][0]["content"])
    return json.loads(found.group(1)) if found else None


def made_after(schema: Mapping[str, Any], text: str) -> Any:
    """A value that fits *schema*, made of *text*: of an enumeration one that the text begins to name, if it does; its
    first words; its numbers in brackets; its words with a capital."""
    if "enum" in schema:
        told = [value for value in schema["enum"] if str(value)[:6].lower() in text.lower()]
        return (told or schema["enum"])[len(text) % len(told or schema["enum"])]
    kind = schema.get("type")
    if kind == "object":
        return {name: made_after(told, text) for name, told in schema["properties"].items()}
    if kind == "array":
        return _items(schema["items"], text)
    if kind in ("integer", "number"):
        return len(text) % 2
    return len(text) % 2 == 0 if kind == "boolean" else _first_words(_IDS.sub("", text))


def _items(schema: Mapping[str, Any], text: str) -> list[Any]:
    if "enum" in schema or schema.get("type") == "object":
        ends = r"\n|(?<=\])\s" if "enum" in schema else r"\n|\s(?=\[\d)"  # in a digest, an id stands before its story
        return [made_after(schema, line) for line in re.split(ends, text) if line.strip()][:6]
    if schema.get("type") == "integer":
        return [int(number) for number in re.findall(r"\[(\d+)\]", text)]
    return list(dict.fromkeys(re.findall(r"\b[A-Z][a-z]+\b", text)))[:5]


def _first_words(text: str) -> str:
    return " ".join(text.split()[:12])
