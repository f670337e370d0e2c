"""Planning, sending, events, and what became of the letters."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from newsletter.adapters.clock import new_id
from newsletter.container.issues import IssueParts

if TYPE_CHECKING:
    from newsletter.services.archive import Archive
    from newsletter.services.bulk import BulkChanges
    from newsletter.services.event_intake import EventIntake
    from newsletter.services.explain import Explaining
    from newsletter.services.figures import IssueFigures
    from newsletter.services.halting import Halting
    from newsletter.services.issue_people import IssuePeople
    from newsletter.services.planning import Planning
    from newsletter.services.received_events import ReceivedEvents
    from newsletter.services.reconciliation import Reconciling
    from newsletter.services.results import Results
    from newsletter.services.sending import BatchMailer, Recovery, Sending
    from newsletter.services.sending_by_hand import SendingByHand
    from newsletter.services.sending_limits import SendingLimits
    from newsletter.services.today import TodayOverviews
    from newsletter.services.unsubscribe_mail import UnsubscribeByMail
    from newsletter.stores.deliveries import DeliveryStore
    from newsletter.stores.sending_limits import SendingLimitStore
    from newsletter.stores.unknown_batches import UnknownBatchStore
    from newsletter.stores.webhook_line import WebhookLineStore
    from subscribers.bulk.service import BulkRows


class SendingParts(IssueParts):
    """Planning, sending, events, and what became of the letters."""

    @cached_property
    def limit_store(self) -> SendingLimitStore:
        from newsletter.stores.sending_limits import SendingLimitStore

        return SendingLimitStore(self.engine)

    @cached_property
    def unknown_batches(self) -> UnknownBatchStore:
        from newsletter.stores.unknown_batches import UnknownBatchStore

        return UnknownBatchStore(self.engine)

    @cached_property
    def deliveries(self) -> DeliveryStore:
        from newsletter.stores.deliveries import DeliveryStore

        return DeliveryStore(self.engine, self.settings.service.rate_limit)

    @cached_property
    def bulk_rows(self) -> BulkRows:
        from subscribers.bulk.service import BulkRows

        return BulkRows(self.engine)

    @cached_property
    def bulk_changes(self) -> BulkChanges:
        from newsletter.services.bulk import BulkChanges

        return BulkChanges(
            self.people, self.records, self.subscriptions, self.decisions, self.clock
        )

    @cached_property
    def sending_by_hand(self) -> SendingByHand:
        from newsletter.services.sending_by_hand import SendingByHand

        return SendingByHand(
            self.settings.newsletters,
            self.planning,
            self.issues,
            self.schedule_store,
            self.decisions,
            self.clock,
            grace=timedelta(minutes=self.settings.service.sending.grace_minutes),
        )

    @cached_property
    def halting(self) -> Halting:
        from newsletter.services.halting import Halting

        return Halting(self.publishing, self.sending_limits)

    @cached_property
    def figures(self) -> IssueFigures:
        from newsletter.services.figures import IssueFigures
        from newsletter.stores.issue_figures import IssueFigureStore

        return IssueFigures(IssueFigureStore(self.engine), self.clock)

    @cached_property
    def results(self) -> Results:
        from newsletter.services.results import Results
        from newsletter.stores.results import ResultStore

        return Results(ResultStore(self.engine), self.clock)

    @cached_property
    def received_events(self) -> ReceivedEvents:
        from urllib.parse import urlsplit

        from newsletter.services.received_events import ReceivedEvents
        from newsletter.stores.received_events import ReceivedEventStore

        urls = (self.settings.public_url, self.settings.console_url)
        hosts = frozenset(urlsplit(one).hostname or "" for one in urls)
        return ReceivedEvents(ReceivedEventStore(self.engine), self.clock, hosts)

    @cached_property
    def issue_people(self) -> IssuePeople:
        from newsletter.services.issue_people import IssuePeople
        from newsletter.stores.issue_people import IssuePeopleStore

        return IssuePeople(
            IssuePeopleStore(self.engine), self.letter_releases.store, self.decisions
        )

    @cached_property
    def explaining(self) -> Explaining:
        from newsletter.services.explain import Explaining

        return Explaining(
            self.issues, self.deliveries, self.letter_releases.store, self.subscriptions
        )

    @cached_property
    def planning(self) -> Planning:
        from newsletter.services.planning import Planning

        return Planning(
            self.publishing,
            self.send_checks,
            self.issues,
            self.deliveries,
            self.subscriptions,
            self.segments,
            self.queue,
            self.clock,
            batch_size=self.settings.service.sending.batch_size,
            poll_again=self.polling.poll_again,
        )

    @cached_property
    def batch_mailer(self) -> BatchMailer:
        from newsletter.services.sending import BatchMailer

        return BatchMailer(self.settings.newsletters, self.publishing, self.issues, self.mailer)

    @cached_property
    def sending(self) -> Sending:
        from newsletter.services.sending import Sending

        sending = Sending(
            self.batch_mailer,
            self.issues,
            self.deliveries,
            self.sending_limits,
            self.queue,
            self.clock,
            new_id=self.new_id,
            dice=self.dice,
            lease=self._lease,
        )
        self.queue.on_batches(sending.send_batches)
        return sending

    @cached_property
    def recovery(self) -> Recovery:
        from newsletter.services.sending import Recovery

        return Recovery(
            self.deliveries, self.sending_limits, self.reconciling, self.queue, self.clock
        )

    @cached_property
    def sending_limits(self) -> SendingLimits:
        from newsletter.services.sending_limits import SendingLimits

        breaker = self.settings.service.circuit_breaker
        return SendingLimits(self.limit_store, self.issues, self.decisions, self.clock, breaker)

    @property
    def _quiet_period(self) -> timedelta:
        return timedelta(minutes=self.settings.service.sending.quiet_minutes)

    @cached_property
    def webhook_line(self) -> WebhookLineStore:
        from newsletter.core.reconciliation import quiet_part
        from newsletter.stores.webhook_line import WebhookLineStore

        shortest = self._confirmed or self._quiet_period
        return WebhookLineStore(self.engine, spacing=quiet_part(shortest) / 4)

    @property
    def _confirmed(self) -> timedelta:
        confirmed = timedelta(minutes=self.settings.service.sending.confirmed_minutes)
        return min(confirmed, self._quiet_period)

    @cached_property
    def reconciling(self) -> Reconciling:
        from newsletter.services.reconciliation import Reconciling

        environment, sending = self.settings.environment, self.settings.service.sending
        return Reconciling(
            self.unknown_batches,
            self.webhook_line,
            self.decisions,
            self.clock,
            quiet_period=self._quiet_period,
            new_receiver=new_id,
            confirmed=self._confirmed,
            absence=timedelta(minutes=sending.absence_minutes),
            receives_events=environment.sendgrid_webhook_key is not None,
            logs=self.email_logs,
        )

    @cached_property
    def event_intake(self) -> EventIntake:
        from newsletter.adapters.sendgrid.webhook import SendGridEvents
        from newsletter.services.event_intake import EventIntake
        from newsletter.stores.duties import EVENTS

        read = SendGridEvents(self.settings.environment.sendgrid_webhook_key).read
        on = self.for_duty(EVENTS)  # its connections; what this process saw of the line is one
        return EventIntake(
            read,
            on.events,
            on.subscriptions,
            self.webhook_line,
            on.sending_limits,
            on.schedule_store,
            self.clock,
        )

    @cached_property
    def unsubscribe_by_mail(self) -> UnsubscribeByMail:
        from newsletter.services.unsubscribe_mail import UnsubscribeByMail
        from newsletter.stores.duties import UNSUBSCRIBING

        counters = self.event_intake.counters
        subscriptions = self.for_duty(UNSUBSCRIBING).subscriptions
        return UnsubscribeByMail(self.settings.newsletters, subscriptions, self.clock, counters)

    @cached_property
    def archive(self) -> Archive:
        from newsletter.services.archive import Archive

        return Archive(
            self.issues,
            self.issue_history,
            self.briefs,
            self.decisions,
            self.deliveries,
            self.issue_edits,
        )

    @cached_property
    def today(self) -> TodayOverviews:
        from newsletter.services.today import TodayOverviews

        return TodayOverviews(self.archive, self.issues, self.schedule_store, self.clock)
