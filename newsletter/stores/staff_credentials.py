"""Passwords, second factors, passkeys and recovery codes, as far as they are stored."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from newsletter.core.sign_in import (
    LinkedIdentity,
    Passkey,
    PasskeyMaterial,
    StaffCredentials,
    secret_hash,
)
from subscribers.db.transaction import DatabaseStore, execute, transaction

_SET = """
INSERT INTO staff_secret (staff_id, {column}) VALUES (%(staff)s, %(value)s)
ON CONFLICT (staff_id) DO UPDATE SET {column} = excluded.{column}
"""

_CONFIRM_TOTP = """
UPDATE staff_secret SET totp_secret = totp_offered, totp_offered = NULL, totp_step = %(step)s
 WHERE staff_id = %(staff)s AND totp_offered = %(secret)s
"""

#: A time step is accepted once, and none before it: of two at once, one finds no row.
_USE_STEP = """
UPDATE staff_secret SET totp_step = %(step)s
 WHERE staff_id = %(staff)s AND totp_secret = %(secret)s AND coalesce(totp_step, -1) < %(step)s
"""

_ADD_PASSKEY = """
INSERT INTO passkey (staff_id, credential_id, public_key, sign_count, name, added_at)
VALUES (%(staff)s, %(credential_id)s, %(public_key)s, %(sign_count)s, %(name)s, %(now)s)
ON CONFLICT (credential_id) DO NOTHING
"""

_USED = """
UPDATE passkey SET sign_count = %(count)s, used_at = %(now)s
 WHERE credential_id = %(credential_id)s AND (%(count)s > sign_count OR %(count)s = 0)
"""

_PASSKEYS = "SELECT id, name, added_at, used_at FROM passkey WHERE staff_id = %(staff)s ORDER BY id"

_LINK = """
INSERT INTO staff_identity (staff_id, issuer, subject, linked_at)
VALUES (%(staff)s, %(issuer)s, %(subject)s, %(now)s) ON CONFLICT DO NOTHING
"""

_CHANGED = (
    "UPDATE staff SET epoch = epoch + 1 WHERE id = %(staff)s",
    "DELETE FROM staff_token WHERE staff_id = %(staff)s",
    "DELETE FROM staff_session WHERE staff_id = %(staff)s AND id <> %(but)s",
)

_WAYS = """
SELECT EXISTS (SELECT FROM staff_secret
                WHERE staff_id = %(staff)s AND password_hash IS NOT NULL) AS password,
       EXISTS (SELECT FROM staff_secret
                WHERE staff_id = %(staff)s AND totp_secret IS NOT NULL) AS totp,
       (SELECT count(*) FROM recovery_code WHERE staff_id = %(staff)s) AS recovery_codes
