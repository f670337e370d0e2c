"""What polled sources last answered, and who is polling them."""

import logging
from dataclasses import fields
from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, or_, update

from newsletter.core.source_record import SourceRecord, Tally, Validators
from newsletter.stores.tables import PolledSourceRow
from subscribers.db.transaction import DatabaseStore, transaction

_log = logging.getLogger(__name__)
_FIELDS = [field.name for field in fields(SourceRecord)]


class SourceStore(DatabaseStore):
    """Stores a record of each polled source, and leases it to one poller at a time."""

    def find(self, newsletter: str, source: str) -> SourceRecord:
        """Return a source's record; an empty one if it was never polled."""
        with transaction(self._engine) as session:
            row = session.get(PolledSourceRow, (newsletter, source))
        return _record(row) if row else SourceRecord()

    def take(
        self, newsletter: str, source: str, *, now: datetime, lease: timedelta
    ) -> SourceRecord | None:
        """Lease a source to poll it; None while somebody else holds it."""
        until, held_until = now + lease, col(PolledSourceRow.lease_until)
        first = {"validators": Validators(), "tally": Tally(), "refused": ()}
        first |= {"baseline": (), "longest_gap": timedelta()}
        upsert = (
            insert(PolledSourceRow)
            .values(newsletter=newsletter, source=source, lease_until=until, **first)
            .on_conflict_do_update(
                index_elements=["newsletter", "source"],
                set_={"lease_until": until},
                where=or_(held_until.is_(None), held_until <= now),
            )
            .returning(PolledSourceRow)
        )
        with transaction(self._engine) as session:
            row = session.scalar(upsert)
        return _record(row) if row else None

    def record(self, newsletter: str, source: str, record: SourceRecord) -> None:
        """Store the record of a source, and end its lease."""
        values = {name: getattr(record, name) for name in _FIELDS}
        this = (
            col(PolledSourceRow.newsletter) == newsletter,
            col(PolledSourceRow.source) == source,
        )
        with transaction(self._engine) as session:
            session.exec(update(PolledSourceRow).where(*this).values(lease_until=None, **values))
        _log.log(
            logging.WARNING if record.error else logging.INFO,
            record.error or "polled",
            extra={
                "action": "source.failed" if record.error else "source.polled",
                "newsletter": newsletter,
                "source": source,
            },
        )


def _record(row: PolledSourceRow) -> SourceRecord:
    return SourceRecord(**{name: getattr(row, name) for name in _FIELDS})
