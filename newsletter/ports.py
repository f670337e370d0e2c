"""What the services need of the world and do not implement: each port has an adapter and a fake.

See docs/decisions/ports-at-real-seams.md.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from newsletter.core.account import (
    AccountClock,
    AccountCredits,
    AccountDomain,
    AccountLink,
    AccountParse,
    AccountSender,
    AccountSwitch,
    AccountWebhook,
)
from newsletter.core.delivery import Claim, Outcome
from newsletter.core.edition import Letter
from newsletter.core.events import DeliveryEvent
from newsletter.core.galley import Galley
from newsletter.core.issue import Issue
from newsletter.core.link_check import LinkCheck
from newsletter.core.mailing import Envelope
from newsletter.core.operator_alert import OperatorAlert
from newsletter.core.publication import Newsletter
from newsletter.core.reconciliation import Probe, Sighting
from newsletter.core.sign_in import PasskeyMaterial, ProviderIdentity, ProviderSecrets
from newsletter.core.site import SiteAnswer
from newsletter.core.source import PolledSource
from newsletter.core.source_record import Answer, Validators
from newsletter.core.staff import StaffMember
from newsletter.core.transactional import TransactionalContext, TransactionalMessage
from newsletter.core.webhook_delivery import WebhookAnswer
from subscribers.model import Suppression, SuppressionReason

#: Composes the letter of a transactional email; RenderingFailed names template and line.
ComposeTransactional = Callable[[Newsletter, TransactionalContext], Letter]

#: Checks the signature of a posted body and its headers, then translates the events in it;
#: EventNotAuthentic if it does not hold.
ReadWebhook = Callable[[bytes, Mapping[str, str]], tuple[DeliveryEvent, ...]]

#: Asks whether there is something behind a link; raises nothing.
CheckLink = Callable[[str, datetime], LinkCheck]

#: Posts a body with its headers to a webhook endpoint, redirects not followed; raises nothing.
PostWebhook = Callable[[str, Mapping[str, str], bytes], WebhookAnswer]

Notify = Callable[[OperatorAlert], None]  #: sends an alert; one that raises is called again later


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime: ...  # aware


class Renderer(Protocol):
    """Sets an issue in type: one MJML compile, one inlining."""

    def set(self, newsletter: Newsletter, issue: Issue) -> Galley: ...

    def fingerprints(self) -> dict[str, str]:
        """Return the digest of each template file that an issue is set with."""
        ...


class Mailer(Protocol):
    """Sends a batch through SendGrid, with one request a call.

    `obstacle` says why SendGrid would accept nothing from us now, such as a wrong key.
    """

    def send(self, envelope: Envelope, letter: Letter, claim: Claim) -> Outcome: ...

    def obstacle(self) -> str | None: ...


class TransactionalMailer(Protocol):
    """Sends one letter to one person, with one request a call."""

    def send_message(self, message: TransactionalMessage) -> Outcome: ...


class StaffMailer(Protocol):
    """Sends one test letter to one member of staff, with one request a call."""

    def send_test(self, message: TransactionalMessage) -> Outcome: ...


class Rehearsal(Protocol):
    """Has SendGrid check a batch without delivering it.

    `rehearse` returns why it would be refused; None if it would be accepted.
    """

    def rehearse(self, envelope: Envelope, letter: Letter, claim: Claim) -> str | None: ...


class SenderAccount(Protocol):
    """What the account at SendGrid says of itself; SendGridUnavailable if it may not be read."""

    def scopes(self) -> frozenset[str]: ...

    def clock(self) -> AccountClock | None: ...

    def domains(self) -> Sequence[AccountDomain]: ...

    def links(self) -> Sequence[AccountLink]: ...

    def senders(self) -> Sequence[AccountSender]: ...

    def webhooks(self) -> Sequence[AccountWebhook]: ...

    def parse_hosts(self) -> Sequence[AccountParse]: ...

    def switches(self) -> Sequence[AccountSwitch]: ...

    def groups(self) -> Sequence[str]: ...

    def credits(self) -> AccountCredits: ...


class PublicSite(Protocol):
    """The web pages as anybody on the Internet reaches them, redirects not followed."""

    def certificate_end(self) -> datetime | None:
        """Return until when its certificate holds; None without TLS; SiteUnreachable."""
        ...

    def ask(self, method: str, path: str, body: str = "") -> SiteAnswer:
        """Return what is answered; SiteUnreachable says why nothing is."""
        ...


class BatchQueue(Protocol):
    """Hands batches to workers, on this machine or on others."""

    def on_batches(self, send_batches: Callable[[Iterable[int]], None]) -> None:
        """Set what a worker of this process does with batches."""
        ...

    def enqueue(
        self,
        batch_ids: Iterable[int],
        *,
        at: datetime | None = None,
        unless_running: bool = False,
    ) -> None:
        """Have some worker send each batch; queueing twice is queueing once.

        `unless_running` leaves out those that a living worker has in a job already. Such a job may
        have passed a batch, though, that it queues again itself.
        """
        ...

    def wait(self, seconds: float) -> bool:
        """Wait in a worker; False, at once, if that is long enough to do something else.

        False, too, as soon as this worker is to stop.
        """
        ...

    def work(self, *, until_empty: bool) -> None:
        """Work on batches: until `stop`, or until none is waiting."""
        ...

    def stop(self) -> None:
        """Let the batches in hand be recorded, and take no others."""
        ...


class EmailLogs(Protocol):
    """SendGrid's own record of what it accepted.

    `seek` says whether they show a batch, and raises nothing; `obstacle` says why they cannot be
    read, such as a key without the right.
    """

    def seek(self, probe: Probe) -> Sighting: ...

    def obstacle(self) -> str | None: ...


class VendorSuppressions(Protocol):
    """The suppression lists that SendGrid maintains itself, one for each of `reasons`."""

    @property
    def reasons(self) -> Sequence[SuppressionReason]: ...

    def pages(
        self, reason: SuppressionReason, start: datetime, end: datetime
    ) -> Iterator[tuple[Suppression, ...]]:
        """Yield what was listed for a reason in [start, end]."""
        ...


class SourceReader(Protocol):
    """Reads a polled source."""

    def read(
        self,
        newsletter: Newsletter,
        source: PolledSource,
        validators: Validators,
        since: datetime,
        known: Sequence[str] = (),
    ) -> Answer:
        """Return what changed there since, and which of the known keys it still shows.

        A fault is returned, never raised.
        """
        ...


class AlertChannel(Protocol):
    """A way to reach operators, such as a mailbox or a chat."""

    @property
    def name(self) -> str: ...  # without a secret; no two channels share one

    @property
    def mark(
        self,
    ) -> str: ...  # of its URL, wherever that stands in the list

    def send(self, title: str, body: str) -> str | None:
        """Pass a message on; return why that failed, None if it did not."""
        ...


class Leadership(Protocol):
    """Says which of several processes runs the schedule."""

    def held(self) -> bool:
        """Return whether this process does now; it becomes so when no other one is."""
        ...


class PasswordHashes(Protocol):
    """Hashes passwords, slowly on purpose, and only so many at once."""

    def hash(self, password: str) -> str: ...

    def verify(self, password: str, hashed: str | None) -> bool:
        """Return whether this is the password; without a hash it takes as long, and is not."""
        ...


class TotpCodes(Protocol):
    """Makes secrets for authenticator apps, and recognizes their codes."""

    def new_secret(self) -> str: ...

    def qr_svg(self, secret: str, email: str, issuer: str) -> str: ...

    def step_of(self, secret: str, code: str, now: datetime) -> int | None:
        """Return the time step that a code is of; None if it is of none near now."""
        ...


class PasskeyVerifier(Protocol):
    """Makes options for browsers as JSON, and verifies their answers; None if one does not hold."""

    def registration(
        self, member: StaffMember, existing: Iterable[bytes], challenge: bytes
    ) -> str: ...

    def authentication(self, allowed: Iterable[bytes], challenge: bytes) -> str: ...

    def registered(self, response: str, challenge: bytes) -> PasskeyMaterial | None: ...

    def credential_id(self, response: str) -> bytes | None: ...

    def sign_count(self, response: str, challenge: bytes, known: PasskeyMaterial) -> int | None: ...


class IdentityProvider(Protocol):
    """A company's own sign-in (OpenID Connect); ProviderUnavailable if it does not answer."""

    issuer: str

    def address(self, secrets: ProviderSecrets, *, longest: timedelta, again: bool) -> str:
        """Return where a browser signs in; whoever did so longer ago is asked, or all `again`."""
        ...

    def identity(
        self, code: str, secrets: ProviderSecrets, now: datetime
    ) -> ProviderIdentity | None:
        """Redeem a code; None unless its ID token holds in every part."""
        ...

    def obstacle(self) -> str | None:
        """Return why nobody could sign in there now; None if they could."""
        ...
