"""What runs by the clock, and whom it alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from newsletter.container.webhooks import WebhookParts

if TYPE_CHECKING:
    from newsletter.scheduler import RecurringJob
    from newsletter.services.alerting import Alerting
    from newsletter.services.operator_alerts import OperatorAlerts
    from newsletter.services.schedule import ScheduleRunner
    from newsletter.services.skipped_days import SkippedDays

_EMAIL_LOGS_SECONDS = 30  #: how often Email Logs may be asked about unknown batches
_PENDING_SECONDS = 1  #: how often unsubscribes that somebody was in the way of are applied
_TRANSACTIONAL_SECONDS = 2  #: how often transactional emails leave
_BY_HAND_SECONDS = 2  #: how often an issue sent by hand may be due
_LINKS_SECONDS = 60  #: how often the links of a waiting issue may be due
_PARTITIONS_SECONDS = 5 * 60  #: how often the next issues' partitions are made
_RETENTION_SECONDS = 6 * 60 * 60  #: how often what is too old is deleted
_WEBHOOK_SECONDS = 1  #: how often events for webhook endpoints may be due
_SUNSET_SECONDS = 60 * 60  #: how often a portion of the inactive readers is asked
_SYNC_EVERY = timedelta(hours=6)  #: SendGrid's own suppression lists; windows overlap


class ScheduleParts(WebhookParts):
    """What runs by the clock, and whom it alerts."""

    @cached_property
    def alerting(self) -> Alerting:
        from newsletter.adapters.alerts import log_alert
        from newsletter.services.alerting import Alerting

        return Alerting(
            self.settings.newsletters,
            self.alert_channels,
            log_alert,
            self.schedule_store,
            unknown=self._long_unknown,
            reports=self.polling.reports,
            doubled=self.deliveries.doubled_issues,
            quiet_period=timedelta(0),  # `_long_unknown` knows how long evidence is awaited
            clock=self.clock,
            console_url=self.settings.service.web.console_url,  # one for this machine only is none
        )

    def _long_unknown(self, asked_before: datetime) -> tuple[tuple[str, date], ...]:
        return self.unknown_batches.unknown_issues(asked_before - self.reconciling.patience)

    @cached_property
    def operator_alerts(self) -> OperatorAlerts:
        from newsletter.services.operator_alerts import OperatorAlerts
        from newsletter.stores.operator_alerts import OperatorAlertStore

        return OperatorAlerts(OperatorAlertStore(self.engine), self.decisions, self.clock)

    @cached_property
    def skipped_days(self) -> SkippedDays:
        from newsletter.services.skipped_days import SkippedDays

        return SkippedDays(
            self.publishing, self.schedule_store, self.issues, self.decisions, self.clock
        )

    @cached_property
    def schedule_runner(self) -> ScheduleRunner:
        from newsletter.services.schedule import ScheduleRunner

        return ScheduleRunner(
            publishing=self.publishing,
            planning=self.planning,
            gather=self.polling.poll_due,
            schedule=self.schedule_store,
            notify=self.alerting.deliver,
            clock=self.clock,
        )

    @cached_property
    def scheduler(self) -> Any:
        """The scheduler, not started."""
        from newsletter.scheduler import make_scheduler

        return make_scheduler(
            self.settings.newsletters,
            schedule=self.schedule_runner,
            recovery=self.recovery,
            leadership=self.leadership,
            polling=self.polling,
            alerting=self.alerting,
            sync=self._sync_if_due,
            jobs=self._recurring_jobs(),
        )

    def _recurring_jobs(self) -> Iterator[RecurringJob]:
        from newsletter.scheduler import RecurringJob

        yield RecurringJob("email logs", _EMAIL_LOGS_SECONDS, self.reconciling.by_logs)
        yield RecurringJob("unsubscribes", _PENDING_SECONDS, self.subscriptions.apply_pending)
        yield RecurringJob("transactional", _TRANSACTIONAL_SECONDS, self.transactional.send_waiting)
        yield RecurringJob(
            "approval letters", _TRANSACTIONAL_SECONDS, self.approval_letters.send_waiting
        )
        yield RecurringJob("by hand", _BY_HAND_SECONDS, self.sending_by_hand.run_due)
        yield RecurringJob("partitions", _PARTITIONS_SECONDS, self.partitions.prepare)
        yield RecurringJob("links", _LINKS_SECONDS, self.link_checks.run)
        yield RecurringJob("unconfirmed", _RETENTION_SECONDS, self.signing_up.delete_unconfirmed)
        yield RecurringJob("retention", _RETENTION_SECONDS, self.retention.expire)
        yield RecurringJob("staff", _RETENTION_SECONDS, self.staff_accounts.delete_expired)
        yield RecurringJob("webhooks", _WEBHOOK_SECONDS, self.webhook_sending.send_due)
        yield RecurringJob("old webhooks", _RETENTION_SECONDS, self.webhook_sending.delete_old)
        yield RecurringJob("api keys", _RETENTION_SECONDS, self.repeated_requests.delete_old)
        if any(one.sunset for one in self.settings.newsletters.values()):
            yield RecurringJob("sunset", _SUNSET_SECONDS, self.sunset.run)

    def _sync_if_due(self) -> None:
        if self.suppression_sync.is_due(_SYNC_EVERY):
            self.suppression_sync.sync(self.suppression_lists, by="clock")
