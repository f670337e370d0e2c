"""Event intake: signed posts of 1,000 events, by the service itself and over HTTP."""

import hashlib
import http.client
import json
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import Any

from sqlalchemy import Engine, text

from newsletter.container import Container
from tests.bench.baselines import copy_events
from tests.bench.installation import Installation
from tests.bench.measure import stopwatch
from tests.ports import free_port
from tests.signing import body_of

_PER_POST = 1000
_OPENS = 3  #: letters, of which one is opened in posts with opens
_BETWEEN_POSTS = 0.5  #: seconds; a large list has some 2,000 events a second
_MOMENT = 1_795_000_000  #: UNIX seconds; any will do

_DELIVERIES = """
    SELECT delivery.issue_id, delivery.place, attempt.id AS attempt,
           (SELECT id FROM installation) AS installation_id
      FROM batch JOIN attempt ON attempt.batch_id = batch.id
      JOIN delivery ON delivery.issue_id = batch.issue_id
                   AND delivery.place BETWEEN batch.first_place AND batch.last_place
     ORDER BY 1, 2 OFFSET :first LIMIT :count
"""


@dataclass(frozen=True)
class IntakeTimes:
    """Events, and the seconds that each road took for all of them."""

    events: int
    service_seconds: float
    http_seconds: float
    copy_seconds: float
    opens: int  #: each the first of its letter, which costs most
    opens_seconds: float


def measure_intake(installation: Installation, database: str, *, events: int) -> IntakeTimes:
    """Post "delivered" by the service, and over HTTP what comes first; each event once.

    That is "processed" for two readers of three, and a first "open", which costs most, for one.
    The others' first opens follow, by the service, and nothing else with them.
    """
    with installation.container(database) as container:
        delivered = _posts(container.engine, "delivered", events)
        first = _posts(container.engine, "processed", events, opens=_OPENS)
        opens = _first_opens(container.engine, events)
        service = _by_service(installation, container, delivered)
        web = _over_http(installation, database, first)
        opened = _by_service(installation, container, opens)
        _check(container.engine, sum(map(len, delivered + first + opens)))
    baseline = copy_events(
        installation, [[(e["sg_event_id"], json.dumps(e)) for e in p] for p in delivered]
    )
    count = sum(map(len, delivered))
    return IntakeTimes(count, service, web, baseline, sum(map(len, opens)), opened)


def _posts(
    engine: Engine, word: str, count: int, *, opens: int = 0, first: int = 0
) -> list[list[dict[str, Any]]]:
    """Return posts of one event a letter: this word, or for one letter of so many an "open"."""
    with engine.begin() as connection:
        rows = connection.execute(text(_DELIVERIES), {"count": count, "first": first}).all()
    made = [
        _event("open" if opens and place % opens == 0 else word, *row)
        for place, row in enumerate(rows)
    ]
    return _cut(made)


def _first_opens(engine: Engine, count: int) -> list[list[dict[str, Any]]]:
    """Return an "open" of each letter that has none among the posts with opens."""
    with engine.begin() as connection:
        rows = connection.execute(text(_DELIVERIES), {"count": count, "first": 0}).all()
    return _cut([_event("open", *row) for place, row in enumerate(rows) if place % _OPENS])


def _cut(events: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [events[at : at + _PER_POST] for at in range(0, len(events), _PER_POST)]


def _event(
    word: str, issue_id: int, number: int, attempt_id: str, installation_id: str
) -> dict[str, Any]:
    return {
        "email": f"reader-{number:07}@example.com",
        "timestamp": _MOMENT,
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "event": word,
        "sg_event_id": _event_id(word, number),
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "response": "250 2.0.0 OK",
        "nl_delivery": str(number),
        "nl_attempt": attempt_id,
        "nl_issue": str(issue_id),
        "nl_installation": installation_id,
    }


def _event_id(word: str, number: int) -> str:
    """Return an id in no order, as SendGrid's are: ids in order would hide how an index grows."""
    return hashlib.blake2b(f"{word} {number}".encode(), digest_size=16).hexdigest()


def _by_service(
    installation: Installation, container: Container, posts: list[list[dict[str, Any]]]
) -> float:
    signed = [_signed(installation, post) for post in posts]
    container.event_intake  # noqa: B018  # wired before the stopwatch starts
    with stopwatch() as receiving:
        for body, headers in signed:
            container.event_intake.receive(body, headers)
    assert container.event_intake.receive(*signed[0]).repeated == len(posts[0]), (
        "an event was stored twice"
    )
    return receiving.seconds


def _over_http(
    installation: Installation, database: str, posts: list[list[dict[str, Any]]]
) -> float:
    signed = [_signed(installation, post) for post in posts]
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.web", str(port)]
    with subprocess.Popen(command, env=installation.environ(database)) as process:
        try:
            await_web(port)
            with (
                closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as client,
                stopwatch() as receiving,
            ):
                for body, headers in signed:
                    _post(client, body, headers)
        finally:
            process.terminate()
    return receiving.seconds


def post_events(installation: Installation, engine: Engine, port: int, stop: Event) -> None:
    """Post what became of letters as they leave, until it is to stop."""
    posted = 0
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        while not stop.is_set():
            for post in _posts(engine, "delivered", _PER_POST, opens=_OPENS, first=posted):
                _post(client, *_signed(installation, post))
                posted += len(post)
            stop.wait(_BETWEEN_POSTS)


def _signed(installation: Installation, post: list[dict[str, Any]]) -> tuple[bytes, dict[str, str]]:
    body = body_of(*post)
    return body, installation.seal.headers(body)


def _post(client: http.client.HTTPConnection, body: bytes, headers: dict[str, str]) -> None:
    client.request("POST", "/webhooks/sendgrid", body, headers)
    answer = client.getresponse()
    answer.read()
    assert answer.status == 204, answer.status


def await_web(port: int) -> None:
    """Wait until the web application answers."""
    for _ in range(300):
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as client:
                client.request("GET", "/healthz")
                if client.getresponse().status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the web application does not answer")


def _check(engine: Engine, wanted: int) -> None:
    with engine.begin() as connection:
        found = connection.execute(text("SELECT count(*) FROM delivery_event")).scalar_one()
    assert found == wanted, f"{found} events stored of {wanted}"
