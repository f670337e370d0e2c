"""Who saw which finding about which content of an issue."""

from dataclasses import dataclass
from datetime import datetime

from subscribers.db.transaction import DatabaseStore

_TICK = """
    INSERT INTO preflight_tick (issue_id, content_hash, finding, by, at)
    VALUES (%(issue_id)s, %(content_hash)s, %(finding)s, %(by)s, %(at)s)
    ON CONFLICT DO NOTHING
"""

_OF = """
    SELECT finding, by, at FROM preflight_tick
     WHERE issue_id = %(issue_id)s AND content_hash = %(content_hash)s ORDER BY at, finding
"""


@dataclass(frozen=True, kw_only=True)
class PreflightTick:
    """A person saw a finding."""

    finding: str
    by: str
    at: datetime


class PreflightTicks(DatabaseStore):
    """Stores the ticks of an issue; another content has none."""

    def of(self, issue_id: int, content_hash: str) -> tuple[PreflightTick, ...]:
        found = self._rows(_OF, issue_id=issue_id, content_hash=content_hash)
        return tuple(PreflightTick(**row) for row in found)

    def add(self, issue_id: int, content_hash: str, tick: PreflightTick) -> None:
        """Store a tick; the first one stays."""
        about = {"issue_id": issue_id, "content_hash": content_hash}
        self._execute(_TICK, **about, finding=tick.finding, by=tick.by, at=tick.at)
