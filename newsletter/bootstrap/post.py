"""The rooms where letters leave, and where is heard what became of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from newsletter.adapters.clock import new_id, roll
from newsletter.adapters.disposable import is_disposable
from newsletter.adapters.journal import (
    JournaledBrakes,
    JournaledEvents,
    JournaledUnknowns,
)
from newsletter.adapters.log_alerts import log_notice
from newsletter.adapters.sendgrid.webhook import SendGridEvents
from newsletter.core.transactional import TransactionalKind
from newsletter.services.alerting import Alerting
from newsletter.services.event_intake import EventIntake
from newsletter.services.reconciliation import Reconciling
from newsletter.services.schedule import ScheduleRunner
from newsletter.services.sending import Sending
from newsletter.services.sending_limits import SendingLimits
from newsletter.services.signup import SigningUp
from newsletter.services.sunset import Sunset
from newsletter.services.transactional import TransactionalSender
from newsletter.services.transactional_context import TransactionalContexts
from newsletter.stores.transactional import TransactionalStore
from newsletter.stores.unknown_issues import unknown_issues

if TYPE_CHECKING:
    from newsletter.rendering.transactional import TransactionalRenderer


from newsletter.bootstrap.press import PressRooms


class PostRooms(PressRooms):
    """Sending, settling, hearing, telling."""

    @cached_property
    def dispatch(self) -> Sending:
        sending = self.settings.service.sending
        dispatch = Sending(
            newsletters=self.settings.newsletters,
            publishing=self.publishing,
            issues=self._issues,
            deliveries=self._deliveries,
            braking=self.braking,
            settling=self.settling,
            mailer=self.mailer,
            queue=self.queue,
            clock=self.clock,
            new_id=new_id,
            dice=roll,
            base_url=self.settings.public_url,
            sendgrid_host=self.settings.sendgrid_host,
            batch_size=sending.batch_size,
            lease=timedelta(seconds=sending.lease_seconds),
            wake=self.subscriptions.wake,
            segments=self.segments,
        )
        self.queue.on_batches(dispatch.send_batches)
        return dispatch

    @cached_property
    def braking(self) -> SendingLimits:
        return SendingLimits(
            brakes=JournaledBrakes(self.engine),
            issues=self._issues,
            decisions=self.decisions,
            clock=self.clock,
            fuse=self.settings.service.fuse,
        )

    @cached_property
    def settling(self) -> Reconciling:
        environment, sending = self.settings.environment, self.settings.service.sending
        return Reconciling(
            unknowns=JournaledUnknowns(self.engine),
            decisions=self.decisions,
            clock=self.clock,
            quiet=timedelta(minutes=sending.quiet_minutes),
            absence=timedelta(minutes=sending.absence_minutes),
            hears_events=environment.sendgrid_webhook_key is not None,
            logs=self.sendgrid_logs if environment.sendgrid_api_key else None,
        )

    @cached_property
    def feedback(self) -> EventIntake:
        return EventIntake(
            source=SendGridEvents(self.settings.environment.sendgrid_webhook_key),
            events=JournaledEvents(self.engine),
            subscriptions=self.subscriptions,
            clock=self.clock,
        )

    @cached_property
    def note_press(self) -> TransactionalRenderer:
        from newsletter.rendering.transactional import TransactionalRenderer

        return TransactionalRenderer(self.settings.templates)

    @cached_property
    def correspondence(self) -> TransactionalSender:
        return TransactionalSender(
            newsletters=self.settings.newsletters,
            outbox=TransactionalStore(self.engine),
            addressing=TransactionalContexts(
                subscriptions=self.subscriptions,
                signups=self.signups,
                issues=self._issues,
                base_url=self.settings.public_url,
            ),
            press=self.note_press,
            mailer=lambda: self.mailer,
            tell=self._watches.keep,
            clock=self.clock,
            lease=timedelta(seconds=self.settings.service.sending.lease_seconds),
        )

    @cached_property
    def signing_up(self) -> SigningUp:
        return SigningUp(
            newsletters=self.settings.newsletters,
            signups=self.signups,
            subscriptions=self.subscriptions,
            writer=self.correspondence,
            forgive=JournaledEvents(self.engine).forgive_soft_bounces,
            is_disposable=is_disposable,
            clock=self.clock,
        )

    @cached_property
    def sunset(self) -> Sunset:
        return Sunset(
            newsletters=self.settings.newsletters,
            sunsets=self.sunsets,
            write=partial(self.correspondence.write, TransactionalKind.STILL_WANTED),
            clock=self.clock,
        )

    @cached_property
    def alerting(self) -> Alerting:
        """How operators are told: by the log, and through the channels they named."""
        return Alerting(
            newsletters=self.settings.newsletters,
            channels=self.channels,
            log=log_notice,
            book=self._watches,
            unknown=self._long_unknown,
            reports=self.polling.reports,
            quiet=timedelta(0),  # `_long_unknown` knows how long evidence is waited for
            clock=self.clock,
        )

    def _long_unknown(self, asked_before: datetime) -> tuple[tuple[str, date], ...]:
        return unknown_issues(self.engine, asked_before - self.settling.patience)

    @cached_property
    def calendar(self) -> ScheduleRunner:
        return ScheduleRunner(
            publishing=self.publishing,
            dispatch=self.dispatch,
            gather=self.polling.poll_due,
            book=self._watches,
            notify=self.alerting.tell,
            clock=self.clock,
        )
