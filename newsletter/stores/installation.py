"""The id by which this installation recognizes the events of its own letters.

See docs/decisions/events-act-on-own-letters.md.
"""

from datetime import datetime

from newsletter.core.installation import Installation
from subscribers.db.transaction import DatabaseStore, execute, scalar, transaction

_GET = "SELECT id, since FROM installation"

#: Whoever claims a batch waits or has committed: no request in hand bears the old id unseen.
_LOCK = "LOCK TABLE batch IN SHARE ROW EXCLUSIVE MODE"

_OPEN = "SELECT EXISTS (SELECT FROM batch WHERE state IN ('claimed', 'unknown'))"

_RENEW = "UPDATE installation SET id = %(id)s, since = %(now)s"


class InstallationStore(DatabaseStore):
    """Returns and renews the installation's id."""

    def get(self) -> Installation:
        [row] = self._rows(_GET)
        return Installation(**row)

    def renew(self, new_id: str, now: datetime) -> bool:
        """Replace the id; False, changing nothing, while a batch waits for evidence.

        What proves such a batch accepted bears the old id, and would count as absent.
        """
        with transaction(self._engine) as session:
            execute(session, _LOCK)
            if scalar(session, _OPEN):
                return False
            execute(session, _RENEW, {"id": new_id, "now": now})
        return True
