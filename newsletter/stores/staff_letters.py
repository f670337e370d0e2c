"""The letters from staff to staff: test letters, and those about an approval."""

from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Any

from newsletter.core.staff_letter import A_DAY, StaffLetter, StaffLetterKind, StaffLetterStatus
from subscribers.db.transaction import DatabaseStore, execute, rows, scalar, transaction

#: Two at once to one address are counted one after the other.
_ONE_BY_ONE = "SELECT pg_advisory_xact_lock(hashtextextended('test letter ' || %(email)s, 0))"

_COUNT = """
    SELECT count(*) FROM staff_letter
     WHERE email = %(email)s AND at > %(since)s AND kind = %(kind)s
"""

_ADD = """
    INSERT INTO staff_letter (at, by, email, newsletter, date, kind, shown_as, edition,
                              content_hash, note, state)
    VALUES (%(at)s, %(by)s, %(email)s, %(newsletter)s, %(date)s, %(kind)s, %(shown_as)s,
            %(edition)s, %(content_hash)s, %(note)s, %(state)s)
    RETURNING id
"""

#: One that another process has just claimed is passed over.
_CLAIM = """
    UPDATE staff_letter SET state = 'claimed'
     WHERE id = (SELECT id FROM staff_letter WHERE state = 'waiting'
                  ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING *
"""

_RECORD = """
    UPDATE staff_letter SET state = %(state)s, reason = %(reason)s, message_id = %(message_id)s
     WHERE id = %(id)s
"""

_LAST = """
    SELECT * FROM staff_letter WHERE newsletter = %(newsletter)s AND kind = 'test'
     ORDER BY id DESC LIMIT %(most)s
"""

_LAST_TRIAL = """
    SELECT * FROM staff_letter
     WHERE email = %(email)s AND kind = 'trial' AND newsletter = %(newsletter)s
     ORDER BY at DESC LIMIT 1
"""

_ABOUT = """
    SELECT * FROM staff_letter
     WHERE newsletter = %(newsletter)s AND date = %(date)s AND at = %(at)s
       AND kind IN ('asked', 'sent_back')
     ORDER BY id
"""


class StaffLetterStore(DatabaseStore):
    """Stores each letter before it is sent, and what became of it."""

    def add(self, letter: StaffLetter) -> StaffLetter | None:
        """Store a letter that is to be sent; None when its address had enough of them today."""
        since: datetime = letter.at - timedelta(days=1)
        counted = {"email": letter.email, "kind": letter.kind.value, "since": since}
        with transaction(self._engine) as session:
            execute(session, _ONE_BY_ONE, {"email": letter.email})
            if scalar(session, _COUNT, counted) >= A_DAY:
                return None
            return replace(letter, id=scalar(session, _ADD, asdict(letter)))

    def claim(self) -> StaffLetter | None:
        """Claim the letter that has waited longest; None if none waits."""
        with transaction(self._engine) as session:
            return next(map(_letter, rows(session, _CLAIM, {})), None)

    def record(self, letter: StaffLetter) -> None:
        values = {"state": letter.state.value, "reason": letter.reason}
        self._execute(_RECORD, id=letter.id, message_id=letter.message_id, **values)

    def last(self, newsletter: str, most: int = 20) -> tuple[StaffLetter, ...]:
        """Return the latest test letters of a newsletter, the newest first."""
        with transaction(self._engine) as session:
            found = rows(session, _LAST, {"newsletter": newsletter, "most": most})
        return tuple(map(_letter, found))

    def last_trial(self, newsletter: str, email: str) -> StaffLetter | None:
        """Return the last letter by which somebody tried whether a newsletter's letters arrive."""
        found = self._rows(_LAST_TRIAL, newsletter=newsletter, email=email)
        return next(map(_letter, found), None)

    def about(self, newsletter: str, on: date, at: datetime) -> tuple[StaffLetter, ...]:
        """Return the letters of one request for approval, or of one answer, made at a moment."""
        found = self._rows(_ABOUT, newsletter=newsletter, date=on, at=at)
        return tuple(map(_letter, found))


def _letter(row: dict[str, Any]) -> StaffLetter:
    kind, state = StaffLetterKind(row.pop("kind")), StaffLetterStatus(row.pop("state"))
    return StaffLetter(kind=kind, state=state, **row)
