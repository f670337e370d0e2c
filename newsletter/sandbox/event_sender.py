"""A thread that posts signed events to the webhook.

The events of a request are computed from its body when they are due, and a number in the database
says how many of them have been posted. So nothing waits in memory, and a restart continues where
the last run stopped (at worst the last post comes twice, as SendGrid's may).
"""

import http.client
import json
import threading
import time
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from newsletter.sandbox.config import SandboxConfig
from newsletter.sandbox.events import AcceptedRequest, Event, events_of
from newsletter.sandbox.signing import Signer
from newsletter.sandbox.store import Store

MAX_POST_BYTES = 768 * 1024  #: event webhook overview: a post is sent off at 768 kilobytes
RETRY_FOR = 24 * 3600  #: same page, seconds after the event
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0  # seconds; the page says only "increasing intervals"
_TIMEOUT = 10.0  # seconds for one post; SendGrid documents none
_LISTS = {"spamreport": "spam_reports", "unsubscribe": "unsubscribes"}


class EventSender(threading.Thread):
    """Posts the events of accepted requests in order, repeating a post that was refused."""

    def __init__(self, config: SandboxConfig, store: Store, signer: Signer) -> None:
        super().__init__(name="event-sender", daemon=True)
        self._config = config
        self._store = store
        self._signer = signer
        self._stopping = threading.Event()
        self._changed = threading.Event()  # a request was accepted, or stop() was called
        self._progress = threading.Condition()  # all events of a request were posted

    def notify(self) -> None:
        """Notify the thread that a request was accepted."""
        self._changed.set()

    def stop(self) -> None:
        """Stop before the next post."""
        self._stopping.set()
        self.notify()

    def flush(self, timeout: float) -> int:
        """Wait until nothing is left to post, at most so many seconds; return what is left."""
        with self._progress:
            self._progress.wait_for(lambda: not self._store.awaiting_events(), timeout)
        return self._store.awaiting_events()

    def run(self) -> None:
        """Work until stopped."""
        while not self._stopping.is_set():
            self._changed.clear()  # before looking, so that what comes after is not missed
            if pending := self._store.next_pending():
                self._post_events(pending.request, pending.posted)
                with self._progress:
                    self._progress.notify_all()
            else:
                self._changed.wait()

    def _post_events(self, request: AcceptedRequest, posted: int) -> None:
        config, request_id = self._config, request.request_id
        events = events_of(
            request,
            config.shares,
            duplicates=config.duplicates,
            shuffle=config.shuffle,
            seed=config.seed,
        )
        self._store.suppress(_suppressions(events))
        if config.webhook_url is None:
            self._store.advance(request_id, 0, done=True)
            return
        for count, body in posts(events[posted:], config.max_events):
            if not self._deliver(config.webhook_url, body, count, request):
                return
            posted += count
            self._store.advance(request_id, posted, done=False)
        self._store.advance(request_id, posted, done=True)

    def _deliver(self, url: str, body: bytes, count: int, request: AcceptedRequest) -> bool:
        """Post until a 2xx comes or 24 hours passed; return False if stopped or deleted."""
        pause = _FIRST_PAUSE
        while not self._stopping.is_set() and self._store.has_pending_events(request.request_id):
            if _post(url, body, self._signer):
                self._store.count({"events posted": count, "events posts": 1})
                return True
            self._store.count({"events posts_refused": 1})
            if time.time() > request.accepted + RETRY_FOR:
                self._store.count({"events abandoned": count})
                return True
            self._stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return False


def posts(events: Iterable[Event], max_events: int) -> Iterator[tuple[int, bytes]]:
    """Split events into posts; yield the number of events and the body with the final CR LF."""
    held: list[bytes] = []
    size = 0
    for event in events:
        packed = json.dumps(event, separators=(",", ":")).encode()
        if held and (len(held) == max_events or size + len(packed) + 4 >= MAX_POST_BYTES):
            yield len(held), _body(held)
            held, size = [], 0
        held.append(packed)
        size += len(packed) + 1
    if held:
        yield len(held), _body(held)


def _body(packed: list[bytes]) -> bytes:
    return b"[" + b",".join(packed) + b"]\r\n"


def _post(url: str, body: bytes, signer: Signer) -> bool:
    """Post once; a redirect is not followed and counts as a refusal, as with SendGrid."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    headers = {"Content-Type": "application/json", "User-Agent": "SendGrid Event API"}
    headers |= signer.headers(body, str(int(time.time())))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body, headers)
        return 200 <= connection.getresponse().status < 300  # noqa: PLR2004  # RFC 9110 15.3
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _suppressions(events: Iterable[Event]) -> Iterator[tuple[str, Event]]:
    for event in events:
        name = _LISTS.get(event["event"], "")
        if event["event"] == "bounce":
            name = "blocks" if event["type"] == "blocked" else "bounces"
        elif event["event"] == "dropped":
            name = "invalid_emails" if event["reason"] == "Invalid" else "bounces"
        if name:
            yield name, event
