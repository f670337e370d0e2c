"""Rightly signed events of another installation on the account, whose ids exist here, too."""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from newsletter.sandbox.event_sender import Signer
from tests.torture.disturbances import Disturbance, rng_of
from tests.torture.installation import Installation
from tests.torture.observer import Observer

_FOREIGN = "fedcba9876543210"
_KINDS: tuple[dict[str, Any], ...] = (
    {"event": "processed"},
    {"event": "delivered", "response": "250 OK"},
    {"event": "open", "sg_machine_open": False},
    {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 no such mailbox"},
    {"event": "dropped", "reason": "Bounced Address", "status": "5.0.0"},
    {"event": "spamreport"},
    {"event": "unsubscribe"},
)
_UNKNOWN = "SELECT id FROM attempt ORDER BY (outcome IS DISTINCT FROM 'accepted') DESC, random()"
_SUPPRESSED = "SELECT count(*) FROM suppression WHERE email_key LIKE '%@example.net'"


class ForeignEvents(Disturbance):
    """Posts events that name deliveries and attempts of this installation, and are not its own."""

    def __init__(self, installation: Installation, url: str) -> None:
        self._installation = installation
        self._signer = Signer.load(installation.folder / "sandbox")
        self._observer = Observer(url)
        self._rng = rng_of(url)
        self.done = Counter()

    def acts(self) -> Sequence[Callable[[], None]]:
        return [self._post]

    def wrongs(self) -> Iterator[str]:
        if suppressed := self._observer.ask(_SUPPRESSED):
            yield f"{suppressed} foreign addresses were suppressed"
        self._observer.close()

    def _post(self) -> None:
        body = json.dumps([self._event() for _ in range(20)]).encode() + b"\r\n"
        headers = self._signer.headers(body, str(int(time.time())))
        url = f"{self._installation.settings.public_url}/webhooks/sendgrid"
        request = urllib.request.Request(url, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=5):
                self.done["foreign events"] += 20
        except (OSError, urllib.error.URLError):
            pass  # it was killed
        time.sleep(0.05)

    def _event(self) -> dict[str, Any]:
        number = self._rng.randint(1, self._installation.recipients)
        return {
            **self._rng.choice(_KINDS),
            **self._names(),
            "nl_delivery": str(number),
            "nl_issue": "1",
            "email": f"f{number}@example.net",
            "timestamp": int(time.time()),
            "sg_event_id": uuid.uuid4().hex,
            "sg_message_id": f"{uuid.uuid4().hex}.0",
        }

    def _names(self) -> dict[str, str]:
        """Name the installation and the attempt, at least one of which is not ours."""
        foreign = uuid.UUID(int=self._rng.getrandbits(128)).hex
        ours = self._observer.ask("SELECT id FROM installation")
        attempt = self._observer.ask(_UNKNOWN) or foreign
        return self._rng.choice(
            (
                {"nl_installation": _FOREIGN, "nl_attempt": foreign},
                {"nl_installation": _FOREIGN, "nl_attempt": attempt},
                {"nl_installation": ours, "nl_attempt": foreign},  # a copy of this database sends
                {"nl_attempt": foreign},
            )
        )