"""


class StaffCredentialStore(DatabaseStore):
    """Stores what people sign in with; a password only as a hash."""

    def of(self, staff_id: int) -> StaffCredentials:
        [ways] = self._rows(_WAYS, staff=staff_id)
        passkeys = (Passkey(**row) for row in self._rows(_PASSKEYS, staff=staff_id))
        identity = self._identity(staff_id)
        return StaffCredentials(passkeys=tuple(passkeys), identity=identity, **ways)

    def link_identity(self, staff_id: int, issuer: str, subject: str, now: datetime) -> bool:
        """Link an account at the provider; False if either is linked already."""
        return self._execute(_LINK, staff=staff_id, issuer=issuer, subject=subject, now=now) == 1

    def unlink_identity(self, staff_id: int) -> bool:
        return self._execute("DELETE FROM staff_identity WHERE staff_id = %(id)s", id=staff_id) == 1

    def identity_owner(self, issuer: str, subject: str) -> int | None:
        """Return whom an account at the provider signs in."""
        linked = """SELECT staff_id FROM staff_identity
                     WHERE issuer = %(issuer)s AND subject = %(subject)s"""
        found = self._rows(linked, issuer=issuer, subject=subject)
        return found[0]["staff_id"] if found else None

    def _identity(self, staff_id: int) -> LinkedIdentity | None:
        linked = "SELECT issuer, subject, linked_at FROM staff_identity WHERE staff_id = %(id)s"
        found = self._rows(linked, id=staff_id)
        return LinkedIdentity(**found[0]) if found else None

    def password_hash(self, staff_id: int) -> str | None:
        return self._secret(staff_id, "password_hash")

    def set_password(self, staff_id: int, hashed: str | None) -> None:
        self._set(staff_id, "password_hash", hashed)

    def totp_secret(self, staff_id: int) -> str | None:
        return self._secret(staff_id, "totp_secret")

    def totp_offered(self, staff_id: int) -> str | None:
        return self._secret(staff_id, "totp_offered")

    def offer_totp(self, staff_id: int, secret: str) -> None:
        self._set(staff_id, "totp_offered", secret)

    def confirm_totp(self, staff_id: int, secret: str, step: int) -> bool:
        """Use the secret that was offered from now on; the step counts as used."""
        return self._execute(_CONFIRM_TOTP, staff=staff_id, secret=secret, step=step) == 1

    def use_step(self, staff_id: int, secret: str, step: int) -> bool:
        """Record that a code was used; False if it was before, or a later one."""
        return self._execute(_USE_STEP, staff=staff_id, secret=secret, step=step) == 1

    def remove_totp(self, staff_id: int) -> None:
        """Remove the second factor with its recovery codes."""
        values = {"staff": staff_id}
        with transaction(self._engine) as session:
            removed = "UPDATE staff_secret SET totp_secret = NULL, totp_step = NULL"
            execute(session, f"{removed} WHERE staff_id = %(staff)s", values)
            execute(session, "DELETE FROM recovery_code WHERE staff_id = %(staff)s", values)

    def set_recovery_codes(self, staff_id: int, codes: Iterable[str]) -> None:
        """Replace all codes of a person."""
        add = "INSERT INTO recovery_code (staff_id, hash) VALUES (%(staff)s, %(hash)s)"
        with transaction(self._engine) as session:
            execute(
                session, "DELETE FROM recovery_code WHERE staff_id = %(staff)s", {"staff": staff_id}
            )
            for code in codes:
                execute(session, add, {"staff": staff_id, "hash": secret_hash(code)})

    def use_recovery_code(self, staff_id: int, code: str) -> bool:
        """Void a code; False if there is none like it."""
        used = "DELETE FROM recovery_code WHERE staff_id = %(staff)s AND hash = %(hash)s"
        return self._execute(used, staff=staff_id, hash=secret_hash(code)) == 1

    def add_passkey(
        self, staff_id: int, material: PasskeyMaterial, name: str, now: datetime
    ) -> bool:
        """Add a passkey; False if it is registered already."""
        values = {"staff": staff_id, "name": name, "now": now, **vars(material)}
        return self._execute(_ADD_PASSKEY, **values) == 1

    def passkey(self, credential_id: bytes) -> tuple[int, PasskeyMaterial] | None:
        """Return whose passkey this is, and what it is verified with."""
        columns = "staff_id, credential_id, public_key, sign_count"
        found = self._rows(
            f"SELECT {columns} FROM passkey WHERE credential_id = %(id)s",  # noqa: S608
            id=credential_id,
        )
        if not found:
            return None
        return found[0].pop("staff_id"), PasskeyMaterial(**found[0])

    def credential_ids(self, staff_id: int) -> tuple[bytes, ...]:
        found = self._rows(
            "SELECT credential_id FROM passkey WHERE staff_id = %(staff)s ORDER BY id",
            staff=staff_id,
        )
        return tuple(row["credential_id"] for row in found)

    def passkey_used(self, credential_id: bytes, count: int, now: datetime) -> bool:
        """Record a use; False if the count did not grow: then the key was copied."""
        return self._execute(_USED, credential_id=credential_id, count=count, now=now) == 1

    def remove_passkey(self, staff_id: int, passkey_id: int) -> bool:
        removed = "DELETE FROM passkey WHERE id = %(id)s AND staff_id = %(staff)s"
        return self._execute(removed, id=passkey_id, staff=staff_id) == 1

    def changed(self, staff_id: int, *, but: int) -> None:
        """End all sessions of a person but one, and void every sign-in that was begun."""
        values = {"staff": staff_id, "but": but}
        with transaction(self._engine) as session:
            for statement in _CHANGED:
                execute(session, statement, values)

    def _secret(self, staff_id: int, column: str) -> str | None:
        statement = f"SELECT {column} AS value FROM staff_secret WHERE staff_id = %(staff)s"  # noqa: S608
        found: list[dict[str, Any]] = self._rows(statement, staff=staff_id)
        return found[0]["value"] if found else None

    def _set(self, staff_id: int, column: str, value: str | None) -> None:
        self._execute(_SET.format(column=column), staff=staff_id, value=value)
