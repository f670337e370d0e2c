"""What is asked of a database from outside, while its server may be away."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")


class Observer:
    """A read-only connection that reconnects after a restart of the server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None

    def ask(self, question: str) -> Any:
        """Return the first column of the first row; wait for a server that is away."""
        return retry(lambda: self._ask(question), psycopg.OperationalError)

    def is_answered(self) -> bool:
        """Return whether the server takes a new connection; an old one may outlive it."""
        self.close()
        try:
            return bool(self._ask("SELECT true"))
        except psycopg.OperationalError:
            return False

    def _ask(self, question: str) -> Any:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._url, autocommit=True)
        row = self._connection.execute(question).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None


def retry(act: Callable[[], T], *errors: type[Exception], seconds: float = 20) -> T:
    """Return the result; repeat for some time while one of these errors is raised."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return act()
        except errors:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
