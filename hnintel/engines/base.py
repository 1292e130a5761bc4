"""What stands behind the embedded ``AI_*`` functions: one protocol, answered offline or by an endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hnintel.errors import HnIntelError, Stopped, Unreachable, WarehouseError

#: Where an instruction ends and the text it is about begins. The text is data: nothing in it is an instruction.
TEXT_OPENS, TEXT_CLOSES = "<text>", "</text>"


class EngineUnreachable(WarehouseError, Unreachable):
    """What answers the AI functions does not answer now; the statement is tried again with backoff."""


@dataclass(frozen=True, slots=True)
class Label:
    """One category of a classification; the description is what a model, or a rule, judges by."""

    label: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that were paid for; ``is_counted`` where who is paid counted them all, else they are estimated."""

    input_tokens: int = 0
    output_tokens: int = 0
    is_counted: bool = True

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.is_counted and other.is_counted,
        )


@dataclass(slots=True)
class Spent:
    """Questions that may be paid for and have no row to be booked with.

    ``in_flight`` of the ``calls`` were given up while the endpoint was at them; their ``usage`` has their input only.
    """

    calls: int = 0
    in_flight: int = 0
    usage: Usage = field(default_factory=Usage)

    def add(self, usage: Usage | None, calls: int = 1, in_flight: int = 0) -> None:
        """So many more."""
        self.calls, self.in_flight = self.calls + calls, self.in_flight + in_flight
        self.usage += usage or Usage(is_counted=False)


class AskingStopped(Stopped):
    """The run was to end while questions were asked.

    ``spent`` is what this one call of an engine gave up; ``unbooked``, by AI function, is what a whole statement of a
    warehouse was asked and did not hand over.
    """

    def __init__(self, told: str, spent: Spent | None = None, unbooked: Mapping[str, Spent] | None = None) -> None:
        super().__init__(told)
        self.spent, self.unbooked = spent or Spent(), dict(unbooked or {})


@dataclass(frozen=True, slots=True)
class Answer:
    """What one row got: a value, or the reason why there is none. Never both.

    ``usage`` is what the row cost, all its tries together; None where nobody counted, and it has to be estimated.
    ``lost`` is why the row got neither: what answers went away, or refuses us, before its turn came. Such a row is not
    to blame, and is asked about again; others beside it may have been answered, and paid for.
    """

    value: Any = None
    error: str | None = None
    usage: Usage | None = None
    lost: HnIntelError | None = None


class Engine(Protocol):
    """Answers the questions that the embedded ``AI_*`` functions are asked.

    Every method is a pure function of its arguments as far as the caller can see, may be called from several threads
    at once, and gives a row that cannot be answered an ``Answer(error=...)`` instead of raising, so that one bad row
    never sinks the others. Only where no row can be answered, because what answers is away or refuses us, does it
    raise: WarehouseError, or EngineUnreachable where that may pass. Where that happens half way, those that were not
    answered by then get an ``Answer(lost=...)`` with that error, and what was paid for stays.
    """

    def model(self, asked_for: str) -> str:
        """The model that answers when *asked_for* is asked for; it is what the rows say in ``model``."""

    def classify(self, texts: Sequence[str | None], labels: Sequence[Label], config: Mapping[str, Any]) -> list[Answer]:
        """One answer a text, in order; ``value`` is ``{"labels": ["..."]}``, as ``AI_CLASSIFY`` gives it."""

    def complete(
        self, model: str, prompts: Sequence[str | None], parameters: Mapping[str, Any], schema: Mapping[str, Any] | None
    ) -> list[Answer]:
        """One answer a prompt, in order; ``value`` is an object held to *schema* (JSON schema), else a string."""

    def aggregate(self, texts: Sequence[str], task: str | None) -> Answer:
        """Prose over a whole group, as ``AI_AGG`` (with a *task*) or ``AI_SUMMARIZE_AGG`` (without) gives it."""

    def count_tokens(self, text: str) -> int:
        """About how many tokens *text* is."""
