"""API tokens: their rights and a hash of each one's secret."""

from datetime import datetime
from typing import Any

from newsletter.core.api_token import USE_IS_RECORDED, ApiToken, PresentedToken, Scope
from newsletter.core.sign_in import secret_hash
from subscribers.db.transaction import DatabaseStore, scalar, transaction

_SHOWN = "id, name, scopes, newsletters, created_at, created_by, expires_at, used_at, revoked_at"
_ADD = """
INSERT INTO api_token (name, hash, scopes, newsletters, created_at, created_by, expires_at)
VALUES (%(name)s, %(hash)s, %(scopes)s, %(newsletters)s, %(now)s, %(by)s, %(expires_at)s)
RETURNING id
"""
_FIND = f"SELECT {_SHOWN}, hash FROM api_token WHERE id = %(id)s"  # noqa: S608  # no input
_LIST = f"SELECT {_SHOWN} FROM api_token ORDER BY id"  # noqa: S608  # no input
_REVOKE = "UPDATE api_token SET revoked_at = %(now)s WHERE id = %(id)s AND revoked_at IS NULL"
_USED = """
UPDATE api_token SET used_at = %(now)s
 WHERE id = %(id)s AND (used_at IS NULL OR used_at <= %(before)s)
"""
_NOBODYS = secret_hash("")  #: compared where there is no such token: it takes as long


class ApiTokenStore(DatabaseStore):
    """Stores tokens; of a secret only its hash."""

    def add(self, token: ApiToken, secret: str) -> int:
        """Store a new token, whatever its `id` says, and return its number."""
        values: dict[str, Any] = {
            "name": token.name,
            "hash": secret_hash(secret),
            "scopes": sorted(token.scopes),
            "newsletters": None if token.newsletters is None else sorted(token.newsletters),
            "now": token.created_at,
            "by": str(token.created_by),
            "expires_at": token.expires_at,
        }
        with transaction(self._engine) as session:
            return scalar(session, _ADD, values)

    def find(self, presented: PresentedToken) -> ApiToken | None:
        """Return the token whose number and secret these are, valid or not."""
        found = self._rows(_FIND, id=presented.id)
        stored_hash = found[0].pop("hash") if found else _NOBODYS
        return _token(found[0]) if presented.matches(stored_hash) and found else None

    def get(self, token_id: int) -> ApiToken | None:
        found = self._rows(_FIND, id=token_id)
        return (
            _token({name: found[0][name] for name in found[0] if name != "hash"}) if found else None
        )

    def all(self) -> tuple[ApiToken, ...]:
        """Return every token, the oldest first, also those that are good no longer."""
        return tuple(map(_token, self._rows(_LIST)))

    def revoke(self, token_id: int, now: datetime) -> bool:
        """Revoke a token at once; return whether it was not revoked before."""
        return bool(self._execute(_REVOKE, id=token_id, now=now))

    def record_use(self, token_id: int, now: datetime) -> None:
        self._execute(_USED, id=token_id, now=now, before=now - USE_IS_RECORDED)


def _token(row: dict[str, Any]) -> ApiToken:
    newsletters = row.pop("newsletters")
    return ApiToken(
        scopes=frozenset(map(Scope, row.pop("scopes"))),
        newsletters=None if newsletters is None else frozenset(newsletters),
        **row,
    )
