"""Letters to one person about their own subscription: written down, then sent once.

The order is that of the post room: a letter is claimed in a short transaction, it is asked again
whether its reader may be written to, SendGrid is asked once with no transaction open, and the
answer is recorded. What dies in between becomes *unknown* and is never sent by itself again:
its reader may ask for another one.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from newsletter.core.delivery import Outcome, Refused, Remedy
from newsletter.core.edition import Letter
from newsletter.core.operator_alert import OperatorAlert, OperatorAlertKind
from newsletter.core.publication import Newsletter
from newsletter.core.transactional import (
    TransactionalContext,
    TransactionalDisposition,
    TransactionalEmail,
    TransactionalKind,
    TransactionalMessage,
    TransactionalStatus,
    fate_of,
)
from newsletter.errors import NewsletterError
from newsletter.ports import Clock
from newsletter.services.publishing import day_of

_AT_MOST = 500  #: letters in one go; the rest waits for the next

_log = logging.getLogger(__name__)


class Outbox(Protocol):
    """Where letters wait."""

    def write(self, kind: TransactionalKind, newsletter: str, refers: int, now: datetime) -> None:
        """Write down that a letter is to leave."""
        ...

    def claim(self, now: datetime, lease: timedelta) -> TransactionalEmail | None:
        """Hold the next letter that may leave now; None when there is none."""
        ...

    def record(self, errand: TransactionalEmail, fate: TransactionalDisposition) -> None:
        """Write down what became of a letter."""
        ...

    def expire(self, now: datetime) -> int:
        """Name as unknown what a dead worker held; return how many."""
        ...


class Addressing(Protocol):
    """Knows what a letter is about, and whether its reader may be written to."""

    def matter(
        self, errand: TransactionalEmail, newsletter: Newsletter, now: datetime
    ) -> TransactionalContext | None:
        """Return what the letter says to whom; None when there is nobody left to write to."""
        ...

    def headers(self, matter: TransactionalContext, newsletter: Newsletter) -> dict[str, str]:
        """Return the headers of such a letter."""
        ...


class Press(Protocol):
    """Sets a letter to one person in type."""

    def compose(self, newsletter: Newsletter, matter: TransactionalContext) -> Letter:
        """Return the letter; RenderingFailed names template and line."""
        ...


class TransactionalMailer(Protocol):
    """Sends one letter to one person."""

    def send_note(self, note: TransactionalMessage) -> Outcome:
        """Ask SendGrid once, and say which of the three answers came."""
        ...


class TransactionalSender:
    """The desk that writes to one person at a time."""

    def __init__(
        self,
        *,
        newsletters: Mapping[str, Newsletter],
        outbox: Outbox,
        addressing: Addressing,
        press: Press,
        mailer: Callable[[], TransactionalMailer],
        tell: Callable[[OperatorAlert, datetime], object],
        clock: Clock,
        lease: timedelta,
    ) -> None:
        self._newsletters, self._outbox = newsletters, outbox
        self._addressing, self._press = addressing, press
        self._mailer = mailer  #: asked for late: who only writes needs no key to send with
        self._tell, self._clock, self._lease = tell, clock, lease

    def write(self, kind: TransactionalKind, newsletter: str, refers: int) -> None:
        """Write down a letter about a sign-up, subscription or address change; it leaves soon."""
        self._outbox.write(kind, newsletter, refers, self._clock.now())

    def deliver(self) -> int:
        """Send what waits; return how many letters were answered for."""
        mailer = self._mailer()  # before anything is claimed: there may be no key
        self._outbox.expire(self._clock.now())
        for done in range(_AT_MOST):
            errand = self._outbox.claim(self._clock.now(), self._lease)
            if errand is None:
                return done
            self._carry(errand, mailer)
        return _AT_MOST

    def _carry(self, errand: TransactionalEmail, mailer: TransactionalMailer) -> None:
        newsletter = self._newsletters.get(errand.newsletter)
        if newsletter is None:
            self._outbox.record(errand, _void("there is no such newsletter any more"))
            return
        matter = self._addressing.matter(errand, newsletter, self._clock.now())
        if matter is None:
            self._outbox.record(errand, _void("there was nobody left to write to"))
            return
        outcome = self._ask(errand, newsletter, matter, mailer)
        fate = fate_of(outcome, errand, self._clock.now())
        self._outbox.record(errand, fate)
        self._say(errand, newsletter, fate)

    def _ask(
        self,
        errand: TransactionalEmail,
        newsletter: Newsletter,
        matter: TransactionalContext,
        mailer: TransactionalMailer,
    ) -> Outcome:
        try:
            note = TransactionalMessage(
                id=errand.id,
                email=matter.email,
                sender=newsletter.sender,
                reply_to=newsletter.reply_to,
                headers=self._addressing.headers(matter, newsletter),
                letter=self._press.compose(newsletter, matter),
            )
        except NewsletterError as error:  # nothing was asked: a person must look
            return Refused(reason=str(error), remedy=Remedy.PAUSE)
        return mailer.send_note(note)

    def _say(
        self, errand: TransactionalEmail, newsletter: Newsletter, fate: TransactionalDisposition
    ) -> None:
        level = logging.INFO if fate.state is TransactionalStatus.ACCEPTED else logging.WARNING
        ids = {"action": f"letter.{fate.state}", "letter": errand.id}
        _log.log(level, "%s: %s", errand.kind, fate.reason or "sent", extra=ids)
        if fate.tell:
            now = self._clock.now()
            notice = OperatorAlert(
                kind=OperatorAlertKind.NOT_WRITTEN,
                newsletter=newsletter.slug,
                date=day_of(newsletter, now),
                sentence=f"letters such as a {errand.kind.replace('_', ' ')} cannot leave: "
                f"{fate.reason}",
            )
            self._tell(notice, now)


def _void(reason: str) -> TransactionalDisposition:
    return TransactionalDisposition(state=TransactionalStatus.VOID, reason=reason)
