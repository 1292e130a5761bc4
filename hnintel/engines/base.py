"""The protocol behind the embedded ``AI_*`` functions, which an offline engine or an endpoint implements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from hnintel.engines.journal import Journal
from hnintel.errors import HnIntelError, Stopped, Unreachable, WarehouseError

#: The marks around the text of a prompt. The text is data: nothing in it is an instruction.
TEXT_OPENS, TEXT_CLOSES = "<text>", "</text>"


#: Begins the reason of an answer that ended at its bound of tokens; the same question would be cut off again.
CUT_OFF = "the answer was cut off"


class EngineUnreachable(WarehouseError, Unreachable):
    """The engine does not answer now; the statement is retried with backoff."""


@dataclass(frozen=True, slots=True)
class Label:
    """A category of a classification; the description tells a model, or a rule, what belongs to it."""

    label: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that were paid for; ``is_counted`` where the provider counted them all, else they are estimated."""

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
    """Questions that may be charged although no stored answer books them.

    ``in_flight`` of the ``calls`` were cancelled before the endpoint answered; ``usage`` has only the input of those.
    """

    calls: int = 0
    in_flight: int = 0
    usage: Usage = field(default_factory=Usage)

    def add(self, usage: Usage | None, calls: int = 1, in_flight: int = 0) -> None:
        """Add calls and their usage; a missing usage counts as zero tokens, not counted."""
        self.calls, self.in_flight = self.calls + calls, self.in_flight + in_flight
        self.usage += usage or Usage(is_counted=False)


class AskingStopped(Stopped):
    """The run was stopped while questions were asked.

    ``spent`` are the questions that this call of an engine cancelled; ``unbooked``, by AI function, are the questions
    of a statement whose answers the warehouse did not return.
    """

    def __init__(self, message: str, spent: Spent | None = None, unbooked: Mapping[str, Spent] | None = None) -> None:
        super().__init__(message)
        self.spent, self.unbooked = spent or Spent(), dict(unbooked or {})


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer for a row: a value, or the reason why it has none. Never both.

    ``usage`` is the cost of the row over all its attempts; None where it was not counted and has to be estimated.
    ``lost`` is set where the row has neither, because the engine became unreachable or refused every question before
    its turn. Such a row is asked about again; other rows of the same call may have been answered and paid for.
    """

    value: Any = None
    error: str | None = None
    usage: Usage | None = None
    lost: HnIntelError | None = None


class Account(Protocol):
    """Admits each request of an engine before it is sent, and is told what it cost; from one event loop."""

    @property
    def journal(self) -> Journal | None:
        """Keeps the answers until the warehouse has them."""

    async def admit(self, function: str, worst: Usage) -> Any:
        """Wait until a request for *function*, which may cost *worst*, fits the budgets; return its ticket.

        Raises:
            BudgetReached: it does not fit.
        """

    def settle(self, ticket: Any, usage: Usage | None, given_up: bool = False) -> None:
        """Replace the worst case of a request by its cost; None where it was not billed."""


class Engine(Protocol):
    """Answers the questions of the embedded ``AI_*`` functions.

    Every method is a pure function of its arguments as far as the caller can see, may be called from several threads
    at once, and returns an ``Answer(error=...)`` for a row that cannot be answered, so that a bad row does not fail the
    others. A method raises only where no row can be answered, because the engine is unreachable or refuses every
    question: WarehouseError, or EngineUnreachable where a retry may help. If that happens half way, the rows without
    an answer get an ``Answer(lost=...)`` with that error, and the paid answers are returned.
    """

    def model(self, requested: str) -> str:
        """Return the model that answers when *requested* is requested; rows name it in ``model``."""

    def classify(self, texts: Sequence[str | None], labels: Sequence[Label], config: Mapping[str, Any]) -> list[Answer]:
        """Return an answer for each text, in order; ``value`` is ``{"labels": ["..."]}``, as from ``AI_CLASSIFY``."""

    def complete(
        self, model: str, prompts: Sequence[str | None], parameters: Mapping[str, Any], schema: Mapping[str, Any] | None
    ) -> list[Answer]:
        """Return an answer for each prompt, in order; ``value`` is an object that fits *schema*, else a string."""

    def aggregate(self, texts: Sequence[str], task: str | None) -> Answer:
        """Return prose about a whole group, as ``AI_AGG`` (with a *task*) or ``AI_SUMMARIZE_AGG`` (without) does."""

    def count_tokens(self, text: str) -> int:
        """Return an estimate of the tokens of *text*."""


@runtime_checkable
class ChargingEngine(Engine, Protocol):
    """An engine whose every request is paid for."""

    def charged_to(self, account: Account) -> Engine:
        """Return the same engine with its requests admitted by, and charged to, *account*."""
