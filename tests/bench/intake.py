"""Event intake: signed posts of 1,000 events, by the service itself and over HTTP."""

import http.client
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

from sqlalchemy import Engine, Row, text

from newsletter.container import Container
from tests.bench.baselines import copy_events
from tests.bench.installation import Installation
from tests.bench.measure import stopwatch
from tests.ports import free_port
from tests.signing import body_of

Post = list[dict[str, Any]]  #: the events of one request

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
     WHERE batch.issue_id = (SELECT max(issue_id) FROM batch) AND batch.last_place > :after
       AND delivery.place > :after
     ORDER BY delivery.place LIMIT :count
"""


@dataclass(frozen=True)
class IntakeTimes:
    """Events, and the seconds that each road took for all of them."""

    events: int
    service_seconds: float
    http_seconds: float
    copy_seconds: float
    opens: int  #: first opens with nothing else, by the service
    opens_seconds: float


def measure_intake(installation: Installation, database: str, *, events: int) -> IntakeTimes:
    """Post "delivered" by the service, and over HTTP what comes first; each event once.

    That is "processed" for two readers of three, and a first "open", which costs most, for one.
    The others' first opens follow, by the service, and nothing else with them.
    """
    with installation.container(database) as container:
        posts = partial(posts_of, container.engine, count=events)
        posted, service = by_service(installation, container, posts("delivered"))
        over_http, web = _over_http(installation, database, posts("processed", opens=_OPENS))
        opens, opened = by_service(installation, container, _first_opens(container.engine, events))
        _check(container.engine, posted + over_http + opens)
        baseline = copy_events(
            installation,
            ([(e["sg_event_id"], json.dumps(e)) for e in post] for post in posts("delivered")),
        )
    return IntakeTimes(posted, service, web, baseline, opens, opened)


def posts_of(
    engine: Engine, word: str, *, count: int, opens: int = 0, after: int = 0
) -> Iterator[Post]:
    """Yield posts of one event a letter of the last issue: this word, or for some an "open"."""
    while count > 0 and (rows := _letters(engine, after, min(count, _PER_POST))):
        yield [
            _event("open" if opens and place % opens == 0 else word, *row)
            for place, row in enumerate(rows)
        ]
        after, count = rows[-1].place, count - len(rows)


def _letters(engine: Engine, after: int, count: int) -> Sequence[Row[Any]]:
    with engine.begin() as connection:
        return connection.execute(text(_DELIVERIES), {"count": count, "after": after}).all()


def _first_opens(engine: Engine, count: int) -> Iterator[Post]:
    """Yield an "open" of each letter that has none among the posts with opens."""
    for post in posts_of(engine, "open", count=count):
        yield [event for place, event in enumerate(post) if place % _OPENS]


def _event(
    word: str, issue_id: int, place: int, attempt_id: str, installation_id: str
) -> dict[str, Any]:
    return {
        "email": f"reader-{place:07}@example.com",
        "timestamp": _MOMENT,
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "event": word,
        "sg_event_id": secrets.token_urlsafe(33),  # ids that sort together would cost less
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "response": "250 2.0.0 OK",
        "nl_delivery": str(place),
        "nl_attempt": attempt_id,
        "nl_issue": str(issue_id),
        "nl_installation": installation_id,
    }


def by_service(
    installation: Installation, container: Container, posts: Iterable[Post]
) -> tuple[int, float]:
    """Let the service receive posts; return how many events they had, and the seconds."""
    container.event_intake  # noqa: B018  # wired before the stopwatch starts
    events, seconds = 0, 0.0
    for post in posts:
        body, headers = _signed(installation, post)
        with stopwatch() as receiving:
            container.event_intake.receive(body, headers)
        events, seconds = events + len(post), seconds + receiving.seconds
    again = container.event_intake.receive(body, headers)
    assert again.repeated == len(post), "an event was stored twice"
    return events, seconds


def _over_http(
    installation: Installation, database: str, posts: Iterable[Post]
) -> tuple[int, float]:
    port, events, seconds = free_port(), 0, 0.0
    command = [sys.executable, "-m", "tests.bench.web", str(port)]
    with subprocess.Popen(command, env=installation.environ(database)) as process:
        try:
            await_web(port)
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as client:
                for post in posts:
                    body, headers = _signed(installation, post)
                    with stopwatch() as receiving:
                        _post(client, body, headers)
                    events, seconds = events + len(post), seconds + receiving.seconds
        finally:
            process.terminate()
    return events, seconds


def post_events(installation: Installation, engine: Engine, port: int, stop: Event) -> None:
    """Post what became of letters as they leave, until it is to stop."""
    posted = 0
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        while not stop.is_set():
            for post in posts_of(engine, "delivered", count=_PER_POST, opens=_OPENS, after=posted):
                _post(client, *_signed(installation, post))
                posted = int(post[-1]["nl_delivery"])
            stop.wait(_BETWEEN_POSTS)


def _signed(installation: Installation, post: Post) -> tuple[bytes, dict[str, str]]:
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
