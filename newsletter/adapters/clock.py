"""The only place that knows what time it is, and where ids and chance come from."""

import random
import uuid
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return datetime.now(UTC)


def new_id() -> str:
    """Return an id nobody can guess, 32 hexadecimal digits."""
    return uuid.uuid4().hex


def roll() -> float:
    """Return a number from 0 to 1 by chance."""
    return random.random()  # noqa: S311  # it spreads retries, it guards nothing
