"""The steps of an enrichment over one day: ask about a chunk of what is pending, judge, keep, account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta

from hnintel.cost.budget import Budget, Estimate, Stamp, book_stopped, estimate
from hnintel.cost.usage import Enriched
from hnintel.engines.base import AskingStopped
from hnintel.enrich.declaration import Enrichment
from hnintel.enrich.functions import Functions, Judged
from hnintel.enrich.loop import Chunk, run_steps
from hnintel.enrich.question import fingerprint_of, pending_items, question, reuse
from hnintel.errors import BudgetReached, DeclarationError, ModelUnavailable, QualityError, Stopped, WarehouseError
from hnintel.ledger import stage_rows, statuses
from hnintel.ledger.check_results import Result, record_results
from hnintel.process import progress
from hnintel.settings import Settings
from hnintel.warehouse.base import Query, Session, Warehouse
from hnintel.warehouse.catalog import columns_of
from hnintel.warehouse.query_tags import tagged
from hnintel.warehouse.statements import CHARS_PER_TOKEN, statement
from hnintel.window import utc_now

#: The fingerprint of no question: nothing has an answer to it.
_NEVER_ASKED = "never asked"


def prepare(session: Session, warehouse: Warehouse, enrichment: Enrichment, settings: Settings) -> None:
    """Make the enrichment's table as it is declared, and its view of the accepted answers.

    Raises:
        DeclarationError: a column is declared as another type than the table has it with.
    """
    session.execute(
        statement("enrich/table", table=enrichment.table, columns=enrichment.columns, dialect=warehouse.dialect)
    )
    there = columns_of(session, enrichment.table)
    for column in enrichment.columns:
        kind = warehouse.dialect.type_name(column.kind)
        if column.name not in there:
            session.execute(f"ALTER TABLE {enrichment.table} ADD COLUMN {column.name} {kind}")
        elif there[column.name] != kind:
            raise DeclarationError(
                f"{enrichment.name}.py: column {column.name} is declared as {kind}, but {enrichment.table} holds "
                f"{there[column.name]}: give it another name, so that old answers stay as they are"
            )
    fingerprint = fingerprint_of(warehouse, enrichment, settings)
    session.execute(
        statement("enrich/view", table=enrichment.table, columns=enrichment.columns, fingerprint=fingerprint)
    )


def prepare_missing(
    session: Session, warehouse: Warehouse, enrichments: Iterable[Enrichment], settings: Settings
) -> None:
    """Make tables and views that lack a declared column, as those of enrichments that were not asked yet do."""
    there = set(
        session.execute(
            "SELECT lower(table_name), lower(column_name) FROM information_schema.columns "
            "WHERE lower(table_schema) = 'enriched'"
        )
    )
    for one in enrichments:
        if any((f"{one.name}_current", column.name) not in there for column in one.columns):
            prepare(session, warehouse, one, settings)


def enrich(
    warehouse: Warehouse,
    enrichment: Enrichment,
    day: date,
    settings: Settings,
    run_id: str,
    progress: Callable[[Enriched], None] = lambda _: None,
) -> Enriched:
    """Ask *enrichment* about everything of *day* that is pending, in this thread and without a flow.

    See :class:`EnrichmentRun` for what it raises.
    """
    run = EnrichmentRun(warehouse, enrichment, day, settings, run_id)
    return asyncio.run(run_steps(enrichment.name, _Calls(run), progress))


class _Calls:
    """Each step of the loop as a plain call."""

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

    Each chunk is committed with its answers, its dead letters and its cost, so that a crash loses one chunk at most.
    Chunks go by the item's id, so that what failed is not asked again in the same run.
    """

    def __init__(
        self, warehouse: Warehouse, enrichment: Enrichment, day: date, settings: Settings, run_id: str
    ) -> None:
        self._warehouse, self._enrichment, self._day = warehouse, enrichment, day
        self._settings, self._run_id = settings, run_id
        self._know_the_question()
        self._budget = Budget(settings, run_id, day, enrichment.stage)
        self._retried_before = utc_now() - timedelta(minutes=settings.answer_retry_minutes)

    def _know_the_question(self) -> None:
        """As the warehouse answers it now: by the model that is there."""
        self._fingerprint = fingerprint_of(self._warehouse, self._enrichment, self._settings)
        self._functions = Functions.of(self._warehouse, self._enrichment, self._settings)

    def _tagged(self) -> AbstractContextManager[None]:
        """Have what is sent in the block be known as this enrichment's."""
        return tagged(run=self._run_id, day=self._day, enrichment=self._enrichment.name, fingerprint=self._fingerprint)

    def begin(self) -> int:
        """Make the table ready, note the attempt, and take the answers that are there to the very same texts.

        Returns:
            how many items got such an answer, and are not pending any more.

        Raises:
            DeclarationError: the table does not fit the declaration.
        """
        with self._transaction() as session:
            prepare(session, self._warehouse, self._enrichment, self._settings)
            stage_rows.begin_stage(session, self._day, self._enrichment.stage, self._run_id, utc_now())
            return self._reuse(session, self._settings.answer_reuse_days)

    def next_chunk(self, after: int) -> Chunk | None:
        """Ask about the next pending items behind item *after* and keep the answers; None where nothing is pending.

        Raises:
            WarehouseError: the warehouse or its AI functions refused the statement; nothing of the chunk is kept.
            BudgetReached: the chunk may exceed a budget; it was not asked.
        """
        try:
            with self._tagged():
                return self._ask(after)
        except ModelUnavailable:
            if not self._warehouse.fall_back(self._functions.asking.model):
                raise
        # It is another question to another model: with a fingerprint, a price and a view of its own.
        self._know_the_question()
        with self._tagged(), self._warehouse.transaction(stage="enrich") as session:
            prepare(session, self._warehouse, self._enrichment, self._settings)
        return self.next_chunk(after)

    def _ask(self, after: int) -> Chunk | None:
        try:
            if not self._functions.is_free:
                self._reserve(after)
            return self._warehouse.ask(
                self._pending(after, self._settings.enrich_chunk, self._fingerprint),
                question(self._warehouse, self._enrichment),
                self._keep,
                stage="enrich",
            )
        except Stopped as stopped:
            raise self._book_stopped(stopped) from None
        except WarehouseError as error:
            if not self._functions.is_free:
                with self._warehouse.transaction(stage="enrich") as session:
                    self._budget.release(session)
            raise self._named(error) from error

    def _book_stopped(self, stopped: Stopped) -> Stopped:
        """Have what was under way on the books in the place of what was reserved; the error that says so."""
        told = "nothing of it was asked"
        if isinstance(stopped, AskingStopped):
            stamp = Stamp(self._run_id, self._day, self._enrichment.name, self._fingerprint)
            with self._tagged(), self._warehouse.transaction(stage="enrich") as session:
                self._budget.release(session)
                told = book_stopped(session, self._functions.all, stamp, stopped)
        elif not self._functions.is_free:
            with self._warehouse.transaction(stage="enrich") as session:
                self._budget.release(session)
        told = f"stopped: {told}; what was answered is kept"
        progress.finish(f"enrich {self._enrichment.name}", told)
        return Stopped(f"enrichment {self._enrichment.name} of {self._day}: {told}")

    def estimate(self, session: Session, anew: bool = False) -> Estimate:
        """What all that is pending of the day may come to; :func:`prepare` was called before.

        Args:
            session: the transaction.
            anew: as if nothing of it had been asked.
        """
        return self._estimate(session, self._pending(0, None, _NEVER_ASKED if anew else self._fingerprint))

    def _estimate(self, session: Session, pending: Query) -> Estimate:
        one = self._enrichment
        rows, chars = session.execute(
            f"SELECT count(DISTINCT item_id), coalesce(sum(length(input)), 0) FROM ({pending.sql}) AS pending",
            pending.params,
        )[0]
        if self._functions.digesting is None:
            return estimate(session, one.name, self._functions.asking, int(rows), int(chars), len(one.overhead))
        digests = estimate(session, one.name, self._functions.digesting, int(rows), int(chars), len(one.digest_task))
        read = int(digests.output_tokens * CHARS_PER_TOKEN)  # what is asked about is what AI_AGG wrote
        asked = estimate(session, one.name, self._functions.asking, int(rows), read, len(one.overhead))
        return replace(digests + asked, rows=int(rows))

    def _reserve(self, after: int) -> None:
        """Put the next chunk on the books, or note that it is too much and stop."""
        try:
            with self._warehouse.transaction(stage="enrich") as session:
                wanted = self._estimate(session, self._pending(after, self._settings.enrich_chunk, self._fingerprint))
                if wanted.rows:
                    self._budget.reserve(session, wanted, utc_now())
        except BudgetReached as reached:
            with self._warehouse.transaction(stage="enrich") as session:
                stage = self._enrichment.stage
                stage_rows.end_stage(
                    session, self._day, stage, statuses.STOPPED, self._run_id, utc_now(), error=str(reached)
                )
            raise

    def _pending(self, after: int, limit: int | None, fingerprint: str) -> Query:
        sql = pending_items(self._warehouse, self._enrichment, self._settings, limit)
        stage = self._enrichment.stage
        attempts = self._settings.answer_attempts
        return Query(sql, [self._day, fingerprint, stage, fingerprint, after, attempts, self._retried_before])

    def _keep(self, session: Session) -> Chunk:
        """Keep what was answered, good or bad."""
        one, now = self._enrichment, utc_now()
        names = [column.name for column in one.columns]
        session.merge(
            statement("enrich/merge_answers", table=one.table, columns=names),
            [self._fingerprint, self._functions.asking.model, self._run_id, now],
        )
        self._bury_bad(session, now)
        self._budget.release(session)
        judged = Judged.of(session)
        came = self._functions.book(session, self._run_id, self._day, one.name, self._fingerprint, judged)
        asks_an_endpoint = (self._settings.warehouse, self._settings.engine) == ("duckdb", "openai")
        if asks_an_endpoint and not self._functions.is_free:
            came = replace(came, uncounted=judged.uncounted)
        return Chunk(came, judged.last)

    def _bury_bad(self, session: Session, now: datetime) -> None:
        stage, key = self._enrichment.stage, "CAST(item_id AS VARCHAR) AS key"
        good = f"(SELECT {key} FROM judged WHERE bad_because IS NULL)"
        bad = f"(SELECT {key}, bad_because AS reason, input_hash FROM judged WHERE bad_because IS NOT NULL)"
        session.execute(statement("ledger/reset_letters", source=good), [stage, self._fingerprint])
        session.merge(
            statement("enrich/give_up_letters", source=bad), [stage, self._fingerprint, self._day, now, self._run_id]
        )

    def refuse_if_too_bad(self, total: Enriched) -> None:
        """Stop where the answers so far are no good: raises QualityError; what was good is kept."""
        allowed = max(self._settings.bad_answer_share * total.asked, self._settings.bad_answer_floor - 1)
        if total.failed <= allowed:
            return
        told = f"{total.failed} of {total.asked} answers were bad"
        with self._tagged(), self._warehouse.transaction(stage="enrich") as session:
            now = utc_now()
            result = Result(f"{self._enrichment.name}: share of bad answers", blocking=True, passed=False, detail=told)
            record_results(session, self._day, self._run_id, [result])
            stage_rows.end_stage(
                session, self._day, self._enrichment.stage, statuses.FAILED, self._run_id, now, error=told
            )
        raise QualityError(
            f"enrichment {self._enrichment.name} of {self._day}: {told}, more than "
            f"HNINTEL_BAD_ANSWER_SHARE={self._settings.bad_answer_share:g}; "
            f"the reasons: python -m hnintel dead-letters list --stage {self._enrichment.stage}"
        )

    def end(self) -> int:
        """Note that nothing is pending any more: complete, or partial where items are in the dead letters.

        Returns:
            how many items got the answer that another of this run got to the very same text.
        """
        with self._transaction() as session:
            reused = self._reuse(session, days=0)
            self._end(session)
        return reused

    def reuse(self) -> int:
        """Take the answers that are there to the very same texts; how many items got one."""
        with self._transaction() as session:
            return self._reuse(session, self._settings.answer_reuse_days)

    def _reuse(self, session: Session, days: int) -> int:
        """Of items of so many days before and after."""
        one, around = self._enrichment, timedelta(days=days)
        (between,) = session.execute(
            "SELECT min(id), max(id) FROM raw.items WHERE day BETWEEN ? AND ?", [self._day - around, self._day + around]
        )
        params = [self._day, self._fingerprint, self._run_id, utc_now(), self._fingerprint, *between]
        reused = sum(session.merge(reuse(self._warehouse, one, self._settings), params))
        if reused:
            answered = f"(SELECT CAST(item_id AS VARCHAR) AS key FROM {one.table} WHERE fingerprint = ? AND run_id = ?)"
            forgiven = [one.stage, self._fingerprint, self._fingerprint, self._run_id]
            session.execute(statement("ledger/reset_letters", source=answered), forgiven)
        return reused

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """One that is known as this enrichment's, and whose errors are."""
        try:
            with self._tagged(), self._warehouse.transaction(stage="enrich") as session:
                yield session
        except WarehouseError as error:
            raise self._named(error) from error

    def _named(self, error: WarehouseError) -> WarehouseError:
        return type(error)(f"enrichment {self._enrichment.name} of {self._day}: {error}")

    def _end(self, session: Session) -> None:
        one = self._enrichment
        session.execute(
            statement("enrich/delete_moot_letters", where=one.where),
            [one.stage, self._day, self._fingerprint, self._day],
        )
        counted = statement("enrich/count_answers", table=one.table)
        rows = session.execute(counted, [self._day, self._fingerprint])[0][0]
        bad = session.execute(
            "SELECT count(*) FROM ops.dead_letters WHERE stage = ? AND fingerprint = ? AND day = ?",
            [one.stage, self._fingerprint, self._day],
        )[0][0]
        status: statuses.Status = statuses.of_done(not bad)
        stage_rows.end_stage(
            session, self._day, one.stage, status, self._run_id, utc_now(), rows=rows, fingerprint=self._fingerprint
        )
