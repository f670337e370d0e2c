"""The only module that reads the time, and makes ids and random numbers."""

import random
import secrets
import time
import uuid
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return datetime.now(UTC)


def new_id() -> str:
    """Return a random id, 32 hexadecimal digits."""
    return uuid.uuid4().hex


def new_ordered_id() -> str:
    """Return an id like it that sorts by the millisecond it was made in.

    Those that are stored one after another then stand side by side in their index, however many
    there are; random ones would each change another page of it.
    """
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def new_token() -> str:
    """Return a secret of 256 random bits, as it may stand in a link or a cookie."""
    return secrets.token_urlsafe(32)


def new_key() -> bytes:
    """Return 32 random bytes to sign with."""
    return secrets.token_bytes(32)


def roll() -> float:
    """Return a random number from 0 to 1."""
    return random.random()  # noqa: S311  # it spreads retries, no security
