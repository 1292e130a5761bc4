"""Chat completions over HTTP with bounds on requests, time and attempts; an error says whether the question caused it.

No error contains text of a question or an answer: it has the status, the code, and what to fix.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import openai
from pydantic import SecretStr
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from hnintel.engines.base import Account, Answer, AskingStopped, EngineUnreachable, Spent, Usage
from hnintel.engines.bounds import most_read
from hnintel.engines.journal import Answered, Journal, Sent, key_of
from hnintel.engines.openai import counting, faults
from hnintel.engines.openai.backoff import Patience
from hnintel.engines.openai.private import client_of_its_arguments
from hnintel.errors import BudgetReached, HnIntelError, WarehouseError
from hnintel.http.bodies import bounding
from hnintel.http.decoding import DecodingFailed, TooLarge
from hnintel.process import stopping

Q = TypeVar("Q")

#: Consecutive rows without an answer after which the endpoint counts as unreachable.
LOST_IN_A_ROW = 5
_LONGEST_CONNECT = 10.0
#: The most bytes of a decoded answer: the longest content, fully escaped, and a model's thoughts.
MOST_BYTES = 2_000_000
#: Statuses of an answer that may have been generated, and billed, before it was lost on its way.
_GENERATED = (408, 500, 502, 504)
_BACKOFF = wait_random_exponential(multiplier=0.5, max=20)
_loop_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Reply:
    """The content of a completion; ``finish`` is ``stop`` where it is complete."""

    content: str
    finish: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Charge:
    """Who pays for a request, and where its answer is written down: nobody and nowhere by default.

    Args:
        function: the AI function that sends it.
        account: admits it, is told what it cost, and may have a journal, which keeps its answer until it is stored.
    """

    function: str
    account: Account | None = None

    @property
    def journal(self) -> Journal | None:
        return self.account.journal if self.account else None


@dataclass(slots=True)
class _Billed:
    """The tokens of a request that count as billed; None where the endpoint does not bill it."""

    usage: Usage | None
    number: int = 0


class Endpoint:
    """An OpenAI-compatible endpoint, which many threads may send many questions at once.

    Args:
        base_url: the URL to which ``/chat/completions`` is appended; without a user or a query.
        api_key: the key; None sends no Authorization header.
        model: the model that answers.
        timeout: the most seconds for an answer, from start to end.
        attempts: the most attempts for a question.
        concurrency: the most concurrent requests, over all threads.
    """

    def __init__(
        self, base_url: str, api_key: SecretStr | None, model: str, timeout: float, attempts: int, concurrency: int
    ) -> None:
        self.base_url, self.model = base_url, model
        self._timeout, self._attempts = timeout, attempts
        self._slots = asyncio.Semaphore(concurrency)
        self._patience = Patience(base_url)
        # No redirects: a text is sent only to the URL of the setting.
        patience = openai.Timeout(timeout, connect=min(timeout, _LONGEST_CONNECT))
        transport = openai.DefaultAsyncHttpxClient(
            follow_redirects=False, timeout=patience, event_hooks={"response": [bounding(MOST_BYTES)]}
        )
        key = api_key.get_secret_value() if api_key else ""
        self._client = client_of_its_arguments(
            api_key=key, base_url=base_url, timeout=patience, max_retries=0, http_client=transport
        )
        self._headers = {} if key else {"Authorization": openai.Omit()}

    def each(self, ask: Callable[[Q], Awaitable[Answer]], questions: Sequence[Q]) -> list[Answer]:
        """Return the result of *ask* for each question, in order, with as many at once as there are slots.

        If the endpoint becomes unreachable half way, the questions without an answer are ``lost``.

        Raises:
            EngineUnreachable: the endpoint does not answer now.
            WarehouseError: the endpoint will not answer any question.
        """
        stopping.refuse()
        # A separate loop, because DuckDB calls from its own threads, and the caller's thread may run a loop.
        future = asyncio.run_coroutine_threadsafe(self._each(ask, questions), _loop())
        try:
            return future.result()
        except KeyboardInterrupt:  # raised in the thread that asks; the answers so far are still needed
            stopping.stop()
            return future.result()
        except BaseException:  # the caller gave up: cancel its questions, which would be paid for
            future.cancel()
            raise

    async def _each(self, ask: Callable[[Q], Awaitable[Answer]], questions: Sequence[Q]) -> list[Answer]:
        answers: dict[int, Answer] = {}
        abandoned: list[faults.Abandoned] = []
        unpaid: list[BudgetReached] = []
        in_a_row: list[int] = []
        lost = 0
        is_stopped = is_failed = False

        async def ask_about(place: int) -> None:
            nonlocal lost, is_failed
            async with self._slots:
                if is_failed:  # cancelled in a moment: a request that is sent now would be paid for in vain
                    return
                try:
                    answers[place] = await ask(questions[place])
                    in_a_row.clear()
                except faults.Refused as refused:
                    answers[place] = Answer(error=str(refused), usage=refused.usage)
                    in_a_row.clear()
                except faults.Abandoned as given_up:
                    abandoned.append(given_up)
                except faults.Passing as passing:
                    lost += 1
                    in_a_row.append(place)
                    answers[place] = Answer(error=f"{self.model} did not answer: {passing}")
                    if len(in_a_row) >= LOST_IN_A_ROW or lost == len(questions) > 1:
                        is_failed = True
                        raise self._unreachable(passing) from None
                except BudgetReached as reached:  # those under way are paid for: they are waited for
                    unpaid.append(reached)
                except HnIntelError:
                    is_failed = True
                    raise
                except Exception as error:  # its message may quote the text
                    answers[place] = Answer(error=f"asking {self.model} failed: {type(error).__name__}")

        def give_up() -> None:
            nonlocal is_stopped
            is_stopped = True
            for task in tasks:
                task.cancel()

        def stop() -> None:  # called from another thread than the loop's
            loop.call_soon_threadsafe(give_up)

        if not questions:
            return []
        self._patience.heard()
        loop = asyncio.get_running_loop()
        tasks = [asyncio.ensure_future(ask_about(place)) for place in range(len(questions))]
        try:
            with stopping.when_stopping(stop):
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:  # after an error, cancel the other questions, which would be paid for
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        error = next((ask_about for ask_about in results if isinstance(ask_about, HnIntelError)), None)
        if is_stopped and (error is not None or len(answers) < len(questions)):
            error = _stopped(abandoned)
        if error is None and unpaid:
            error = unpaid[0]
        if error is None:
            return [answers[place] for place in range(len(questions))]
        for place in in_a_row:  # the endpoint failed, not these questions
            del answers[place]
        if not answers:
            raise error
        return [answers.get(place, Answer(lost=error)) for place in range(len(questions))]

    async def complete(
        self, messages: Sequence[Mapping[str, str]], parameters: Mapping[str, Any], limit: int, charge: Charge
    ) -> Reply:
        """Return a completion, retrying while that may help; every attempt that was sent is charged.

        Args:
            messages: the question.
            parameters: the other fields of the request.
            limit: the bound on the answer among them, in tokens.
            charge: who pays.

        Raises:
            BudgetReached: an attempt does not fit a budget.
            faults.Refused: this question will not be answered; others may.
            faults.Passing: no attempt was answered, and the question may be the cause.
            WarehouseError, EngineUnreachable: no question is answered.
        """
        failed: list[faults.Passing] = []

        async def ask() -> Reply:
            try:
                return await self._complete_once(messages, parameters, limit, charge)
            except faults.Passing as passing:
                failed.append(passing)
                raise

        async def wait(seconds: float) -> None:
            await self._patience.wait(seconds, failed[-1])

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(faults.Passing),
            wait=_wait,
            sleep=wait,
            stop=stop_after_attempt(self._attempts),
            reraise=True,
        )
        try:
            return await retrying(ask)
        except asyncio.CancelledError:
            if stopping.is_stopping():  # between two attempts
                raise faults.Abandoned(Usage(), in_flight=0) from None
            raise
        except faults.Passing as passing:
            if passing.may_be_the_question:
                raise
            raise self._unreachable(passing) from None

    async def _complete_once(
        self, messages: Sequence[Mapping[str, str]], parameters: Mapping[str, Any], limit: int, charge: Charge
    ) -> Reply:
        create: Any = self._client.chat.completions.with_raw_response.create
        key = key_of(self.model, messages, parameters) if charge.journal else ""
        if charge.journal and (known := charge.journal.find(key)):
            return Reply(known.content, known.finish, Usage(known.input_tokens, known.output_tokens, known.is_counted))
        worst = Usage(most_read(messages, parameters), limit, is_counted=False)
        async with _charged(charge, worst) as billed:
            try:
                # httpx's own limits apply to each read: a slow server that keeps sending would never reach them.
                async with asyncio.timeout(self._timeout):
                    raw = await create(model=self.model, messages=messages, extra_headers=self._headers, **parameters)
            except asyncio.CancelledError:
                if stopping.is_stopping():
                    raise faults.Abandoned(counting.unanswered(messages), in_flight=1) from None
                raise
            except TimeoutError:
                raise faults.Passing(f"no answer within {self._timeout:g} s") from None
            except (openai.APIConnectionError, TooLarge, DecodingFailed) as error:
                fault = _of_reading(error)
                if isinstance(fault, faults.Passing) and not fault.may_be_the_question:
                    billed.usage = None  # it was never connected
                raise fault from None
            except openai.APIStatusError as error:
                if error.status_code not in _GENERATED:
                    billed.usage = None
                raise self._fault(error) from None
            self._patience.heard()
            try:
                reply = _reply(raw.http_response.text, messages, parameters)
            except faults.Refused as refused:
                billed.usage = refused.usage or worst
                raise
            billed.usage = reply.usage
            if charge.journal:
                tokens = (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.is_counted)
                answered = Answered(charge.function, reply.content, reply.finish, *tokens)
                await asyncio.to_thread(charge.journal.answered, billed.number, key, answered)
            return reply

    def _fault(self, error: openai.APIStatusError) -> Exception:
        fault = faults.of_status(error, self.model)
        if isinstance(fault, faults.Misused):
            return WarehouseError(f"{self.base_url} {fault}")
        if isinstance(fault, faults.Passing) and fault.retry_after > faults.LONGEST_WAIT:
            return EngineUnreachable(f"{self.base_url} asks to wait {fault.retry_after:g} s ({fault})")
        return fault

    def _unreachable(self, passing: faults.Passing) -> EngineUnreachable:
        tries = f"{self._attempts} attempts" if self._attempts > 1 else "1 attempt"
        return EngineUnreachable(
            f"{self.base_url} does not answer ({passing}; {tries} each): check that it runs there, "
            "or correct HNINTEL_OPENAI_BASE_URL"
        )


@asynccontextmanager
async def _charged(charge: Charge, worst: Usage) -> AsyncIterator[_Billed]:
    """A request: admitted before the block, and settled after it at *worst*, or at what the block says was billed."""
    billed = _Billed(worst)
    if charge.account is None:
        yield billed
        return
    ticket = await charge.account.admit(charge.function, worst)
    given_up = False
    try:
        if charge.journal:
            billed.number = charge.journal.sent(Sent(charge.function, worst.input_tokens, worst.output_tokens))
        yield billed
    except (asyncio.CancelledError, faults.Abandoned):
        given_up = True
        raise
    finally:
        charge.account.settle(ticket, billed.usage, given_up)
        if charge.journal and billed.usage is None:
            charge.journal.unbilled(billed.number)


def _wait(state: RetryCallState) -> float:
    """Return the seconds of exponential backoff with full jitter, or the endpoint's ``Retry-After`` if longer."""
    error = state.outcome.exception() if state.outcome else None
    return max(_BACKOFF(state), error.retry_after if isinstance(error, faults.Passing) else 0.0)


