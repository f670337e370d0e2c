"""What earlier issues of a newsletter printed: what a new one is compared with."""

from datetime import date

from subscribers.db.transaction import DatabaseStore

_BEFORE = """
    SELECT id FROM issue
     WHERE newsletter = %(newsletter)s AND date < %(on)s AND planned_at IS NOT NULL
     ORDER BY date DESC LIMIT 1
"""


class IssueHistory(DatabaseStore):
    """Reads what earlier issues printed, and writes nothing."""

    def before(self, newsletter: str, on: date) -> int | None:
        """Return the number of the latest issue that was planned before a date."""
        found = self._rows(_BEFORE, newsletter=newsletter, on=on)
        return found[0]["id"] if found else None
