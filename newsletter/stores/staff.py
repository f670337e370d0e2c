"""The people of the console, and what each of them may do."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session

from newsletter.core.sign_in import email_key
from newsletter.core.staff import Grant, Permission, StaffMember
from subscribers.db.read_once import read_once
from subscribers.db.transaction import DatabaseStore, execute, rows, transaction

#: As columns of any statement that knows the table `staff`.
MEMBER = """
    staff.id, staff.email, staff.name, staff.accepted_at, staff.epoch, staff.login_name,
    ARRAY(SELECT permission || ' ' || newsletter FROM staff_grant WHERE staff_id = staff.id)
        AS grants
"""

_MEMBERS = f"SELECT {MEMBER} FROM staff WHERE removed_at IS NULL"  # noqa: S608  # no data in it

#: Whoever changes roles waits here, so that two owners cannot remove each other at once.
_LOCK = "LOCK TABLE staff_grant IN SHARE ROW EXCLUSIVE MODE"

_INVITE = """
INSERT INTO staff (email, email_key, invited_at) VALUES (%(email)s, %(key)s, %(now)s)
ON CONFLICT (email_key) DO UPDATE
SET email = excluded.email, invited_at = excluded.invited_at, removed_at = NULL, accepted_at = NULL
WHERE staff.accepted_at IS NULL OR staff.removed_at IS NOT NULL
RETURNING id
"""

_ACCEPT = """
UPDATE staff SET accepted_at = %(now)s, name = %(name)s
 WHERE id = %(id)s AND accepted_at IS NULL AND removed_at IS NULL
"""

_GRANT = """
INSERT INTO staff_grant (staff_id, permission, newsletter)
VALUES (%(id)s, %(permission)s, %(newsletter)s) ON CONFLICT DO NOTHING
"""

_REVOKE = """
DELETE FROM staff_grant
 WHERE staff_id = %(id)s AND permission = %(permission)s AND newsletter = %(newsletter)s
"""

_SET_LOGIN_NAME = """
UPDATE staff SET login_name = %(login)s
 WHERE id = %(id)s AND NOT EXISTS (
    SELECT FROM staff AS other WHERE other.login_name = %(login)s AND other.id <> %(id)s)
"""

#: In this order, for the sake of the references.
_OF_PERSON = (
    "staff_session", "passkey", "recovery_code", "staff_secret", "staff_identity", "staff_token",
    "staff_grant",
)  # fmt: skip

_OTHER_OWNERS = """
SELECT 1 FROM staff JOIN staff_grant ON staff_id = staff.id
 WHERE permission = 'own' AND staff_grant.newsletter = '' AND accepted_at IS NOT NULL
   AND removed_at IS NULL AND staff.id <> %(id)s
"""


class StaffStore(DatabaseStore):
    """Reads and changes who may sign in, and with which roles."""

    @read_once
    def members(self) -> tuple[StaffMember, ...]:
        return tuple(member_of(row) for row in self._rows(f"{_MEMBERS} ORDER BY email_key"))

    def member(self, staff_id: int) -> StaffMember | None:
        return _first(self._rows(f"{_MEMBERS} AND id = %(id)s", id=staff_id))

    def by_email(self, email: str) -> StaffMember | None:
        key = email_key(email)
        return _first(self._rows(f"{_MEMBERS} AND email_key = %(key)s", key=key))

    def invite(self, email: str, grants: Iterable[Grant], now: datetime) -> int | None:
        """Add a person who has not accepted yet; None, changing nothing, if they have."""
        values = {"email": email.strip(), "key": email_key(email), "now": now}
        with transaction(self._engine) as session:
            execute(session, _LOCK)
            found = rows(session, _INVITE, values)
            if not found:
                return None
            staff_id: int = found[0]["id"]
            _delete_all(session, staff_id)
            _grant(session, staff_id, grants)
        return staff_id

    def accept(self, staff_id: int, name: str, now: datetime) -> bool:
        return self._execute(_ACCEPT, id=staff_id, name=name, now=now) == 1

    def rename(self, staff_id: int, name: str) -> None:
        self._execute("UPDATE staff SET name = %(name)s WHERE id = %(id)s", id=staff_id, name=name)

    def set_login_name(self, staff_id: int, login_name: str | None) -> bool:
        """Store which login of the command line is this person; False if it is another's."""
        values = {"id": staff_id, "login": login_name}
        return self._execute(_SET_LOGIN_NAME, **values) == 1

    def change_grants(
        self, staff_id: int, *, add: Collection[Grant] = (), drop: Collection[Grant] = ()
    ) -> bool:
        """Add and drop roles; False, changing nothing, if no owner would be left."""
        with transaction(self._engine) as session:
            execute(session, _LOCK)
            if Grant(permission=Permission.OWN) in drop and _is_last_owner(session, staff_id):
                return False
            for grant in drop:
                execute(session, _REVOKE, _values(staff_id, grant))
            _grant(session, staff_id, add)
        return True

    def remove(self, staff_id: int, now: datetime) -> bool:
        """Delete all rights, credentials and sessions; False if this is the last owner."""
        with transaction(self._engine) as session:
            execute(session, _LOCK)
            if _is_last_owner(session, staff_id):
                return False
            _delete_all(session, staff_id)
            removed = "UPDATE staff SET removed_at = %(now)s, login_name = NULL WHERE id = %(id)s"
            execute(session, removed, {"id": staff_id, "now": now})
        return True


def member_of(row: dict[str, Any]) -> StaffMember:
    """Return the person of a row with the columns `MEMBER`."""
    return StaffMember(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        accepted_at=row["accepted_at"],
        epoch=row["epoch"],
        login_name=row["login_name"],
        grants=frozenset(_read_grant(one) for one in row["grants"]),
    )


def _read_grant(text: str) -> Grant:
    permission, _, newsletter = text.partition(" ")
    return Grant(permission=Permission(permission), newsletter=newsletter or None)


def _first(found: list[dict[str, Any]]) -> StaffMember | None:
    return member_of(found[0]) if found else None


def _values(staff_id: int, grant: Grant) -> dict[str, Any]:
    newsletter = grant.newsletter or ""
    return {"id": staff_id, "permission": grant.permission.value, "newsletter": newsletter}


def _grant(session: Session, staff_id: int, grants: Iterable[Grant]) -> None:
    for grant in grants:
        execute(session, _GRANT, _values(staff_id, grant))


def _delete_all(session: Session, staff_id: int) -> None:
    for table in _OF_PERSON:
        execute(session, f"DELETE FROM {table} WHERE staff_id = %(id)s", {"id": staff_id})  # noqa: S608


def _is_last_owner(session: Session, staff_id: int) -> bool:
    own = """SELECT 1 FROM staff_grant JOIN staff ON staff.id = staff_id
              WHERE staff_id = %(id)s AND permission = 'own' AND accepted_at IS NOT NULL"""
    values = {"id": staff_id}
    return bool(rows(session, own, values)) and not rows(session, _OTHER_OWNERS, values)
