"""Chat completions over HTTP: bounded in number, time and patience, and plain about whose fault a failure is.

No text of a question or an answer gets into an error: they say the status and the code, and what to mend.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import openai
from pydantic import SecretStr
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from hnintel.engines.base import Answer, AskingStopped, EngineUnreachable, Spent, Usage
from hnintel.engines.openai import counting, faults
from hnintel.engines.openai.backoff import Patience
from hnintel.engines.openai.private import client_of_its_arguments
from hnintel.errors import HnIntelError, WarehouseError
from hnintel.http.bodies import bounding
from hnintel.http.decoding import DecodingFailed, TooLarge
from hnintel.process import stopping

Q = TypeVar("Q")

#: Rows in succession to which nothing was answered, after which it is the endpoint that is ill, and not the rows.
LOST_IN_A_ROW = 5
_LONGEST_CONNECT = 10.0
#: Bytes of one answer, decoded: the longest content that is read, all of it escaped, and a model's thoughts beside it.
MOST_BYTES = 2_000_000
_BACKOFF = wait_random_exponential(multiplier=0.5, max=20)
_loop_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a completion came to; ``finish`` is ``stop`` where it is whole."""

    content: str
    finish: str
    usage: Usage


class Endpoint:
    """An OpenAI-compatible endpoint, for many questions at once from many threads.

    Args:
        base_url: what ``/chat/completions`` is put behind; without a user or a query.
        api_key: None sends no Authorization.
        model: that answers.
        timeout: seconds one answer may take, start to end.
        attempts: how often one question is tried.
        concurrency: requests under way at once, over all threads.
    """

    def __init__(
        self, base_url: str, api_key: SecretStr | None, model: str, timeout: float, attempts: int, concurrency: int
    ) -> None:
        self.base_url, self.model = base_url, model
        self._timeout, self._attempts = timeout, attempts
        self._slots = asyncio.Semaphore(concurrency)
        self._patience = Patience(base_url)
        # No redirects: a text goes where the setting says and nowhere else.
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
        """What *ask* comes to for each question, in order, as many at once as there are slots.

        Where the endpoint goes away half way, the questions that it did not come to are ``lost``.

        Raises:
            EngineUnreachable: nothing answers now.
            WarehouseError: the endpoint will not answer any question.
        """
        stopping.refuse()
        # A loop of its own, because DuckDB calls from threads of its own, and perhaps from one with a running loop.
        future = asyncio.run_coroutine_threadsafe(self._each(ask, questions), _loop())
        try:
            return future.result()
        except KeyboardInterrupt:  # in the very thread that asks: what was answered is still wanted
            stopping.stop()
            return future.result()
        except BaseException:  # whoever asked is gone, and its questions must not run on and be paid for
            future.cancel()
            raise

    async def _each(self, ask: Callable[[Q], Awaitable[Answer]], questions: Sequence[Q]) -> list[Answer]:
        answers: dict[int, Answer] = {}
        abandoned: list[faults.Abandoned] = []
        in_a_row: list[int] = []
        lost = 0
        is_stopped = False

        async def one(place: int) -> None:
            nonlocal lost
            async with self._slots:
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
                        raise self._unreachable(passing) from None
                except HnIntelError:
                    raise
                except Exception as error:  # its words may be those of the text
                    answers[place] = Answer(error=f"asking {self.model} failed: {type(error).__name__}")

        def give_up() -> None:
            nonlocal is_stopped
            is_stopped = True
            for task in tasks:
                task.cancel()

        def stop() -> None:  # called in another thread than the loop's
            loop.call_soon_threadsafe(give_up)

        if not questions:
            return []
        self._patience.heard()
        loop = asyncio.get_running_loop()
        tasks = [asyncio.ensure_future(one(place)) for place in range(len(questions))]
        try:
            with stopping.when_stopping(stop):
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:  # where one raised, the others are not paid for any more
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        error = next((one for one in ended if isinstance(one, HnIntelError)), None)
        if is_stopped and (error is not None or len(answers) < len(questions)):
            error = _stopped(abandoned)
        if error is None:
            return [answers[place] for place in range(len(questions))]
        for place in in_a_row:  # they are not to blame either
            del answers[place]
        if not answers:
            raise error
        return [answers.get(place, Answer(lost=error)) for place in range(len(questions))]

    async def complete(self, messages: Sequence[Mapping[str, str]], parameters: Mapping[str, Any]) -> Reply:
        """One completion, tried again while that may help.

        Raises:
            faults.Refused: this question will not be answered; others may.
            faults.Passing: it was not answered in all attempts, which may lie in the question.
            WarehouseError, EngineUnreachable: no question is answered.
        """
        failed: list[faults.Passing] = []

        async def ask() -> Reply:
            try:
                return await self._complete_once(messages, parameters)
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
            if stopping.is_stopping():  # between two tries
                raise faults.Abandoned(Usage(), in_flight=0) from None
            raise
        except faults.Passing as passing:
            if passing.may_be_the_question:
                raise
            raise self._unreachable(passing) from None

    async def _complete_once(self, messages: Sequence[Mapping[str, str]], parameters: Mapping[str, Any]) -> Reply:
        create: Any = self._client.chat.completions.with_raw_response.create
        try:
            # httpx's own limits are for one piece each: a server that drips would never meet them.
            async with asyncio.timeout(self._timeout):
                raw = await create(model=self.model, messages=messages, extra_headers=self._headers, **parameters)
        except asyncio.CancelledError:
            if stopping.is_stopping():
                raise faults.Abandoned(counting.unanswered(messages), in_flight=1) from None
            raise
        except TimeoutError:
            raise faults.Passing(f"nothing within {self._timeout:g} s") from None
        except (openai.APIConnectionError, TooLarge, DecodingFailed) as error:
            raise _of_reading(error) from None
        except openai.APIStatusError as error:
            raise self._fault(error) from None
        self._patience.heard()
        return _reply(raw.http_response.text, messages, parameters)

    def _fault(self, error: openai.APIStatusError) -> Exception:
        fault = faults.of_status(error, self.model)
        if isinstance(fault, faults.Misused):
            return WarehouseError(f"{self.base_url} {fault}")
        if isinstance(fault, faults.Passing) and fault.retry_after > faults.LONGEST_WAIT:
            return EngineUnreachable(f"{self.base_url} wants to be left alone for {fault.retry_after:g} s ({fault})")
        return fault

    def _unreachable(self, passing: faults.Passing) -> EngineUnreachable:
        tries = f"{self._attempts} attempts" if self._attempts > 1 else "1 attempt"
        return EngineUnreachable(
            f"{self.base_url} does not answer ({passing}; {tries} each): see that it runs there, "
            "or mend HNINTEL_OPENAI_BASE_URL"
        )


