"""Failed attempts to sign in, counted for the account and for the network."""

from datetime import datetime
from typing import Any

from newsletter.core.sign_in import (
    ATTEMPTS_OF_ACCOUNT,
    ATTEMPTS_OF_NETWORK,
    WINDOW,
    Wait,
    email_key,
    secret_hash,
)
from subscribers.db.transaction import DatabaseStore, rows, scalar, transaction

# Attempts at once wait for each other here, in one order, so that a limit is one.
_LOCK = """
SELECT pg_advisory_xact_lock(key) FROM (
    SELECT hashtextextended(name, 41) AS key FROM unnest(%(names)s::text[]) AS name ORDER BY key
) AS ordered
"""

#: The moment at which the oldest of the attempts that count leaves the window.
_NTH = """
SELECT at FROM sign_in_attempt WHERE {column} = %(value)s AND at > %(since)s
 ORDER BY at DESC OFFSET %(limit)s - 1 LIMIT 1
"""

_ADD = """
INSERT INTO sign_in_attempt (account, network, at) VALUES (%(account)s, %(network)s, %(now)s)
RETURNING id
"""


class SignInAttemptStore(DatabaseStore):
    """Counts an attempt before it is looked at; one that succeeds is taken out again."""

    def begin(self, email: str, network: str, now: datetime) -> int | Wait:
        """Count an attempt and return its number; Wait, counting nothing, if there were too many.

        An account that does not exist is counted as any other.
        """
        account = secret_hash(email_key(email))
        values: dict[str, Any] = {"account": account, "network": network, "now": now}
        limits = (
            ("account", account, ATTEMPTS_OF_ACCOUNT),
            ("network", network, ATTEMPTS_OF_NETWORK),
        )
        with transaction(self._engine) as session:
            rows(session, _LOCK, {"names": [account.hex(), network]})
            for column, value, limit in limits:
                counted = {"value": value, "since": now - WINDOW, "limit": limit}
                if value and (oldest := scalar(session, _NTH.format(column=column), counted)):
                    return Wait(until=oldest + WINDOW)
            return scalar(session, _ADD, values)

    def succeeded(self, attempt: int) -> None:
        self._execute("DELETE FROM sign_in_attempt WHERE id = %(id)s", id=attempt)

    def clear(self, email: str) -> None:
        """Forget the failures of an account, whose owner has signed in."""
        account = secret_hash(email_key(email))
        self._execute("DELETE FROM sign_in_attempt WHERE account = %(account)s", account=account)

    def delete_old(self, now: datetime) -> int:
        return self._execute("DELETE FROM sign_in_attempt WHERE at <= %(at)s", at=now - WINDOW)
