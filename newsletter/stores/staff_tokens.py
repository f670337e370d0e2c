"""Secrets that are good for one use, and the forms that are answered once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from psycopg.types.json import Jsonb

from newsletter.core.sign_in import secret_hash
from subscribers.db.transaction import DatabaseStore, execute, scalar, transaction


class TokenPurpose(StrEnum):
    """What a one-time secret is good for."""

    INVITATION = "invitation"
    LINK = "link"
    PENDING = "pending"
    ADD_PASSKEY = "add-passkey"
    PASSKEY = "passkey"
    PROVIDER = "provider"
    CONFIRM_AT_PROVIDER = "confirm-at-provider"
    LOOK = "look"  #: at one reader's letter; good more than once


#: Of these a person has one at a time: the latest.
_LATEST_ONLY = frozenset({TokenPurpose.INVITATION, TokenPurpose.LINK})

_ADD = """
INSERT INTO staff_token (hash, purpose, staff_id, detail, expires_at)
VALUES (%(hash)s, %(purpose)s, %(staff)s, %(detail)s, %(expires_at)s)
"""

_VALID = "hash = %(hash)s AND purpose = %(purpose)s AND expires_at > %(now)s"
_TAKE = f"DELETE FROM staff_token WHERE {_VALID} RETURNING staff_id, detail"  # noqa: S608
_LOOK = f"SELECT staff_id, detail FROM staff_token WHERE {_VALID}"  # noqa: S608

# An act may take longer than a page may wait elsewhere: it plans an issue, or asks SendGrid. The
# form's own transaction waits for it, as its second post does.
_PATIENTLY = """
SELECT set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true),
       set_config('idle_in_transaction_session_timeout', '15min', true)
"""

# Of two posts at once the second waits here for the first one's transaction.
_POST = """
INSERT INTO form_key (session_id, key, location, at)
VALUES (%(session)s, %(key)s, '', %(now)s) ON CONFLICT DO NOTHING RETURNING id
"""


@dataclass(frozen=True, kw_only=True)
class StaffToken:
    """Whose one-time secret it was, and what it was made with."""

    staff_id: int | None
    detail: dict[str, Any]


class StaffTokenStore(DatabaseStore):
    """Stores digests of one-time secrets; each is taken once, whoever comes at the same time."""

    def add(
        self,
        token: str,
        purpose: TokenPurpose,
        staff_id: int | None,
        *,
        expires_at: datetime,
        detail: dict[str, Any] | None = None,
    ) -> None:
        values = {
            "hash": secret_hash(token),
            "purpose": purpose.value,
            "staff": staff_id,
            "detail": Jsonb(detail or {}),
            "expires_at": expires_at,
        }
        older = "DELETE FROM staff_token WHERE staff_id = %(staff)s AND purpose = %(purpose)s"
        with transaction(self._engine) as session:
            if purpose in _LATEST_ONLY:
                execute(session, older, values)
            execute(session, _ADD, values)

    def take(self, token: str, purpose: TokenPurpose, now: datetime) -> StaffToken | None:
        """Return what a secret was made for, and void it; None if it is not good, or was used."""
        return self._found(_TAKE, token, purpose, now)

    def look(self, token: str, purpose: TokenPurpose, now: datetime) -> StaffToken | None:
        """Return what a secret is for, and leave it as it is."""
        return self._found(_LOOK, token, purpose, now)

    def delete_expired(self, now: datetime) -> int:
        return self._execute("DELETE FROM staff_token WHERE expires_at <= %(now)s", now=now)

    def _found(
        self, statement: str, token: str, purpose: TokenPurpose, now: datetime
    ) -> StaffToken | None:
        values = {"hash": secret_hash(token), "purpose": purpose.value, "now": now}
        found = self._rows(statement, **values)
        return StaffToken(**found[0]) if found else None


class FormKeyStore(DatabaseStore):
    """Answers a form once: a second post of it gets the first answer."""

    def once(self, session_id: int, key: str, act: Callable[[], str], now: datetime) -> str:
        """Return the location that `act` returns, or returned when this form was first posted.

        If `act` raises, the form counts as not posted.
        """
        values = {"session": session_id, "key": key, "now": now}
        with transaction(self._engine) as session:
            scalar(session, _PATIENTLY)
            row = scalar(session, _POST, values)
            if row is None:
                first = (
                    "SELECT location FROM form_key WHERE session_id = %(session)s AND key = %(key)s"
                )
                return scalar(session, first, values)
            location = act()
            answered = "UPDATE form_key SET location = %(location)s WHERE id = %(id)s"
            execute(session, answered, {"location": location, "id": row})
        return location

    def delete_old(self, now: datetime) -> int:
        before = now - timedelta(days=1)
        return self._execute("DELETE FROM form_key WHERE at < %(before)s", before=before)
