"""Sessions at the console: a cookie's token is stored as a digest only."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from newsletter.core.sign_in import secret_hash
from newsletter.core.staff import IDLE, LONGEST, SignedIn, StaffMember
from newsletter.stores.staff import MEMBER, member_of
from subscribers.db.transaction import DatabaseStore, rows, scalar, transaction

TOUCH = timedelta(seconds=30)  #: a page polls every two seconds; this saves most of the writes

_COLUMNS = f"""
SELECT {MEMBER}, session.id AS session_id, signed_in_at, seen_at, fresh_at, address, device
  FROM staff_session AS session JOIN staff ON staff.id = session.staff_id
 WHERE removed_at IS NULL AND accepted_at IS NOT NULL
   AND seen_at > %(idle)s AND signed_in_at > %(longest)s
"""  # noqa: S608  # no data in it

_TOUCH = "UPDATE staff_session SET seen_at = greatest(seen_at, %(now)s) WHERE id = %(id)s"

# Whoever was removed meanwhile gets none, nor whoever's credentials were changed since they were
# looked at; the lock lets a change that runs go first.
_START = """
INSERT INTO staff_session
    (token_hash, staff_id, signed_in_at, seen_at, fresh_at, address, device)
SELECT %(hash)s, id, %(now)s, %(now)s, %(fresh_at)s, %(address)s, %(device)s FROM staff
 WHERE id = %(staff)s AND epoch = %(epoch)s AND removed_at IS NULL AND accepted_at IS NOT NULL
   FOR NO KEY UPDATE
RETURNING id
"""

_RENEW = """
UPDATE staff_session SET token_hash = %(new)s, fresh_at = %(now)s, seen_at = %(now)s
 WHERE token_hash = %(old)s AND seen_at > %(idle)s AND signed_in_at > %(longest)s
RETURNING id
"""

_END_OTHERS = """
DELETE FROM staff_session WHERE staff_id = %(staff)s AND id IS DISTINCT FROM %(but)s
"""


class StaffSessionStore(DatabaseStore):
    """Starts, finds and ends sessions."""

    def start(
        self,
        member: StaffMember,
        token: str,
        *,
        address: str,
        device: str,
        now: datetime,
        fresh_at: datetime,
    ) -> int | None:
        """Store a session and return its number; None if this person may not sign in so."""
        values: dict[str, Any] = {"staff": member.id, "epoch": member.epoch}
        values |= {"hash": secret_hash(token), "now": now, "fresh_at": fresh_at}
        with transaction(self._engine) as session:
            return scalar(session, _START, values | {"address": address, "device": device})

    def find(self, token: str, now: datetime) -> SignedIn | None:
        """Return the session of a token, which counts as used now; None if it is over."""
        with transaction(self._engine) as session:
            found = _signed_in(session, "token_hash = %(hash)s", now, hash=secret_hash(token))
        if found and found[0].seen_at <= now - TOUCH:
            self._execute(_TOUCH, id=found[0].id, now=now)
        return found[0] if found else None

    def of(self, staff_id: int, now: datetime) -> tuple[SignedIn, ...]:
        with transaction(self._engine) as session:
            return _signed_in(session, "session.staff_id = %(staff)s", now, staff=staff_id)

    def renew(self, old: str, new: str, now: datetime) -> bool:
        """Give a session another token, and call it fresh; False if it is over."""
        values = {"old": secret_hash(old), "new": secret_hash(new), "now": now} | _limits(now)
        with transaction(self._engine) as session:
            return scalar(session, _RENEW, values) is not None

    def spend(self, session_id: int) -> None:
        """Let a session's latest confirmation count no longer."""
        spent = "UPDATE staff_session SET fresh_at = signed_in_at WHERE id = %(id)s"
        self._execute(spent, id=session_id)

    def end(self, token: str) -> None:
        ended = "DELETE FROM staff_session WHERE token_hash = %(hash)s"
        self._execute(ended, hash=secret_hash(token))

    def end_one(self, staff_id: int, session_id: int) -> bool:
        """End a session of this person; False if it is not one of theirs."""
        ended = "DELETE FROM staff_session WHERE id = %(id)s AND staff_id = %(staff)s"
        return self._execute(ended, id=session_id, staff=staff_id) == 1

    def end_all(self, staff_id: int, *, but: int | None = None) -> int:
        """End all sessions of a person, except one; return how many ended."""
        return self._execute(_END_OTHERS, staff=staff_id, but=but)

    def delete_over(self, now: datetime) -> int:
        over = "seen_at <= %(idle)s OR signed_in_at <= %(longest)s"
        return self._execute(f"DELETE FROM staff_session WHERE {over}", **_limits(now))  # noqa: S608


def _limits(now: datetime) -> dict[str, Any]:
    return {"idle": now - IDLE, "longest": now - LONGEST}


def _signed_in(
    session: Session, condition: str, now: datetime, **values: Any
) -> tuple[SignedIn, ...]:
    statement = f"{_COLUMNS} AND {condition} ORDER BY seen_at DESC, session.id"
    return tuple(_session(row) for row in rows(session, statement, values | _limits(now)))


def _session(row: dict[str, Any]) -> SignedIn:
    names = ("signed_in_at", "seen_at", "fresh_at", "address", "device")
    return SignedIn(
        id=row["session_id"], member=member_of(row), **{name: row[name] for name in names}
    )
