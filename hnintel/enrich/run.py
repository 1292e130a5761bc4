"""The steps of an enrichment over one day: ask about a chunk of pending items, judge, store, book the cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

from hnintel.cost.account import StageAccount
from hnintel.cost.budget import Budget, Estimate, Stamp, book_stopped, estimate
from hnintel.cost.prices import load_prices
from hnintel.cost.usage import Enriched
from hnintel.engines.base import CUT_OFF, AskingStopped
from hnintel.engines.journal import Journal
from hnintel.enrich.declaration import Enrichment
from hnintel.enrich.functions import Functions, Judged
from hnintel.enrich.loop import Chunk, run_steps
from hnintel.enrich.question import fingerprint_of, pending_items, question, reuse
from hnintel.enrich.tables import prepare
from hnintel.errors import (
    BudgetReached,
    ModelUnavailable,
    QualityError,
    Stopped,
    WarehouseError,
    counted,
)
from hnintel.ledger import stage_rows, statuses
from hnintel.ledger.check_results import Result, record_results
from hnintel.process import progress
from hnintel.settings import Settings
from hnintel.warehouse.base import Query, Session, Warehouse
from hnintel.warehouse.query_tags import tagged
from hnintel.warehouse.statements import CHARS_PER_TOKEN, statement
from hnintel.window import utc_now

#: A fingerprint that no question has, so that every item counts as pending.
_NEVER_ASKED = "never asked"


def enrich(
    warehouse: Warehouse,
    enrichment: Enrichment,
    day: date,
    settings: Settings,
    run_id: str,
    progress: Callable[[Enriched], None] = lambda _: None,
) -> Enriched:
    """Ask *enrichment* about every pending item of *day*, in this thread and without a flow.

    Raises the errors of the :class:`EnrichmentRun` methods.
    """
    run = EnrichmentRun(warehouse, enrichment, day, settings, run_id)
    return asyncio.run(run_steps(enrichment.name, _Calls(run), progress))


class _Calls:
    """The steps of the loop as plain calls."""

    def __init__(self, run: EnrichmentRun) -> None:
        self._run = run

    async def begin(self) -> int:
        return self._run.begin()

    async def ask(self, after: int) -> Chunk | None:
        return self._run.next_chunk(after)

    async def judge(self, total: Enriched) -> None:
        self._run.refuse_if_too_bad(total)

    async def end(self) -> int:
        return self._run.end()


class EnrichmentRun:
    """One enrichment over one day, chunk after chunk.

    Each chunk is committed with its answers, dead letters and cost, so that a crash loses at most one chunk. Chunks
    follow the item ids, so that a failed item is not asked again in the same run.
    """

    def __init__(
        self, warehouse: Warehouse, enrichment: Enrichment, day: date, settings: Settings, run_id: str
    ) -> None:
        self._warehouse, self._enrichment, self._day = warehouse, enrichment, day
        self._settings, self._run_id = settings, run_id
        self._load_question()
        self._budget = Budget(settings, run_id, day, enrichment.stage)
        self._retried_before = utc_now() - timedelta(minutes=settings.answer_retry_minutes)

    def _load_question(self) -> None:
        """Load the fingerprint and the functions for the model that the warehouse answers with now."""
        self._fingerprint = fingerprint_of(self._warehouse, self._enrichment, self._settings)
        self._functions = Functions.of(self._warehouse, self._enrichment, self._settings)

    def _tagged(self) -> AbstractContextManager[None]:
        """Tag the block's queries with this enrichment."""
        return tagged(run=self._run_id, day=self._day, enrichment=self._enrichment.name, fingerprint=self._fingerprint)

    def begin(self) -> int:
        """Prepare the table, record the attempt, and reuse existing answers to the same texts.

        Returns:
            how many items got a reused answer and are no longer pending.

        Raises:
            DeclarationError: the table does not match the declaration.
        """
        with self._transaction() as session:
            prepare(session, self._warehouse, self._enrichment, self._settings)
            stage_rows.begin_stage(session, self._day, self._enrichment.stage, self._run_id, utc_now())
            return self._reuse(session, self._settings.answer_reuse_days)

    def next_chunk(self, after: int) -> Chunk | None:
        """Ask about the next pending items after item *after* and store the answers; None if nothing is pending.

        Raises:
            WarehouseError: the warehouse or its AI functions refused the statement; nothing of the chunk is stored.
            BudgetReached: the chunk could exceed a budget; it was not asked.
        """
        try:
            with self._tagged():
                return self._ask(after)
        except ModelUnavailable:
            if not self._warehouse.fall_back(self._functions.asking.model):
                raise
        # Another model makes another question, with its own fingerprint, price and view.
        self._load_question()
        with self._tagged(), self._warehouse.transaction(stage="enrich") as session:
            prepare(session, self._warehouse, self._enrichment, self._settings)
        return self.next_chunk(after)

    def _ask(self, after: int) -> Chunk | None:
        account, is_stored = self._account(), False
        try:
            if account is None and not self._functions.is_free:
                self._reserve(after)
            if account is not None:
                account.open(self._stamp)
            chunk = self._warehouse.ask(
                self._pending(after, self._settings.enrich_chunk, self._fingerprint),
                question(self._warehouse, self._enrichment),
                partial(self._store, account),
                stage="enrich",
                account=account,
            )
            if chunk is None:
                self._book_rest(account)
            is_stored = True
            return chunk
        except Stopped as stopped:
            raise self._book_stopped(stopped, account) from None
        except BudgetReached as reached:
            self._end_at_budget(reached, account)
            raise
        except WarehouseError as error:
            self._book_rest(account)
            raise self._with_context(error) from error
        finally:
            if account is not None:
                account.close(is_stored)

    def _account(self) -> StageAccount | None:
        """The account that requests are charged to one by one; None where nothing is paid by request."""
        if not self._warehouse.charges_requests:
            return None
        about = {"run_id": self._run_id, "day": str(self._day), "stage": self._enrichment.stage}
        journal = Journal(self._settings.folder / "journal", about)
        prices = load_prices(self._settings)
        return StageAccount(self._warehouse, self._budget, self._functions.all, prices, journal)

    def _book_rest(self, account: StageAccount | None) -> None:
        """Book the requests whose answers were not stored, and delete the reservation."""
        if account is None and self._functions.is_free:
            return
        with self._tagged(), self._warehouse.transaction(stage="enrich") as session:
            if account is None:
                self._budget.release(session)
            else:
                account.book(session, self._stamp)

    @property
    def _stamp(self) -> Stamp:
        return Stamp(self._run_id, self._day, self._enrichment.name, self._fingerprint)

    def _book_stopped(self, stopped: Stopped, account: StageAccount | None) -> Stopped:
        """Replace the reservation by the cost of the calls in flight, and return the error that reports it."""
        outcome = "nothing was asked"
        if account is not None:
            outcome = account.unstored_in_words()
            self._book_rest(account)
        elif isinstance(stopped, AskingStopped):
            with self._tagged(), self._warehouse.transaction(stage="enrich") as session:
                self._budget.release(session)
                outcome = book_stopped(session, self._functions.all, self._stamp, stopped)
        elif not self._functions.is_free:
            with self._warehouse.transaction(stage="enrich") as session:
                self._budget.release(session)
        outcome = f"stopped: {outcome}; finished chunks are kept"
        progress.finish(f"enrich {self._enrichment.name}", outcome)
        return Stopped(f"enrichment {self._enrichment.name} of {self._day}: {outcome}")

    def estimate(self, session: Session, anew: bool = False) -> Estimate:
        """The most that all pending items of the day may cost; requires :func:`prepare`.

        Args:
            session: the transaction.
            anew: estimate as if no item had been asked.
        """
        return self._estimate(session, self._pending(0, None, _NEVER_ASKED if anew else self._fingerprint))

    def _estimate(self, session: Session, pending: Query) -> Estimate:
        name, functions = self._enrichment.name, self._functions
        overhead, task = len(self._enrichment.overhead), len(self._enrichment.digest_task)
        rows, chars = session.execute(
            f"SELECT count(DISTINCT item_id), coalesce(sum(length(input)), 0) FROM ({pending.sql}) AS pending",
            pending.params,
        )[0]
        if functions.digesting is None:
            return estimate(session, name, functions.asking, int(rows), int(chars), overhead)
        digests = estimate(session, name, functions.digesting, int(rows), int(chars), task)
        digested_chars = int(digests.output_tokens * CHARS_PER_TOKEN)  # the question reads what AI_AGG wrote
        asking = estimate(session, name, functions.asking, int(rows), digested_chars, overhead)
        return replace(digests + asking, rows=int(rows))

    def _reserve(self, after: int) -> None:
        """Reserve the next chunk's cost; over a budget, record the stage as stopped and raise BudgetReached."""
        try:
            with self._warehouse.transaction(stage="enrich") as session:
                expected = self._estimate(session, self._pending(after, self._settings.enrich_chunk, self._fingerprint))
                if expected.rows:
                    self._budget.reserve(session, expected, utc_now())
        except BudgetReached as reached:
            self._end_at_budget(reached, None)
            raise

    def _end_at_budget(self, reached: BudgetReached, account: StageAccount | None) -> None:
        """Record that a budget stopped the stage, and book the requests whose answers were not stored."""
        with self._tagged(), self._warehouse.transaction(stage="enrich") as session:
            if account is not None:
                account.book(session, self._stamp)
            stage = self._enrichment.stage
            stage_rows.end_stage(
                session, self._day, stage, statuses.STOPPED, self._run_id, utc_now(), error=str(reached)
            )

    def _pending(self, after: int, limit: int | None, fingerprint: str) -> Query:
        sql = pending_items(self._warehouse, self._enrichment, self._settings, limit)
        stage = self._enrichment.stage
        attempts = self._settings.answer_attempts
        return Query(sql, [self._day, fingerprint, stage, fingerprint, after, attempts, self._retried_before])

    def _store(self, account: StageAccount | None, session: Session) -> Chunk:
        """Store the good answers, record the bad ones as dead letters, and book the cost."""
        enrichment, now = self._enrichment, utc_now()
        names = [column.name for column in enrichment.columns]
        session.merge(
            statement("enrich/merge_answers", table=enrichment.table, columns=names),
            [self._fingerprint, self._functions.asking.model, self._run_id, now],
        )
        self._record_bad(session, now)
        judged = Judged.of(session)
        if account is not None:
            usage = account.book(session, self._stamp)
            usage = replace(usage, asked=judged.items, answered=judged.items - judged.failed, failed=judged.failed)
        else:
            self._budget.release(session)
            usage = self._functions.book(session, self._run_id, self._day, enrichment.name, self._fingerprint, judged)
        asks_an_endpoint = (self._settings.warehouse, self._settings.engine) == ("duckdb", "openai")
        if asks_an_endpoint and not self._functions.is_free:
            usage = replace(usage, uncounted=judged.uncounted)
        return Chunk(usage, judged.last)

    def _record_bad(self, session: Session, now: datetime) -> None:
        stage, key = self._enrichment.stage, "CAST(item_id AS VARCHAR) AS key"
        good = f"(SELECT {key} FROM judged WHERE bad_because IS NULL)"
        bad = f"(SELECT {key}, bad_because AS reason, input_hash FROM judged WHERE bad_because IS NOT NULL)"
        session.execute(statement("ledger/reset_letters", source=good), [stage, self._fingerprint])
        give_up = statement(
            "enrich/give_up_letters", source=bad, final=CUT_OFF, attempts=self._settings.answer_attempts
        )
        session.merge(give_up, [stage, self._fingerprint, self._day, now, self._run_id])

    def refuse_if_too_bad(self, total: Enriched) -> None:
        """Raise QualityError if too many answers so far are bad; the good answers stay stored."""
        allowed = max(self._settings.bad_answer_share * total.asked, self._settings.bad_answer_floor - 1)
        if total.failed <= allowed:
            return
        detail = f"{total.failed} of {counted(total.asked, 'answer')} {'was' if total.failed == 1 else 'were'} bad"
        with self._tagged(), self._warehouse.transaction(stage="enrich") as session:
            now = utc_now()
            result = Result(
                f"{self._enrichment.name}: share of bad answers", blocking=True, passed=False, detail=detail
            )
            record_results(session, self._day, self._run_id, [result])
            stage_rows.end_stage(
                session, self._day, self._enrichment.stage, statuses.FAILED, self._run_id, now, error=detail
            )
        raise QualityError(
            f"enrichment {self._enrichment.name} of {self._day}: {detail}, more than "
            f"HNINTEL_BAD_ANSWER_SHARE={self._settings.bad_answer_share:g}; "
            f"see the reasons with python -m hnintel dead-letters list --stage {self._enrichment.stage}"
        )

    def end(self) -> int:
        """Record the stage as complete, or as partial if items are in the dead letters.

        Returns:
            how many items reused an answer that this run got to the same text.
        """
        with self._transaction() as session:
            reused = self._reuse(session, days=0)
            self._end(session)
        return reused

    def reuse(self) -> int:
        """Reuse existing answers to the same texts; returns how many items got one."""
        with self._transaction() as session:
            return self._reuse(session, self._settings.answer_reuse_days)

    def _reuse(self, session: Session, days: int) -> int:
        """Reuse answers of items at most *days* days before or after the day."""
        enrichment, around = self._enrichment, timedelta(days=days)
        (between,) = session.execute(
            "SELECT min(id), max(id) FROM raw.items WHERE day BETWEEN ? AND ?", [self._day - around, self._day + around]
        )
        params = [self._day, self._fingerprint, self._run_id, utc_now(), self._fingerprint, *between]
        reused = sum(session.merge(reuse(self._warehouse, enrichment, self._settings), params))
        if reused:
            source = (
                f"(SELECT CAST(item_id AS VARCHAR) AS key FROM {enrichment.table} WHERE fingerprint = ? AND run_id = ?)"
            )
            reset_params = [enrichment.stage, self._fingerprint, self._fingerprint, self._run_id]
            session.execute(statement("ledger/reset_letters", source=source), reset_params)
        return reused

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """A transaction tagged with this enrichment, which its errors name."""
        try:
            with self._tagged(), self._warehouse.transaction(stage="enrich") as session:
                yield session
        except WarehouseError as error:
            raise self._with_context(error) from error

    def _with_context(self, error: WarehouseError) -> WarehouseError:
        return type(error)(f"enrichment {self._enrichment.name} of {self._day}: {error}")

    def _end(self, session: Session) -> None:
        enrichment = self._enrichment
        session.execute(
            statement("enrich/delete_moot_letters", where=enrichment.where),
            [enrichment.stage, self._day, self._fingerprint, self._day],
        )
        counted = statement("enrich/count_answers", table=enrichment.table)
        rows = session.execute(counted, [self._day, self._fingerprint])[0][0]
        bad = session.execute(
            "SELECT count(*) FROM ops.dead_letters WHERE stage = ? AND fingerprint = ? AND day = ?",
            [enrichment.stage, self._fingerprint, self._day],
        )[0][0]
        status: statuses.Status = statuses.of_done(not bad)
        stage_rows.end_stage(
            session,
            self._day,
            enrichment.stage,
            status,
            self._run_id,
            utc_now(),
            rows=rows,
            fingerprint=self._fingerprint,
        )
