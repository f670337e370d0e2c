"""Deliveries, batches and attempts: planned by set-based SQL, claimed and recorded one by one."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from newsletter.core.delivery import Accepted, Claim, Disposition, NotYet, Outcome
from newsletter.core.edition import Edition
from newsletter.core.issue_totals import DeliveryRecord, IssueTotals
from newsletter.core.publication import Readers
from newsletter.core.sending_limits import RateLimit
from newsletter.stores import delivery_sql
from newsletter.stores.acceptance import prove_batches
from newsletter.stores.claiming import Turn, accept
from newsletter.stores.claiming import claim as claim_batch
from newsletter.stores.issue_totals import account, trace
from newsletter.stores.recording import record_trouble
from subscribers.model import TopicSet

_LATE = "the answer to an earlier request came late, and proved"


class DeliveryStore:
    """DeliveryStore on PostgreSQL."""

    def __init__(self, engine: Engine, pace: RateLimit | None = None) -> None:
        self._engine = engine
        self._pace = pace if pace and pace.limits else None
        # A plan or an account reads several tables, and must see them as of one moment.
        self._snapshots = engine.execution_options(isolation_level="REPEATABLE READ")

    def plan(
        self,
        issue_id: int,
        choose: Callable[[TopicSet], Edition | None],
        *,
        batch_size: int,
        now: datetime,
        wave: Callable[[str], datetime] | None = None,
        fresh_for: timedelta | None = None,
        readers: Readers,
    ) -> bool:
        """Write down who gets which edition in which batch; False if that was done before."""
        values = asdict(readers) | {
            "issue": issue_id,
            "size": batch_size,
            "now": now,
            "fresh_for": fresh_for,
        }
        with self._snapshots.begin() as connection:
            taken = connection.execute(text(delivery_sql.TAKE_ISSUE), values).first()
            if taken is None:
                return False
            connection.execute(text(delivery_sql.ROOM))
            connection.execute(text(delivery_sql.READERS), values)
            _choose_editions(connection, values, choose)
            connection.execute(text(delivery_sql.EXCLUDE), values)
            _place(connection, values, wave)
            for step in (*delivery_sql.FILL, delivery_sql.SEND_BY):
                connection.execute(text(step), values)
        self._finish()  # an issue for nobody is done at once
        return True

    def claim(
        self, batch_id: int, *, attempt_id: str, lease: timedelta, now: datetime
    ) -> Claim | NotYet | None:
        """Take a planned batch, asking consent again; None when it is not to be taken."""
        turn = Turn(batch_id=batch_id, attempt_id=attempt_id, lease=now + lease, now=now)
        with self._engine.begin() as connection:
            claimed = claim_batch(connection, turn, self._pace)
        if claimed is None:
            self._finish()  # it may have been the last, with nobody left to write to
        return claimed

    def record_and_claim(
        self,
        claim: Claim,
        accepted: Accepted,
        batch_id: int,
        *,
        attempt_id: str,
        lease: timedelta,
        now: datetime,
    ) -> Claim | NotYet | None:
        """Keep an acceptance and take the next batch, in one transaction."""
        turn = Turn(batch_id=batch_id, attempt_id=attempt_id, lease=now + lease, now=now)
        with self._engine.begin() as connection:
            _accept(connection, claim, accepted, now)
            claimed = claim_batch(connection, turn, self._pace)
        if not isinstance(claimed, Claim):  # otherwise its own end will look
            self._finish()
        return claimed

    def record(
        self, claim: Claim, outcome: Outcome, disposition: Disposition, now: datetime
    ) -> tuple[int, ...]:
        """Keep the answer to an attempt; return the batches that are to be tried again."""
        again: tuple[int, ...] = ()
        with self._engine.begin() as connection:
            if isinstance(outcome, Accepted):
                _accept(connection, claim, outcome, now)
            else:
                again = record_trouble(connection, claim, outcome, disposition, now)
        if not again:  # as long as one is planned, its own end will look
            self._finish()
        return again

    def expire_leases(self, now: datetime) -> int:
        """Turn batches whose worker never answered into unknown ones; return how many."""
        with self._engine.begin() as connection:
            expired = connection.execute(text(delivery_sql.EXPIRE), {"now": now}).rowcount
        self._finish()
        return expired

    def _finish(self) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(delivery_sql.FINISH))

    def waiting(self, issue_id: int | None = None) -> tuple[tuple[int, datetime | None], ...]:
        """Return planned batches of sending issues, each with the moment it waits for."""
        with self._engine.begin() as connection:
            rows = connection.execute(text(delivery_sql.WAITING), {"issue": issue_id})
            return tuple((row.id, row.not_before) for row in rows)

    def progress(self, issue_id: int) -> tuple[int, int]:
        """Return recipients answered for, and all of them; cheap enough to ask often."""
        with self._engine.begin() as connection:
            row = connection.execute(text(delivery_sql.PROGRESS), {"issue": issue_id}).one()
            return row.done, row.total

    def account(self, issue_id: int) -> IssueTotals:
        """Return all sums of an issue."""
        with self._snapshots.begin() as connection:
            return account(connection, issue_id)

    def trace(self, subscriber_id: int, issue_id: int) -> DeliveryRecord | None:
        """Return what happened to a subscriber's letter; None if the issue never knew of them."""
        with self._snapshots.begin() as connection:
            return trace(connection, subscriber_id, issue_id)


def _accept(connection: Connection, claim: Claim, accepted: Accepted, now: datetime) -> None:
    if not accept(connection, claim, accepted, now):
        # Somebody asked again in between, or an event was quicker. It is accepted all the same.
        prove_batches(connection, [claim.attempt_id], witness=_LATE)


def _choose_editions(
    connection: Connection,
    values: dict[str, Any],
    choose: Callable[[TopicSet], Edition | None],
) -> None:
    """Let the core choose for each topic set in use, and write its choices beside them."""
    issue_id = values["issue"]
    in_use = connection.execute(text(delivery_sql.TOPIC_SETS)).all()
    chosen = {row.id: choose(TopicSet(frozenset(row.slugs))) for row in in_use}
    editions = {edition.key: edition for edition in chosen.values() if edition}
    connection.execute(text(delivery_sql.CHOICE_TABLE))
    if not editions:
        return
    connection.execute(
        text(delivery_sql.ADD_EDITION),
        [{"issue": issue_id, "key": e.key, "ids": list(e.brief_ids)} for e in editions.values()],
    )
    connection.execute(
        text(delivery_sql.CHOOSE),
        {
            "issue": issue_id,
            "sets": [set_id for set_id, edition in chosen.items() if edition],
            "keys": [edition.key for edition in chosen.values() if edition],
        },
    )


def _place(
    connection: Connection, values: dict[str, Any], wave: Callable[[str], datetime] | None
) -> None:
    """Put each reader into a batch of their edition and, in reader time, of their wave."""
    if wave is None:
        connection.execute(text(delivery_sql.PLACE), values)
        return
    zones = connection.execute(text(delivery_sql.ZONES)).scalars().all()
    connection.execute(text(delivery_sql.WAVE_TABLE))
    connection.execute(
        text(delivery_sql.ADD_WAVES), {"zones": zones, "moments": [wave(zone) for zone in zones]}
    )
    connection.execute(text(delivery_sql.PLACE_IN_WAVES), values)
