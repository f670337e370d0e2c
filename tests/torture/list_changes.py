"""Imports, saved preference pages and unsubscribes in mid-send, all on the same subscribers."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import psycopg

from subscribers.model import Purpose
from subscribers.tokens import make_token
from tests.torture.disturbances import Disturbance, rng_of
from tests.torture.installation import TOPICS, Installation
from tests.torture.processes import start

_READERS = "SELECT email, subscription_id, link_key FROM audience ORDER BY email"
_SKIPPED = """
    SELECT email FROM delivery JOIN audience USING (subscription_id) WHERE skipped IS NOT NULL
"""
_STARTED = "SELECT id, started_at FROM attempt"
_IMPORTED = 5_000  #: rows of a list
_NEW = 100  #: of these


class ListChanges(Disturbance):
    """Imports the list again and again, saves preferences, and unsubscribes."""

    def __init__(self, installation: Installation, url: str) -> None:
        self._installation, self._url = installation, url
        self._rng, self._lock = rng_of(url), threading.Lock()
        self.done = Counter()
        with psycopg.connect(url) as connection:
            self._readers = connection.execute(_READERS).fetchall()
        self._stay = self._readers.copy()
        self._rng.shuffle(self._stay)
        self._asked: set[str] = set()  #: who asked to leave
        self._answered: dict[str, datetime] = {}  #: when they were told that they had left
        self._failed = 0

    def acts(self) -> Sequence[Callable[[], None]]:
        return [self._import, self._save, self._save, self._unsubscribe, self._unsubscribe]

    def after_unsubscribe(self) -> int:
        with psycopg.connect(self._url) as connection:
            started = dict(connection.execute(_STARTED).fetchall())
        return sum(
            started[letter["custom_args"]["nl_attempt"]] > answered
            for email, answered in self._answered.items()
            for letter in self._installation.sandbox.messages(email)
        )

    def wrongs(self) -> Iterator[str]:
        if self._failed:
            yield f"{self._failed} imports failed"
        with psycopg.connect(self._url) as connection:
            skipped = {email for (email,) in connection.execute(_SKIPPED)}
        if left_out := skipped - self._asked:
            yield f"{len(left_out)} readers were left out, and had not asked to leave"

    def _import(self) -> None:
        self.done["imports"] += 1
        path = self._installation.folder / f"again-{self.done['imports']}.csv"
        emails = [email for email, _, _ in self._rng.sample(self._readers, _few(self._readers))]
        emails += [f"n{self.done['imports']}-{number}@example.com" for number in range(_NEW)]
        lines = [f"{email},{self._rng.choice(TOPICS)}" for email in emails]
        path.write_text("\n".join(["email,topics", *lines]))
        line = ("subscribers", "import", str(path), "--consent", "torture")
        process = start(line, self._installation.environ(self._url), self._installation.log)
        process.join()
        self._failed += process.exitcode != 0

    def _save(self) -> None:
        with self._lock:
            reader = self._rng.choice(self._readers)
            topics = self._rng.sample(TOPICS, self._rng.randint(1, len(TOPICS)))
        form = urlencode([*(("topic", topic) for topic in topics), ("frequency", "daily")])
        if self._post(Purpose.PREFERENCES, reader, form):
            self.done["saved pages"] += 1

    def _unsubscribe(self) -> None:
        with self._lock:
            reader = self._stay.pop()
            self._asked.add(reader[0])
        if self._post(Purpose.UNSUBSCRIBE, reader, "List-Unsubscribe=One-Click"):
            self._answered[reader[0]] = datetime.now(UTC)
            self.done["unsubscribes"] += 1

    def _post(self, purpose: Purpose, reader: tuple[str, int, bytes], form: str) -> bool:
        """Return whether it was answered that this is done."""
        where = urlsplit(self._installation.settings.public_url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        folder = "u" if purpose is Purpose.UNSUBSCRIBE else "p"
        path = f"/{folder}/{make_token(purpose, reader[1], bytes(reader[2]))}"
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request("POST", path, form, kind)
            return connection.getresponse().status < 300  # RFC 9110 15.3
        except (OSError, http.client.HTTPException):
            return False  # it was killed
        finally:
            connection.close()
            time.sleep(0.02)


def _few(readers: Sequence[object]) -> int:
    return min(_IMPORTED, len(readers) // 2)