def _of_reading(error: openai.APIConnectionError | TooLarge | DecodingFailed) -> Exception:
    """Translate an error of reading a body: the body is too long or damaged, or the connection was lost."""
    # Some versions of the package wrap the error of reading, others raise it as it is.
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    if isinstance(cause, TooLarge):  # a retry would be paid for and be as long
        return faults.Refused(f"the endpoint's answer is longer than {MOST_BYTES:,} bytes")
    if isinstance(error, openai.APIConnectionError) and not isinstance(cause, DecodingFailed):
        return faults.of_connection(error)
    return faults.Passing(f"its answer cannot be decoded: {cause}")


def _reply(body: str, messages: Sequence[Mapping[str, str]], parameters: Mapping[str, Any]) -> Reply:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise faults.Passing("its answer is not JSON") from None
    usage = counting.usage(parsed, messages, parameters)
    try:
        choice = parsed["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        content, refusal = message.get("content"), message.get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise faults.Refused("the endpoint answered without a choice", usage=usage) from None
    if refusal or finish == "content_filter":
        raise faults.Refused("the model refuses to answer", usage=usage)
    return Reply(content if isinstance(content, str) else "", finish if isinstance(finish, str) else "stop", usage)


def _stopped(abandoned: Sequence[faults.Abandoned]) -> AskingStopped:
    """Return the error for the questions that had no answer when the run was stopped."""
    spent = Spent()
    for question in abandoned:
        if question.in_flight or question.usage.input_tokens:
            spent.add(question.usage, in_flight=question.in_flight)
    return AskingStopped(f"asking was stopped, with {spent.in_flight} questions under way", spent)


def _loop() -> asyncio.AbstractEventLoop:
    """Return the event loop that all endpoints of this process share."""
    with _loop_lock:  # else threads that call it first at the same moment would each create a loop
        return _the_loop()


@cache
def _the_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="openai-engine", daemon=True).start()
    return loop
