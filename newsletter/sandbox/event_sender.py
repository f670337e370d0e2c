"""A thread that posts signed events to the webhook.

The events of a request are computed from its body when they are due, and a number in the database
says how many of them have been posted. So nothing waits in memory, and a restart continues where
the last run stopped (at worst the last post comes twice, as SendGrid's may).
"""

import base64
import http.client
import json
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from newsletter.sandbox.config import SandboxConfig
from newsletter.sandbox.events import AcceptedRequest, Event, events_of
from newsletter.sandbox.store import Store

MAX_POST_BYTES = 768 * 1024  #: event webhook overview: a post is sent off at 768 kilobytes
RETRY_FOR = 24 * 3600  #: same page, seconds after the event
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0  # seconds; the page says only "increasing intervals"
_TIMEOUT = 10.0  # seconds for one post; SendGrid documents none
_CAUSES = {"bounce": "type", "dropped": "reason"}  #: the field that decides on the list
_LISTS = {
    "bounce": "bounces", "Bounced Address": "bounces", "blocked": "blocks",
    "Invalid": "invalid_emails", "spamreport": "spam_reports", "unsubscribe": "unsubscribes",
}  # fmt: skip

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"


class Signer:
    """Signs event posts as SendGrid does, with an ECDSA key on P-256."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @classmethod
    def load(cls, folder: Path) -> "Signer":
        """Return the folder's signer; create the key when there is none."""
        path = folder / "private_key.pem"
        if not path.exists():
            pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            path.touch(mode=0o600, exist_ok=False)
            path.write_bytes(pem)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{path} is not an elliptic curve key")
        signer = cls(key)
        (folder / "public_key.txt").write_text(signer.public_key + "\n", encoding="ascii")
        return signer

    @property
    def public_key(self) -> str:
        """Return the public key as SendGrid shows it: base64 of SubjectPublicKeyInfo."""
        der = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(der).decode()

    def headers(self, body: bytes, timestamp: str) -> dict[str, str]:
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {SIGNATURE_HEADER: base64.b64encode(signature).decode(), TIMESTAMP_HEADER: timestamp}


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
        self._stopping.set()
        self.notify()

    def flush(self, timeout: float) -> int:
        """Wait until nothing is left to post, at most so many seconds; return what is left."""
        with self._progress:
            self._progress.wait_for(lambda: not self._store.awaiting_events(), timeout)
        return self._store.awaiting_events()

    def run(self) -> None:
        while not self._stopping.is_set():
            self._changed.clear()  # before looking, so that what comes after is not missed
            if request := self._store.next_pending():
                self._post_events(request)
                with self._progress:
                    self._progress.notify_all()
            else:
                self._changed.wait()

    def _post_events(self, request: AcceptedRequest) -> None:
        config, request_id, posted = self._config, request.request_id, request.posted
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
        cause = event[_CAUSES.get(event["event"], "event")]
        if cause in _LISTS:
            yield _LISTS[cause], event
