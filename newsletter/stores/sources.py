"""Polled sources on file."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Engine, text

from newsletter.core.source_record import SourceRecord
from newsletter.stores.sql import as_json

_RECORD = TypeAdapter(SourceRecord)

#: Unless somebody holds an unexpired lease, it is taken, and made if it was never polled.
_TAKE = """
    INSERT INTO polled_source AS old (newsletter, source, validators, tally, refused, lease_until)
    VALUES (:newsletter, :source, '{}', '{}', '[]', :until)
    ON CONFLICT (newsletter, source) DO UPDATE SET lease_until = excluded.lease_until
     WHERE old.lease_until IS NULL OR old.lease_until <= :now
    RETURNING *
"""

_KEEP = """
    UPDATE polled_source
       SET validators = CAST(:validators AS jsonb), polled_at = :polled_at,
           answered_at = :answered_at, failures = :failures, failing_since = :failing_since,
           error = :error, tally = CAST(:tally AS jsonb), refused = CAST(:refused AS jsonb),
           lease_until = NULL
     WHERE newsletter = :newsletter AND source = :source
"""


class SourceStore:
    """SourceStore on PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, newsletter: str, source: str) -> SourceRecord:
        """Return how a source stands; a record that says nothing if it was never polled."""
        query = "SELECT * FROM polled_source WHERE newsletter = :newsletter AND source = :source"
        with self._engine.begin() as connection:
            row = connection.execute(
                text(query), {"newsletter": newsletter, "source": source}
            ).first()
        return _record(row) if row else SourceRecord()

    def take(
        self, newsletter: str, source: str, *, now: datetime, lease: timedelta
    ) -> SourceRecord | None:
        """Take a source to poll it; None while somebody else has it."""
        values = {"newsletter": newsletter, "source": source, "now": now, "until": now + lease}
        with self._engine.begin() as connection:
            row = connection.execute(text(_TAKE), values).first()
        return _record(row) if row else None

    def record(self, newsletter: str, source: str, record: SourceRecord) -> None:
        """Keep how a source stands now, and let go of it."""
        values = _RECORD.dump_python(record)
        for name in ("validators", "tally", "refused"):
            values[name] = as_json(values[name])
        with self._engine.begin() as connection:
            connection.execute(text(_KEEP), values | {"newsletter": newsletter, "source": source})


def _record(row: Any) -> SourceRecord:
    names = SourceRecord.__dataclass_fields__
    return _RECORD.validate_python({name: getattr(row, name) for name in names})