def _wait(state: RetryCallState) -> float:
    """Exponential backoff with full jitter, or as long as the endpoint asked for if that is longer."""
    error = state.outcome.exception() if state.outcome else None
    return max(_BACKOFF(state), error.retry_after if isinstance(error, faults.Passing) else 0.0)


def _of_reading(error: openai.APIConnectionError | TooLarge | DecodingFailed) -> Exception:
    """What it means that no body was read: it is too long, it is damaged, or the connection was lost."""
    # Some versions of the package wrap what reading raises, some hand it on.
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    if isinstance(cause, TooLarge):  # asked again it would be paid for again, and be no shorter
        return faults.Refused(f"the endpoint's answer is longer than {MOST_BYTES:,} bytes")
    if isinstance(error, openai.APIConnectionError) and not isinstance(cause, DecodingFailed):
        return faults.of_connection(error)
    return faults.Passing(f"its answer cannot be decoded: {cause}")


def _reply(body: str, messages: Sequence[Mapping[str, str]], parameters: Mapping[str, Any]) -> Reply:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise faults.Passing("its answer is no JSON") from None
    usage = counting.usage(told, messages, parameters)
    try:
        choice = told["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        content, refusal = message.get("content"), message.get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise faults.Refused("the endpoint answered without a choice", usage=usage) from None
    if refusal or finish == "content_filter":
        raise faults.Refused("the model refuses to answer", usage=usage)
    return Reply(content if isinstance(content, str) else "", finish if isinstance(finish, str) else "stop", usage)


def _stopped(abandoned: Sequence[faults.Abandoned]) -> AskingStopped:
    """The error for what was not answered by the time the run was to end."""
    spent = Spent()
    for one in abandoned:
        if one.in_flight or one.usage.input_tokens:
            spent.add(one.usage, in_flight=one.in_flight)
    return AskingStopped(f"asking was stopped, with {spent.in_flight} questions under way", spent)


def _loop() -> asyncio.AbstractEventLoop:
    """The one event loop of all endpoints of this process."""
    with _loop_lock:  # or threads that ask first at the same moment would have a loop each
        return _the_loop()


@cache
def _the_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="openai-engine", daemon=True).start()
    return loop
