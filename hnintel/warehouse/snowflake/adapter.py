"""Snowflake as the warehouse: transactions on pooled sessions, and questions that Cortex answers in the database."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from hnintel.engines.base import Account
from hnintel.errors import HnIntelError
from hnintel.settings import Settings
from hnintel.settings.snowflake import Stage
from hnintel.warehouse.base import Dialect, Query, Session, Step, T
from hnintel.warehouse.migrations import migrate
from hnintel.warehouse.snowflake.dialect import DETAILS, SnowflakeDialect
from hnintel.warehouse.snowflake.errors import missing_model
from hnintel.warehouse.snowflake.link import SCHEMA, Link
from hnintel.warehouse.snowflake.session import SnowflakeSession

#: One lock for the writes to each database, because two warehouses of one process may use the same database.
_turns: dict[tuple[str | None, ...], threading.RLock] = {}
_turns_lock = threading.Lock()


class SnowflakeWarehouse:
    """A database of a Snowflake account.

    Sessions log in once and are reused, each by one thread at a time. Transactions of one process run one after
    another: they are short, since none includes a question, and most would wait for each other's locks on the ledger
    anyway.
    """

    name = "snowflake"
    dialect: Dialect = SnowflakeDialect()

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._idle: defaultdict[Stage, list[Link]] = defaultdict(list)
        self._idle_lock = threading.Lock()
        self._missing: set[str] = set()
        self._migrated = False
        place = (settings.snowflake_account, settings.snowflake_host, settings.snowflake_port)
        with _turns_lock:
            self._turn = _turns.setdefault((*place, settings.snowflake_database_name), threading.RLock())

    @contextmanager
    def transaction(self, *, stage: Stage) -> Iterator[SnowflakeSession]:
        """Begin with the first write, and commit; roll back if the block raises."""
        with self._turn, self._link(stage) as link, begun(link) as session:
            yield session

    def model(self, asked_for: str, asker: str = "") -> str:
        """The model set for *asker*, else *asked_for*; the fall-back model if that one is known to be missing."""
        model = self._settings.cortex_model(asker, asked_for)
        return (self._settings.cortex_fallback_model or model) if model in self._missing else model

    def fall_back(self, model: str) -> bool:
        """Replace the missing *model* by the fall-back model from now on; return whether that is another model."""
        fallback = self._settings.cortex_fallback_model
        if not model or not fallback or model == fallback:
            return False
        self._missing.add(model)
        return True

    @property
    def charges_requests(self) -> bool:
        """False: a statement asks about all rows, and Snowflake bills the statement."""
        return False

    def ask(
        self,
        pending: Query,
        steps: Sequence[Step],
        then: Callable[[Session], T],
        *,
        stage: Stage,
        account: Account | None = None,
    ) -> T | None:
        """Ask inside the warehouse, so that texts stay there: each step is a temporary table of one session.

        Only this thread waits for the answers: the lock for writing is acquired after they have arrived.
        """
        with self._link(stage) as link, begun(link) as session:
            session.make("pending", pending.sql, pending.params)
            if not session.execute("SELECT count(*) FROM pending")[0][0]:
                return None
            for step in steps:
                session.make(step.table, step.sql)
                if f"{DETAILS}) AS answer" in step.sql:
                    self._refuse_missing_model(session, step.table)
            with self._turn:
                result = then(session)
                session.end()
            return result

    def _refuse_missing_model(self, session: SnowflakeSession, table: str) -> None:
        """Raise ModelUnavailable if every row has that error: with error details the statement itself succeeds."""
        errors = f"SELECT {self.dialect.from_json('answer', 'error', 'text')} AS error FROM {table}"
        rows, failed, *messages = session.execute(
            f"SELECT count(*), count(error), min(error), max(error) FROM ({errors}) AS answers"
        )[0]
        missing = [missing_model(message) for message in messages if message]
        if rows == failed and missing and missing[0] and all(missing):
            raise missing[0]

    @contextmanager
    def _link(self, stage: Stage) -> Iterator[Link]:
        """A session of *stage*, with the tags of this thread; only this thread uses it until the block ends."""
        with self._idle_lock:
            link = self._idle[stage].pop() if self._idle[stage] else Link(self._settings, stage)
        try:
            link.retag()
            self._migrate(link)
            link.use(SCHEMA)
            yield link
        finally:
            with self._idle_lock:
                self._idle[stage].append(link)

    def _migrate(self, link: Link) -> None:
        if self._migrated:
            return
        with self._turn:
            owner = self._of_no_stage(link)
            try:
                migrate(lambda: begun(owner))
            finally:
                if owner is not link:
                    owner.drop()
            self._migrated = True

    def _of_no_stage(self, link: Link) -> Link:
        """A session that may create tables in every schema: its role is the common role of all stages."""
        settings = self._settings
        if settings.snowflake_role_of(link.stage) == settings.snowflake_role:
            return link
        return Link(settings.model_copy(update={f"snowflake_role_{link.stage}": None}), link.stage)


@contextmanager
def begun(link: Link) -> Iterator[SnowflakeSession]:
    """A transaction on a session: committed at the end of the block, rolled back if the block raises."""
    session = SnowflakeSession(link)
    try:
        yield session
        session.end()
    except BaseException:  # also a ctrl-C leaves no open transaction; it is raised again below
        try:
            session.undo()
        except HnIntelError:
            link.drop()  # Snowflake rolls back whatever the session had not committed
        raise
