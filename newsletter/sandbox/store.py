"""Store of what was accepted: SQLite in the data folder, so that memory stays flat.

A request is one row with its body compressed; a recipient is one short row. Neither custom
arguments nor events are kept apart: both follow from the body, and are worked out when asked for.
It is long because one place alone knows the file: a query and a few lines for each question.
"""

import hashlib
import json
import sqlite3
import threading
import time
import zlib
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from newsletter.sandbox.events import Event, SimulatedEvent

_SCHEMA = """
CREATE TABLE IF NOT EXISTS request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, also after a clearing
    message_id TEXT NOT NULL UNIQUE,
    accepted INTEGER NOT NULL,             -- seconds since the epoch
    recipients INTEGER NOT NULL,
    body BLOB NOT NULL,                    -- JSON, zlib
    posted INTEGER NOT NULL DEFAULT 0,     -- events posted, in the order of events_of()
    settled INTEGER NOT NULL               -- 1: none of its events is still to come
);
CREATE INDEX IF NOT EXISTS request_unsettled ON request (id) WHERE settled = 0;
CREATE TABLE IF NOT EXISTS recipient (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id INTEGER NOT NULL,
    place INTEGER NOT NULL,                -- its personalization, counted from 0
    email TEXT NOT NULL,                   -- lower case
    issue INTEGER NOT NULL                 -- digest of what must not come twice
);
CREATE INDEX IF NOT EXISTS recipient_email ON recipient (email, issue);
CREATE TABLE IF NOT EXISTS tally (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS suppression (
    list TEXT NOT NULL,
    email TEXT NOT NULL,
    created INTEGER NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (list, email)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""


@dataclass(frozen=True, kw_only=True)
class StoredRequest:
    """One accepted recipient."""

    id: int
    request_id: int
    place: int
    email: str  #: lower case


@dataclass(frozen=True, kw_only=True)
class PendingEvents:
    """A request with events still to come."""

    happening: SimulatedEvent
    posted: int


class Store:
    """The data folder's database; every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "sandbox.sqlite3"
        self._lock = threading.Lock()
        self._writer = self._connect()
        self._writer.execute("PRAGMA journal_mode = WAL")
        # What was written survives the end of this process, however it ends; only a power cut
        # could lose it, and a tool for trying things out need not pay for that.
        self._writer.execute("PRAGMA synchronous = OFF")
        self._writer.executescript(_SCHEMA)

    def accept(
        self,
        message_id: str,
        body: bytes,
        recipients: Iterable[tuple[int, str, int]],
        tallies: Mapping[str, int],
        *,
        eventful: bool,
    ) -> None:
        """Keep an accepted request and its (place, folded address, issue digest) triples.

        `eventful` tells whether events are still to come; the tallies are added to as by `count`.
        """
        rows = list(recipients)
        # The fastest level is enough: the long part of a body is the same thousand times over.
        packed = zlib.compress(body, 1)
        with self._writing() as db:
            request_id = db.execute(
                "INSERT INTO request (message_id, accepted, recipients, body, settled)"
                " VALUES (?, ?, ?, ?, ?)",
                (message_id, int(time.time()), len(rows), packed, not eventful),
            ).lastrowid
            db.executemany(
                "INSERT INTO recipient (request_id, place, email, issue) VALUES (?, ?, ?, ?)",
                ((request_id, *row) for row in rows),
            )
            _add(db, tallies)

    def count(self, tallies: Mapping[str, int]) -> None:
        """Add to the tallies of these names."""
        with self._writing() as db:
            _add(db, tallies)

    def add_batch(self, batch_id: str) -> None:
        """Remember a batch id."""
        with self._writing() as db:
            db.execute("INSERT INTO batch VALUES (?)", (batch_id,))

    def has_batch(self, batch_id: str) -> bool:
        """Tell whether the batch id was given out here."""
        return bool(self._read("SELECT 1 FROM batch WHERE id = ?", batch_id))

    def clear(self) -> None:
        """Forget everything but batch ids."""
        with self._writing() as db:
            for table in ("request", "recipient", "tally", "suppression"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608  # names from the line above

    def tallies(self) -> dict[str, int]:
        """Return all tallies by name."""
        return dict(self._read("SELECT name, number FROM tally"))

    def distinct_recipients(self) -> int:
        """Count the addresses something was accepted for."""
        return self._number("SELECT COUNT(DISTINCT email) FROM recipient")

    def repeated(self) -> int:
        """Count the pairs of address and issue that were accepted more than once."""
        return self._number(
            "SELECT COUNT(*) FROM"
            " (SELECT 1 FROM recipient GROUP BY email, issue HAVING COUNT(*) > 1)"
        )

    def awaiting_events(self) -> int:
        """Count the recipients of requests with events still to come."""
        return self._number("SELECT COALESCE(SUM(recipients), 0) FROM request WHERE settled = 0")

    def entries(
        self, *, to: str = "", search: str = "", limit: int = 50, offset: int = 0
    ) -> tuple[int, list[StoredRequest]]:
        """Return how many recipients there are, and a page of them, newest first.

        `to` is a whole address, `search` a part of one; case does not matter.
        """
        where, values = "1", ()
        if to:
            where, values = "email = ?", (to.lower(),)
        elif search:
            where, values = "instr(email, ?)", (search.lower(),)
        total = self._number(f"SELECT COUNT(*) FROM recipient WHERE {where}", *values)  # noqa: S608
        rows = self._read(
            f"SELECT id, request_id, place, email FROM recipient WHERE {where}"  # noqa: S608
            " ORDER BY id DESC LIMIT ? OFFSET ?",
            *values,
            limit,
            offset,
        )
        return total, [_entry(row) for row in rows]

    def logged(
        self, *, to: str, start: int, end: int, after: int, limit: int
    ) -> list[StoredRequest]:
        """Return a page of recipients accepted between two times inclusive, newest first.

        `to` is a whole address, or nothing for every one; the page begins below the id `after`.
        """
        rows = self._read(
            "SELECT recipient.id, request_id, place, email"
            " FROM recipient JOIN request ON request.id = request_id"
            " WHERE (? = '' OR email = ?) AND accepted BETWEEN ? AND ? AND recipient.id < ?"
            " ORDER BY recipient.id DESC LIMIT ?",
            to.lower(),
            to.lower(),
            start,
            end,
            after,
            limit,
        )
        return [_entry(row) for row in rows]

    def placed(self, request_id: int, place: int) -> StoredRequest | None:
        """Return the first recipient of a personalization."""
        rows = self._read(
            "SELECT id, request_id, place, email FROM recipient"
            " WHERE request_id = ? AND place = ? ORDER BY id LIMIT 1",
            request_id,
            place,
        )
        return _entry(rows[0]) if rows else None

    def entry(self, number: int) -> StoredRequest | None:
        """Return one recipient."""
        rows = self._read("SELECT id, request_id, place, email FROM recipient WHERE id = ?", number)
        return _entry(rows[0]) if rows else None

    def happening(self, request_id: int) -> SimulatedEvent | None:
        """Return one accepted request."""
        rows = self._read(
            "SELECT id, message_id, accepted, body FROM request WHERE id = ?", request_id
        )
        return _happening(rows[0]) if rows else None

    def is_unsettled(self, request_id: int) -> bool:
        """Tell whether events of a request are still to come; not when it was cleared away."""
        return bool(self._read("SELECT 1 FROM request WHERE id = ? AND settled = 0", request_id))

    def next_unsettled(self) -> PendingEvents | None:
        """Return the oldest request with events still to come."""
        rows = self._read(
            "SELECT id, message_id, accepted, body, posted FROM request"
            " WHERE settled = 0 ORDER BY id LIMIT 1"
        )
        return PendingEvents(happening=_happening(rows[0]), posted=rows[0][4]) if rows else None

    def advance(self, request_id: int, posted: int, *, settled: bool) -> None:
        """Record how many events of a request have been posted, and whether these are all."""
        with self._writing() as db:
            db.execute(
                "UPDATE request SET posted = ?, settled = ? WHERE id = ?",
                (posted, settled, request_id),
            )

    def suppress(self, events: Iterable[tuple[str, Event]]) -> None:
        """Put the addresses of these events on the named suppression lists."""
        rows = [
            (name, e["email"], e["timestamp"], e.get("reason", ""), e.get("status", ""))
            for name, e in events
        ]
        with self._writing() as db:
            db.executemany("INSERT OR IGNORE INTO suppression VALUES (?, ?, ?, ?, ?)", rows)

    def suppressions(
        self, name: str, *, start: int, end: int, limit: int, offset: int
    ) -> list[tuple[int, str, str, str]]:
        """Return (created, email, reason, status) of one list, between two times inclusive."""
        return self._read(
            "SELECT created, email, reason, status FROM suppression"
            " WHERE list = ? AND created BETWEEN ? AND ?"
            " ORDER BY created DESC, email LIMIT ? OFFSET ?",
            name,
            start,
            end,
            limit,
            offset,
        )

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._path, timeout=30, isolation_level=None, check_same_thread=False
        )

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def _read(self, query: str, *values: Any) -> list[Any]:
        # A connection of its own: a slow question must not hold up the requests coming in.
        with closing(self._connect()) as db:
            return db.execute(query, values).fetchall()

    def _number(self, query: str, *values: Any) -> int:
        return self._read(query, *values)[0][0]


def _add(db: sqlite3.Connection, tallies: Mapping[str, int]) -> None:
    db.executemany(
        "INSERT INTO tally VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET number = number + excluded.number",
        tallies.items(),
    )


@lru_cache(maxsize=1024)
def issue_digest(name: str) -> int:
    """Return a signed 64-bit digest of what must not come twice to one address."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _entry(row: tuple[int, int, int, str]) -> StoredRequest:
    return StoredRequest(id=row[0], request_id=row[1], place=row[2], email=row[3])


def _happening(row: tuple[Any, ...]) -> SimulatedEvent:
    message = json.loads(zlib.decompress(row[3]))
    return SimulatedEvent(request_id=row[0], message_id=row[1], accepted=row[2], message=message)
