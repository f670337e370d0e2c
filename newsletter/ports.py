"""What the services ask of the world: each port is answered by an adapter, or by a test's fake.

It is long because it is a list: signatures and a sentence each, nothing that runs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from newsletter.core.delivery import Claim, Outcome
from newsletter.core.edition import Letter
from newsletter.core.events import DeliveryEvent
from newsletter.core.galley import Galley
from newsletter.core.issue import Issue
from newsletter.core.mailing import Envelope
from newsletter.core.operator_alert import OperatorAlert
from newsletter.core.publication import Newsletter
from newsletter.core.reconciliation import Probe, Sighting
from newsletter.core.source import PolledSource
from newsletter.core.source_record import Answer, Validators


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose delivery it was."""

    subscription_id: int
    email: str


@dataclass(frozen=True, kw_only=True)
class StoredEvents:
    """What a post of events came to."""

    new: tuple[DeliveryEvent, ...]
    repeated: int
    settled: int  #: unknown batches proven accepted


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Who decided what, and when."""

    at: datetime
    actor: str
    verb: str
    detail: dict[str, Any]


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware."""
        ...


class Renderer(Protocol):
    """Sets type."""

    def set(self, newsletter: Newsletter, issue: Issue) -> Galley:
        """Return the issue's galley: one MJML compile, one inlining."""
        ...


class Mailer(Protocol):
    """Asks SendGrid, once per call."""

    def send(self, envelope: Envelope, letter: Letter, claim: Claim) -> Outcome:
        """Post one batch and say which of the three answers came."""
        ...

    def obstacle(self) -> str | None:
        """Return why SendGrid would take nothing from us now, such as a wrong key."""
        ...


class BatchQueue(Protocol):
    """Hands batches to workers, here or on other machines."""

    def enqueue(self, batch_ids: Iterable[int], *, at: datetime | None = None) -> None:
        """Ask some worker to send each batch; asking twice is asking once."""
        ...

    def work(self, *, until_empty: bool) -> None:
        """Work on batches: until `stop`, or until none is waiting."""
        ...

    def stop(self) -> None:
        """Let the batches in hand be recorded, and take no others."""
        ...


Notify = Callable[[OperatorAlert], None]  #: tells operators; may raise, and is then asked again


class Leadership(Protocol):
    """Says which of several processes keeps the clock."""

    def held(self) -> bool:
        """Tell whether this process does, now; it becomes so when no other one is."""
        ...


class SourceReader(Protocol):
    """Asks a polled source."""

    def read(
        self, newsletter: Newsletter, source: PolledSource, validators: Validators, since: datetime
    ) -> Answer:
        """Return what it says now of all that changed since; nothing is raised for its faults."""
        ...


class EmailLogs(Protocol):
    """SendGrid's own record of what it took."""

    def seek(self, probe: Probe) -> Sighting:
        """Say whether they show a batch; nothing is raised."""
        ...

    def obstacle(self) -> str | None:
        """Return why they cannot be read, such as a key that may not; None if they can."""
        ...
