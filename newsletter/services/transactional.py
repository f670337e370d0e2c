"""Sends transactional emails: letters to one person about their own subscription.

An email is queued, then sent as a batch is: it is claimed in a short transaction, its context is
looked up again (its reader may be gone), SendGrid is asked once with no transaction open, and the
answer is recorded. What dies in between becomes *unknown* and is never sent again automatically:
its reader may ask for another one. See docs/decisions/transactional-emails-are-sent-once.md.
"""

import logging
from collections.abc import Callable, Mapping
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


class TransactionalSender:
    """Queues transactional emails, then claims, sends and records them one by one."""

    def __init__(
        self,
        *,
        newsletters: Mapping[str, Newsletter],
        store: TransactionalStore,
        contexts: TransactionalContexts,
        compose: ComposeTransactional,
        mailer: Callable[[], TransactionalMailer],
        save_alert: Callable[[OperatorAlert, datetime], object],
        clock: Clock,
        lease: timedelta,
    ) -> None:
        self._newsletters, self._store = newsletters, store
        self._contexts, self._compose = contexts, compose
        self._mailer = mailer  #: called late: queueing needs no key to send with
        self._save_alert, self._clock, self._lease = save_alert, clock, lease

    def queue(self, kind: TransactionalKind, newsletter: str, refers: int) -> None:
        """Queue an email about a sign-up, subscription or address change."""
        self._store.queue(kind, newsletter, refers, self._clock.now())

    def send_waiting(self) -> int:
        """Send what waits; return how many emails got an outcome."""
        mailer = self._mailer()  # before anything is claimed: there may be no key
        self._store.expire_leases(self._clock.now())
        for done in range(_AT_MOST):
            email = self._store.claim(self._clock.now(), self._lease)
            if email is None:
                return done
            self._send(email, mailer)
        return _AT_MOST

    def _send(self, email: TransactionalEmail, mailer: TransactionalMailer) -> None:
        newsletter = self._newsletters.get(email.newsletter)
        if newsletter is None:
            self._store.record(email, _void("there is no such newsletter any more"))
            return
        context = self._contexts.context(email, newsletter, self._clock.now())
        if context is None:
            self._store.record(email, _void("there was nobody left to write to"))
            return
        outcome = self._ask(email, newsletter, context, mailer)
        disposition = disposition_of(outcome, email, self._clock.now())
        self._store.record(email, disposition)
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
                email=context.email,
                sender=newsletter.sender,
                reply_to=newsletter.reply_to,
                headers=self._contexts.headers(context, newsletter),
                letter=self._compose(newsletter, context),
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
            now, kind = self._clock.now(), email.kind.replace("_", " ")
            alert = OperatorAlert(
                kind=OperatorAlertKind.NOT_WRITTEN,
                newsletter=newsletter.slug,
                date=day_of(newsletter, now),
                sentence=f"emails such as a {kind} cannot be sent: {disposition.reason}",
            )
            self._save_alert(alert, now)


def _void(reason: str) -> TransactionalDisposition:
    return TransactionalDisposition(state=TransactionalStatus.VOID, reason=reason)
