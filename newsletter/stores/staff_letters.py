"""The letters that staff had sent to staff."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta

from newsletter.core.staff_letter import A_DAY, StaffLetter, StaffLetterStatus
from subscribers.db.transaction import DatabaseStore, execute, rows, scalar, transaction

#: Two at once to one address are counted one after the other.
_ONE_BY_ONE = "SELECT pg_advisory_xact_lock(hashtextextended('test letter ' || %(email)s, 0))"

_COUNT = """
    SELECT count(*) FROM staff_letter WHERE email = %(email)s AND at > %(since)s
"""

_CLAIM = """
    INSERT INTO staff_letter (at, by, email, newsletter, date, shown_as, edition, content_hash)
    VALUES (%(at)s, %(by)s, %(email)s, %(newsletter)s, %(date)s, %(shown_as)s, %(edition)s,
            %(content_hash)s)
    RETURNING id
"""

_RECORD = """
    UPDATE staff_letter SET state = %(state)s, reason = %(reason)s, message_id = %(message_id)s
     WHERE id = %(id)s
"""

_LAST = """
    SELECT * FROM staff_letter WHERE newsletter = %(newsletter)s ORDER BY id DESC LIMIT %(most)s
"""

_ADDRESSES = """
    SELECT email FROM staff_letter WHERE by = %(by)s
     GROUP BY email ORDER BY max(id) DESC LIMIT %(most)s
"""


class StaffLetterStore(DatabaseStore):
    """Stores each test letter before it is sent, and what became of it."""

    def claim(self, letter: StaffLetter) -> StaffLetter | None:
        """Store a letter that is about to be sent; None when its address had enough today."""
        since: datetime = letter.at - timedelta(days=1)
        with transaction(self._engine) as session:
            execute(session, _ONE_BY_ONE, {"email": letter.email})
            if scalar(session, _COUNT, {"email": letter.email, "since": since}) >= A_DAY:
                return None
            return replace(letter, id=scalar(session, _CLAIM, asdict(letter)))

    def record(self, letter: StaffLetter) -> None:
        values = {"state": letter.state.value, "reason": letter.reason}
        self._execute(_RECORD, id=letter.id, message_id=letter.message_id, **values)

    def last(self, newsletter: str, most: int = 20) -> tuple[StaffLetter, ...]:
        """Return the latest test letters of a newsletter, the newest first."""
        with transaction(self._engine) as session:
            found = rows(session, _LAST, {"newsletter": newsletter, "most": most})
        return tuple(StaffLetter(state=StaffLetterStatus(row.pop("state")), **row) for row in found)

    def addresses(self, by: str, most: int = 5) -> tuple[str, ...]:
        """Return the addresses somebody used last, the latest first."""
        return tuple(row["email"] for row in self._rows(_ADDRESSES, by=by, most=most))
