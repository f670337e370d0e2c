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
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
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
_TALLY = (
    "INSERT INTO tally VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET number = number + excluded.number"
)


@dataclass(frozen=True)
class StoredRecipient:
    """One accepted recipient."""

    id: int
    request_id: int
    place: int
    email: str  #: lower case


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
        recipients: Sequence[tuple[int, str, int]],
        tallies: Mapping[str, int],
        *,
        eventful: bool,  #: events are still to be posted
    ) -> None:
        """Store an accepted request, its (place, folded address, issue digest) triples, counts."""
        # The fastest level is enough: most of a body is repeated a thousand times.
        packed = zlib.compress(body, 1)
        with self._lock, self._writer as db:
            request_id = db.execute(
                "INSERT INTO request (message_id, accepted, recipients, body, done)"
                " VALUES (?, ?, ?, ?, ?)",
                (message_id, int(time.time()), len(recipients), packed, not eventful),
            ).lastrowid
            db.executemany(
                "INSERT INTO recipient (request_id, place, email, issue) VALUES (?, ?, ?, ?)",
                ((request_id, *row) for row in recipients),
            )
            db.executemany(_TALLY, tallies.items())

    def count(self, tallies: Mapping[str, int]) -> None:
        with self._lock, self._writer as db:
            db.executemany(_TALLY, tallies.items())

    def add_batch(self, batch_id: str) -> None:
        with self._lock, self._writer as db:
            db.execute("INSERT INTO batch VALUES (?)", (batch_id,))

    def has_batch(self, batch_id: str) -> bool:
        return bool(self._read("SELECT 1 FROM batch WHERE id = ?", batch_id))

    def clear(self) -> None:
        """Delete everything but batch ids."""
        with self._lock, self._writer as db:
            for table in ("request", "recipient", "tally", "suppression"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608  # names from the line above

    def tallies(self) -> dict[str, int]:
        return {row["name"]: row["number"] for row in self._read("SELECT * FROM tally")}

    def distinct_recipients(self) -> int:
        return self._number("SELECT COUNT(DISTINCT email) FROM recipient")

    def repeated(self) -> int:
        """Count the pairs of address and issue that were accepted more than once."""
        pairs = "SELECT 1 FROM recipient GROUP BY email, issue HAVING COUNT(*) > 1"
        return self._number(f"SELECT COUNT(*) FROM ({pairs})")  # noqa: S608  # from above

    def awaiting_events(self) -> int:
        """Count the recipients of requests with events still to be posted."""
        return self._number("SELECT COALESCE(SUM(recipients), 0) FROM request WHERE done = 0")

    def recipients(
        self, *, to: str = "", search: str = "", limit: int = 50, offset: int = 0
    ) -> tuple[int, list[StoredRecipient]]:
        """Return how many recipients there are, and a page of them, newest first.

        `to` is a whole address, `search` a part of one; case does not matter.
        """
        where, value = ("email = ?", to) if to else ("instr(email, ?)", search)
        total = self._number(f"SELECT COUNT(*) FROM recipient WHERE {where}", value.lower())  # noqa: S608  # from above
        page = f"{where} ORDER BY recipient.id DESC LIMIT ? OFFSET ?"
        return total, self._recipients(page, value.lower(), limit, offset)

    def logged(
        self, to: str, start: int, end: int, after: int, limit: int
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
        return next(iter(self._recipients("recipient.id = ?", number)), None)

    def request(self, request_id: int) -> AcceptedRequest | None:
        return self._request("id = ?", request_id)

    def has_pending_events(self, request_id: int) -> bool:
        """Return whether events of a request are still to be posted; False if it was deleted."""
        return bool(self._read("SELECT 1 FROM request WHERE id = ? AND done = 0", request_id))

    def next_pending(self) -> AcceptedRequest | None:
        """Return the oldest request with events still to be posted."""
        return self._request("done = 0 ORDER BY id LIMIT 1")

    def advance(self, request_id: int, posted: int, *, done: bool) -> None:
        """Record how many events of a request have been posted, and whether these are all."""
        with self._lock, self._writer as db:
            values = (posted, done, request_id)
            db.execute("UPDATE request SET posted = ?, done = ? WHERE id = ?", values)

    def suppress(self, events: Iterable[tuple[str, Event]]) -> None:
        """Put the addresses of these events on the named suppression lists."""
        rows = [
            (name, e["email"], e["timestamp"], e.get("reason", ""), e.get("status", ""))
            for name, e in events
        ]
        with self._lock, self._writer as db:
            db.executemany("INSERT OR IGNORE INTO suppression VALUES (?, ?, ?, ?, ?)", rows)

    def suppressions(
        self, name: str, start: int, end: int, limit: int, offset: int
    ) -> list[sqlite3.Row]:
        """Return the rows of one list that were made between two times inclusive."""
        return self._read(
            "SELECT * FROM suppression WHERE list = ? AND created BETWEEN ? AND ?"
            " ORDER BY created DESC, email LIMIT ? OFFSET ?",
            *(name, start, end, limit, offset),
        )

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path, timeout=30, isolation_level="IMMEDIATE", check_same_thread=False
        )
        db.row_factory = sqlite3.Row
        return db

    def _read(self, query: str, *values: Any) -> list[sqlite3.Row]:
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

    def _request(self, where: str, *values: Any) -> AcceptedRequest | None:
        for row in self._read(f"SELECT * FROM request WHERE {where}", *values):  # noqa: S608  # our own
            return AcceptedRequest(
                request_id=row["id"],
                message_id=row["message_id"],
                accepted=row["accepted"],
                message=json.loads(zlib.decompress(row["body"])),
                posted=row["posted"],
                done=bool(row["done"]),
            )
        return None

    def _number(self, query: str, *values: Any) -> int:
        return self._read(query, *values)[0][0]


@lru_cache(maxsize=1024)
def issue_digest(name: str) -> int:
    """Return a signed 64-bit digest of what must not come twice to one address."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
