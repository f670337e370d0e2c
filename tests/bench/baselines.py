"""Baselines: what the same work costs without our code."""

import csv
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg import sql
from python_http_client import client as vendor
from sendgrid import SendGridAPIClient

from newsletter.adapters.sendgrid import opener as one_opener
from newsletter.adapters.sendgrid.payload import mail_send
from newsletter.container import Container
from newsletter.core.delivery import Claim, Recipient
from newsletter.core.edition import Letter, whole_edition
from newsletter.core.mailing import Envelope, envelope_of
from newsletter.core.stored import StoredIssue
from tests.bench.installation import SLUG, Installation
from tests.bench.measure import family_cpu, stopwatch
from tests.bench.sink import Sink

_BLOCK = 1 << 20
_TICK = 0.01  #: seconds, by which systems count what a process worked
_FLOORS = 3  #: runs of the insert of ready rows, of which the median counts


@dataclass(frozen=True)
class Posted:
    """What the bare client took to post."""

    requests: int
    recipients: int
    seconds: float
    cpu: float  #: seconds
    machine: float  #: seconds of every process of this machine


def claim_of(size: int) -> Claim:
    """Return a batch of made-up recipients."""
    return Claim(
        installation_id="0123456789abcdef",
        attempt_id="f1c0e4a2b6d84c0f9a3e5b7d1c2f4a68",
        attempt=1,
        batch_id=1,
        issue_id=1,
        brief_ids=(1,),
        recipients=tuple(
            Recipient(
                place=number,
                email=f"reader-{number:07}@example.com",
                subscription_id=number,
                link_key=b"0123456789abcdef",
            )
            for number in range(1, size + 1)
        ),
    )


def whole_letter(container: Container, stored: StoredIssue) -> tuple[Envelope, Letter]:
    """Return the letter that prints every brief, and its envelope."""
    envelope = envelope_of(container.settings.newsletter(SLUG), container.settings.public_url)
    return envelope, container.publishing.letter(stored, whole_edition(stored.issue))


def post(
    sink: Sink, envelope: Envelope, letter: Letter, *, size: int, readers: int, bare: bool = True
) -> Posted:
    """Post ready bodies of `size` recipients with the vendor's client.

    Bare, it reads the trusted authorities for each request; else it has one opener, as ours.
    """
    body: dict[str, Any] = mail_send(envelope, letter, claim_of(size))
    client: Any = SendGridAPIClient("SG.bench", host=sink.url).client
    requests = max(1, round(readers / size))
    sink.counts()
    urllib_of = urllib.request if bare else one_opener.Urllib
    with stopwatch() as posting, patch.object(vendor, "urllib", urllib_of):
        for _ in range(requests):
            assert client.mail.send.post(request_body=body).status_code == 202
    assert sink.counts().recipients == requests * size
    return Posted(requests, requests * size, posting.seconds, posting.cpu, machine=posting.machine)


def copy_list(installation: Installation, path: Path) -> float:
    """COPY a list into a bare table of texts; return seconds."""
    with path.open(newline="", encoding="utf-8") as file:
        columns = sql.SQL(", ").join(
            sql.SQL("{} text").format(sql.Identifier(name)) for name in next(csv.reader(file))
        )
    with psycopg.connect(installation.server) as connection:
        connection.execute(sql.SQL("CREATE TABLE list ({})").format(columns))
        connection.commit()
        with stopwatch() as copying:
            statement = "COPY list FROM STDIN (FORMAT csv, HEADER)"
            with (
                path.open("rb") as file,
                connection.cursor() as cursor,
                cursor.copy(statement) as copy,
            ):
                while block := file.read(_BLOCK):
                    copy.write(block)
            connection.commit()
        connection.execute("DROP TABLE list")
    return copying.seconds


def copy_events(installation: Installation, posts: Iterable[list[tuple[str, str]]]) -> float:
    """COPY posts of (id, JSON) into a bare table with a key, a transaction each; return seconds."""
    seconds = 0.0
    with (
        installation.copied("events", "template1"),
        psycopg.connect(installation.url("events")) as connection,
    ):
        connection.execute("CREATE TABLE event (id text PRIMARY KEY, raw jsonb)")
        connection.commit()
        for rows in posts:
            with stopwatch() as copying:
                _copy(connection, rows)
                connection.commit()
            seconds += copying.seconds
    return seconds


def _copy(connection: psycopg.Connection[Any], rows: list[tuple[str, str]]) -> None:
    text = BytesIO()
    for event_id, raw in rows:
        text.write(f"{event_id}\t{raw}\n".encode())
    with connection.cursor() as cursor, cursor.copy("COPY event FROM STDIN") as copy:
        copy.write(text.getvalue())


@dataclass(frozen=True)
class Inserted:
    """What it took to insert ready rows."""

    seconds: float
    cpu: float  #: seconds of the server


def insert_ready(installation: Installation, imported: str) -> Inserted:
    """Insert what an import made, ready and sorted, into the same two tables.

    The least that any import can take that stores its rows by itself, checks and indexes included.
    """
    installation.create("floor", imported)
    with psycopg.connect(installation.url("floor"), autocommit=True) as connection:
        for table in ("subscriber", "subscription"):
            connection.execute(
                f"CREATE UNLOGGED TABLE ready_{table} AS SELECT * FROM {table} ORDER BY id"
            )
        runs = [_insert_ready(installation, connection) for _ in range(_FLOORS)]
    installation.drop("floor")
    return Inserted(median(one.seconds for one in runs), median(one.cpu for one in runs))


def _insert_ready(installation: Installation, connection: psycopg.Connection[Any]) -> Inserted:
    server = installation.server_process()
    connection.execute("TRUNCATE subscriber, subscription")
    connection.execute("CHECKPOINT")
    before = family_cpu(server)
    with stopwatch() as inserting, connection.transaction():
        connection.execute("INSERT INTO subscriber SELECT * FROM ready_subscriber")
        connection.execute("INSERT INTO subscription SELECT * FROM ready_subscription")
    return Inserted(inserting.seconds, max(_TICK, family_cpu(server) - before))
