"""Store of accepted requests: SQLite in the data folder, so that memory stays flat.

A request is one row with its body compressed; a recipient is one short row. Custom arguments and
events are not stored: both are computed from the body. The module is long because it holds every
statement on that file.
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

from newsletter.sandbox.events import AcceptedRequest, Event

_SCHEMA = """
CREATE TABLE IF NOT EXISTS request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, also after a clearing
    message_id TEXT NOT NULL UNIQUE,
    accepted INTEGER NOT NULL,             -- seconds since the epoch
    recipients INTEGER NOT NULL,
    body BLOB NOT NULL,                    -- JSON, zlib
    posted INTEGER NOT NULL DEFAULT 0,     -- events posted, in the order of events_of()
    done INTEGER NOT NULL                  -- 1: all its events have been posted
);
CREATE INDEX IF NOT EXISTS request_pending ON request (id) WHERE done = 0;
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


@dataclass(frozen=True)
class StoredRecipient:
    """One accepted recipient."""

    id: int
    request_id: int
    place: int
    email: str  #: lower case


@dataclass(frozen=True, kw_only=True)
class PendingEvents:
    """A request with events still to be posted."""

    request: AcceptedRequest
    posted: int


class Store:
    """Stores accepted requests and counts; every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "requests.sqlite3"
        self._lock = threading.Lock()
        self._writer = self._connect()
        self._writer.execute("PRAGMA journal_mode = WAL")
        # What was written survives the end of this process, however it ends; a power cut could
        # lose it, which does not matter here.
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
        """Store an accepted request, its (place, folded address, issue digest) triples, counts.

        `eventful`: events are still to be posted.
        """
        rows = list(recipients)
        # The fastest level is enough: most of a body is repeated a thousand times.
        packed = zlib.compress(body, 1)
        with self._writing() as db:
            request_id = db.execute(
                "INSERT INTO request (message_id, accepted, recipients, body, done)"
                " VALUES (?, ?, ?, ?, ?)",
                (message_id, int(time.time()), len(rows), packed, not eventful),
            ).lastrowid
            db.executemany(
                "INSERT INTO recipient (request_id, place, email, issue) VALUES (?, ?, ?, ?)",
                ((request_id, *row) for row in rows),
            )
            _add(db, tallies)

    def count(self, tallies: Mapping[str, int]) -> None:
        """Add to the counts of these names."""
        with self._writing() as db:
            _add(db, tallies)

    def add_batch(self, batch_id: str) -> None:
        """Store a batch id."""
        with self._writing() as db:
            db.execute("INSERT INTO batch VALUES (?)", (batch_id,))

    def has_batch(self, batch_id: str) -> bool:
        """Return whether the batch id was issued here."""
        return bool(self._read("SELECT 1 FROM batch WHERE id = ?", batch_id))

    def clear(self) -> None:
        """Delete everything but batch ids."""
        with self._writing() as db:
            for table in ("request", "recipient", "tally", "suppression"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608  # names from the line above

    def tallies(self) -> dict[str, int]:
        """Return all counts by name."""
        return dict(self._read("SELECT name, number FROM tally"))

    def distinct_recipients(self) -> int:
        """Count the different addresses."""
        return self._number("SELECT COUNT(DISTINCT email) FROM recipient")

    def repeated(self) -> int:
        """Count the pairs of address and issue that were accepted more than once."""
        return self._number(
            "SELECT COUNT(*) FROM"
            " (SELECT 1 FROM recipient GROUP BY email, issue HAVING COUNT(*) > 1)"
        )

    def awaiting_events(self) -> int:
        """Count the recipients of requests with events still to be posted."""
        return self._number("SELECT COALESCE(SUM(recipients), 0) FROM request WHERE done = 0")

    def recipients(
        self, *, to: str = "", search: str = "", limit: int = 50, offset: int = 0
    ) -> tuple[int, list[StoredRecipient]]:
        """Return how many recipients there are, and a page of them, newest first.

        `to` is a whole address, `search` a part of one; case does not matter.
        """
        where, values = "1", ()
        if to:
            where, values = "email = ?", (to.lower(),)
        elif search:
            where, values = "instr(email, ?)", (search.lower(),)
        total = self._number(f"SELECT COUNT(*) FROM recipient WHERE {where}", *values)  # noqa: S608  # from above
        page = f"{where} ORDER BY recipient.id DESC LIMIT ? OFFSET ?"
        return total, self._recipients(page, *values, limit, offset)

    def logged(
        self, *, to: str, start: int, end: int, after: int, limit: int
    ) -> list[StoredRecipient]:
        """Return a page of recipients accepted between two times inclusive, newest first.

        `to` is a whole address, or nothing for every one; the page begins below the id `after`.
        """
        return self._recipients(
            "(? = '' OR email = ?) AND accepted BETWEEN ? AND ? AND recipient.id < ?"
            " ORDER BY recipient.id DESC LIMIT ?",
            *(to.lower(), to.lower(), start, end, after, limit),
        )

    def placed(self, request_id: int, place: int) -> StoredRecipient | None:
        """Return the first recipient of a personalization."""
        where = "request_id = ? AND place = ? ORDER BY recipient.id LIMIT 1"
        return next(iter(self._recipients(where, request_id, place)), None)

    def recipient(self, number: int) -> StoredRecipient | None:
        """Return one recipient."""
        return next(iter(self._recipients("recipient.id = ?", number)), None)

    def request(self, request_id: int) -> AcceptedRequest | None:
        """Return one accepted request."""
        rows = self._read(
            "SELECT id, message_id, accepted, body FROM request WHERE id = ?", request_id
        )
        return _request(rows[0]) if rows else None

    def has_pending_events(self, request_id: int) -> bool:
        """Return whether events of a request are still to be posted; False if it was deleted."""
        return bool(self._read("SELECT 1 FROM request WHERE id = ? AND done = 0", request_id))

    def next_pending(self) -> PendingEvents | None:
        """Return the oldest request with events still to be posted."""
        rows = self._read(
            "SELECT id, message_id, accepted, body, posted FROM request"
            " WHERE done = 0 ORDER BY id LIMIT 1"
        )
        return PendingEvents(request=_request(rows[0]), posted=rows[0][4]) if rows else None

    def advance(self, request_id: int, posted: int, *, done: bool) -> None:
        """Record how many events of a request have been posted, and whether these are all."""
        with self._writing() as db:
            db.execute(
                "UPDATE request SET posted = ?, done = ? WHERE id = ?",
                (posted, done, request_id),
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
        # A connection of its own: a slow query must not block incoming requests.
        with closing(self._connect()) as db:
            return db.execute(query, values).fetchall()

    def _recipients(self, where: str, *values: Any) -> list[StoredRecipient]:
        rows = self._read(
            "SELECT recipient.id, request_id, place, email FROM recipient"  # noqa: S608  # our own
            f" JOIN request ON request.id = request_id WHERE {where}",
            *values,
        )
        return [StoredRecipient(*row) for row in rows]

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


def _request(row: tuple[Any, ...]) -> AcceptedRequest:
    message = json.loads(zlib.decompress(row[3]))
    return AcceptedRequest(request_id=row[0], message_id=row[1], accepted=row[2], message=message)
