"""Sends transactional emails: letters to one person about their own subscription.

An email is queued, then sent as a batch is: it is claimed in a short transaction, its context is
looked up again, SendGrid is asked once with no transaction open, and the answer is recorded. It is
dropped where its reader is gone by then, or has another address than the one that it was asked for.
What dies in between becomes *unknown* and is never sent again automatically: its reader may ask for
another one. Several are under way at once: one slow answer keeps nobody waiting.
See docs/decisions/transactional-emails-are-sent-once.md.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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
_LONGEST_RUN = timedelta(seconds=10)  #: a process that is to end waits for no more
_LOOK_AGAIN = 0.5  #: seconds, while answers are awaited, before new emails are looked for

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class TransactionalSender:
    """Queues transactional emails, then claims, sends and records them, several at once."""

    newsletters: Mapping[str, Newsletter]
    store: TransactionalStore
    contexts: TransactionalContexts
    compose: ComposeTransactional
    mailer: Callable[[], TransactionalMailer]  #: called late: queueing needs no key to send with
    save_alert: Callable[[OperatorAlert, datetime], object]
    clock: Clock
    lease: timedelta
    at_once: int  #: emails under way

    def queue(self, kind: TransactionalKind, newsletter: str, refers: int) -> None:
        """Queue an email, for the address that what it refers to has now."""
        addressee = self.contexts.addressee(kind, refers)
        now = self.clock.now()
        self.store.queue(kind, newsletter, refers, addressee=addressee, now=now)

    def send_waiting(self) -> int:
        """Send what waits, and what comes meanwhile; return how many emails got an outcome.

        One is claimed only when it can leave at once, so that the most urgent one always does.
        """
        mailer = self.mailer()  # before anything is claimed: there may be no key
        began = self.clock.now()
        self.store.expire_leases(began)
        claimed, sending = 0, set[Future[None]]()
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="transactional") as pool:
            while claimed < _AT_MOST and self.clock.now() - began < _LONGEST_RUN:
                free = len(sending) < self.at_once
                email = self.store.claim(self.clock.now(), self.lease) if free else None
                if email:
                    claimed += 1
                    sending.add(pool.submit(self._send, email, mailer))
                elif sending:
                    sending = _still_sending(sending)
                else:
                    break
        _raise_first(sending)
        return claimed

    def _send(self, email: TransactionalEmail, mailer: TransactionalMailer) -> None:
        newsletter = self.newsletters.get(email.newsletter)
        context = newsletter and self.contexts.context(email, newsletter, self.clock.now())
        if newsletter is None or context is None or not self.contexts.is_for(email, context):
            reason = _why_void(newsletter, context)
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


def _why_void(newsletter: Newsletter | None, context: TransactionalContext | None) -> str:
    if newsletter is None:
        return "there is no such newsletter any more"
    return "its address was changed" if context else "there was nobody left to write to"


def _still_sending(sending: set[Future[None]]) -> set[Future[None]]:
    """Wait for the next answer, a moment at most; return what is still under way."""
    ended, others = wait(sending, _LOOK_AGAIN, FIRST_COMPLETED)
    _raise_first(ended)
    return others


def _raise_first(ended: Iterable[Future[None]]) -> None:
    for one in ended:
        one.result()
