"""Sends transactional emails: letters to one person about their own subscription.

An email is queued, then sent as a batch is: it is claimed in a short transaction, its context is
looked up again (its reader may be gone), SendGrid is asked once with no transaction open, and the
answer is recorded. What dies in between becomes *unknown* and is never sent again automatically:
its reader may ask for another one. See docs/decisions/transactional-emails-are-sent-once.md.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.core.delivery import Outcome, Refused, Remedy
from newsletter.core.operator_alert import OperatorAlert, OperatorAlertKind
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.transactional import (
    TransactionalContext,
    TransactionalDisposition,
    TransactionalEmail,
    TransactionalKind,
    TransactionalMessage,
    TransactionalStatus,
    disposition_of,
)
from newsletter.errors import NewsletterError
from newsletter.ports import Clock, ComposeTransactional, TransactionalMailer
from newsletter.services.transactional_context import TransactionalContexts
from newsletter.stores.transactional import TransactionalStore

_AT_MOST = 500  #: emails in one run; the rest waits for the next

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class TransactionalSender:
    """Queues transactional emails, then claims, sends and records them one by one."""

    newsletters: Mapping[str, Newsletter]
    store: TransactionalStore
    contexts: TransactionalContexts
    compose: ComposeTransactional
    mailer: Callable[[], TransactionalMailer]  #: called late: queueing needs no key to send with
    save_alert: Callable[[OperatorAlert, datetime], object]
    clock: Clock
    lease: timedelta

    def queue(self, kind: TransactionalKind, newsletter: str, refers: int) -> None:
        self.store.queue(kind, newsletter, refers, self.clock.now())

    def send_waiting(self) -> int:
        """Send what waits; return how many emails got an outcome."""
        mailer = self.mailer()  # before anything is claimed: there may be no key
        self.store.expire_leases(self.clock.now())
        for done in range(_AT_MOST):
            email = self.store.claim(self.clock.now(), self.lease)
            if email is None:
                return done
            self._send(email, mailer)
        return _AT_MOST

    def _send(self, email: TransactionalEmail, mailer: TransactionalMailer) -> None:
        newsletter = self.newsletters.get(email.newsletter)
        context = newsletter and self.contexts.context(email, newsletter, self.clock.now())
        if newsletter is None or context is None:
            nobody = "there was nobody left to write to"
            reason = nobody if newsletter else "there is no such newsletter any more"
            self.store.record(email, TransactionalDisposition(TransactionalStatus.VOID, reason))
            return
        outcome = self._ask(email, newsletter, context, mailer)
        disposition = disposition_of(outcome, email, self.clock.now())
        self.store.record(email, disposition)
        self._report(email, newsletter, disposition)

    def _ask(
        self,
        email: TransactionalEmail,
        newsletter: Newsletter,
        context: TransactionalContext,
        mailer: TransactionalMailer,
    ) -> Outcome:
        try:
            message = TransactionalMessage(
                id=email.id,
                installation_id=email.installation_id,
                email=context.email,
                sender=newsletter.sender,
                reply_to=newsletter.reply_to,
                headers=self.contexts.headers(context, newsletter),
                letter=self.compose(newsletter, context),
            )
        except NewsletterError as error:  # nothing was asked: a person must look
            return Refused(reason=str(error), remedy=Remedy.PAUSE)
        return mailer.send_message(message)

    def _report(
        self,
        email: TransactionalEmail,
        newsletter: Newsletter,
        disposition: TransactionalDisposition,
    ) -> None:
        """Log what became of an email, and queue an alert when a person must know."""
        accepted = disposition.state is TransactionalStatus.ACCEPTED
        ids = {"action": f"transactional.{disposition.state}", "email_id": email.id}
        level = logging.INFO if accepted else logging.WARNING
        _log.log(level, "%s: %s", email.kind, disposition.reason or "sent", extra=ids)
        if disposition.alert:
            now, kind = self.clock.now(), email.kind.replace("_", " ")
            alert = OperatorAlert(
                kind=OperatorAlertKind.NOT_WRITTEN,
                newsletter=newsletter.slug,
                date=day_of(newsletter.timetable, now),
                sentence=f"emails such as a {kind} cannot be sent: {disposition.reason}",
            )
            self.save_alert(alert, now)
