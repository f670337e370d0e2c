"""Every service, wired from the parts it needs. It is long because it is a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from sqlalchemy import URL, Engine

from newsletter.adapters.alerts import log_alert
from newsletter.adapters.clock import SystemClock, new_id, new_token, roll
from newsletter.adapters.disposable import is_disposable
from newsletter.adapters.embedded import EmbeddedServer
from newsletter.adapters.eml import to_eml
from newsletter.adapters.leadership import AdvisoryLeadership
from newsletter.adapters.sendgrid.webhook import SendGridEvents
from newsletter.container import seams
from newsletter.container.seams import Seams
from newsletter.core.reconciliation import quiet_part
from newsletter.core.transactional import TransactionalKind
from newsletter.errors import ConfigurationError
from newsletter.ports import (
    BatchQueue,
    Clock,
    Mailer,
    PasskeyVerifier,
    PasswordHashes,
    StaffMailer,
    TotpCodes,
    TransactionalMailer,
)
from newsletter.services.alerting import Alerting
from newsletter.services.approval import Approvals
from newsletter.services.approval_letters import ApprovalLetters
from newsletter.services.approval_requests import ApprovalRequests
from newsletter.services.archive import Archive
from newsletter.services.bulk import BulkChanges
from newsletter.services.comparing import Comparing
from newsletter.services.editing import Editing
from newsletter.services.event_intake import EventIntake
from newsletter.services.explain import Explaining
from newsletter.services.figures import IssueFigures
from newsletter.services.forecast import Forecasts
from newsletter.services.halting import Halting
from newsletter.services.installation import Installations
from newsletter.services.intake import Intake
from newsletter.services.issue_people import IssuePeople
from newsletter.services.issue_remarks import IssueRemarks
from newsletter.services.letter_sizes import LetterSizes
from newsletter.services.link_checks import LinkChecks
from newsletter.services.list_changes import ListChanges
from newsletter.services.list_health import ListHealthReports
from newsletter.services.operator_alerts import OperatorAlerts
from newsletter.services.past_issues import PastIssues
from newsletter.services.people import People
from newsletter.services.planning import Planning, SendChecks
from newsletter.services.polling import Polling
from newsletter.services.preflight import Preflight
from newsletter.services.preview import Previews
from newsletter.services.provider_sign_in import ProviderSignIn
from newsletter.services.publishing import Publishing
from newsletter.services.reader_looks import ReaderLooks
from newsletter.services.reconciliation import Reconciling
from newsletter.services.results import Results
from newsletter.services.retention import Retention
from newsletter.services.review import Reviews
from newsletter.services.schedule import ScheduleRunner
from newsletter.services.sending import BatchMailer, Recovery, Sending
from newsletter.services.sending_by_hand import SendingByHand
from newsletter.services.sending_limits import SendingLimits
from newsletter.services.signing_in import SigningIn
from newsletter.services.signup import SigningUp
from newsletter.services.skipped_days import SkippedDays
from newsletter.services.staff_accounts import StaffAccounts
from newsletter.services.staff_credentials import ChangingCredentials
from newsletter.services.staff_letters import StaffLetters
from newsletter.services.staff_sessions import StaffSessions
from newsletter.services.sunset import Sunset
from newsletter.services.suppression_sync import SuppressionSync
from newsletter.services.today import TodayOverviews
from newsletter.services.transactional import TransactionalSender
from newsletter.services.transactional_context import TransactionalContexts
from newsletter.services.unsubscribe_mail import UnsubscribeByMail
from newsletter.settings import Settings
from newsletter.stores.approval_requests import ApprovalRequestStore
from newsletter.stores.briefs import BriefStore
from newsletter.stores.database import make_engine
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.deliveries import DeliveryStore
from newsletter.stores.duties import CHECKING, CONSOLE, EVENTS, PAGES, UNSUBSCRIBING, Duty
from newsletter.stores.events import EventStore
from newsletter.stores.installation import InstallationStore
from newsletter.stores.issue_edits import IssueEditStore
from newsletter.stores.issue_figures import IssueFigureStore
from newsletter.stores.issue_history import IssueHistory
from newsletter.stores.issue_people import IssuePeopleStore
from newsletter.stores.issues import IssueStore
from newsletter.stores.link_checks import LinkCheckStore
from newsletter.stores.operator_alerts import OperatorAlertStore
from newsletter.stores.person_history import PersonHistory
from newsletter.stores.preflight_ticks import PreflightTicks
from newsletter.stores.results import ResultStore
from newsletter.stores.schedule import ScheduleStore
from newsletter.stores.sending_limits import SendingLimitStore
from newsletter.stores.sent_letters import SentLetters
from newsletter.stores.sign_in_attempts import SignInAttemptStore
from newsletter.stores.sources import SourceStore
from newsletter.stores.staff import StaffStore
from newsletter.stores.staff_credentials import StaffCredentialStore
from newsletter.stores.staff_letters import StaffLetterStore
from newsletter.stores.staff_sessions import StaffSessionStore
from newsletter.stores.staff_tokens import FormKeyStore, StaffTokenStore
from newsletter.stores.transactional import TransactionalStore
from newsletter.stores.unknown_batches import UnknownBatchStore
from newsletter.stores.webhook_line import WebhookLineStore
from subscribers.bulk.service import BulkRows
from subscribers.health.service import ListHealth
from subscribers.lists.service import Lists
from subscribers.records.service import Records
from subscribers.segments.service import Segments
from subscribers.signup.service import SignUps
from subscribers.subscriptions.service import Subscriptions
from subscribers.sunset.service import Sunsets

if TYPE_CHECKING:
    from fastapi import FastAPI

    from newsletter.adapters.sendgrid.mailer import SendGridMailer
    from newsletter.rendering.kept_galleys import KeptGalleys
    from newsletter.rendering.renderer import IssueRenderer
    from newsletter.rendering.transactional import TransactionalRenderer
    from newsletter.scheduler import RecurringJob
    from newsletter.web.console.dependencies import ConsoleServices
    from newsletter.web.dependencies import WebServices

T = TypeVar("T")

_SUNSET_SECONDS = 60 * 60  #: how often a portion of the inactive readers is asked
_RETENTION_SECONDS = 6 * 60 * 60  #: how often what is too old is deleted
_PENDING_SECONDS = 1  #: how often unsubscribes that somebody was in the way of are applied
_TRANSACTIONAL_SECONDS = 2  #: how often transactional emails leave
_BY_HAND_SECONDS = 2  #: how often an issue sent by hand may be due
_LINKS_SECONDS = 60  #: how often the links of a waiting issue may be due
_TRANSACTIONAL_AT_ONCE = 8  #: ten in a second, where SendGrid takes 0.8 s to answer
_EMAIL_LOGS_SECONDS = 30  #: how often Email Logs may be asked about unknown batches
_SYNC_EVERY = timedelta(hours=6)  #: SendGrid's own suppression lists; windows overlap


def on_engine(make: Callable[[Engine], T]) -> cached_property[T]:
    """Return a part that needs nothing but the database."""
    return cached_property(lambda container: make(container.engine))


def from_settings(make: Callable[[Settings], T]) -> cached_property[T]:
    """Return a part that needs nothing but the settings."""
    return cached_property(lambda container: make(container.settings))


class Container:
    """Makes each part of the service when it is first asked for.

    What is `given` replaces a seam, and is left open by `close`. Any other part may be replaced by
    an assignment before its first use.
    """

    def __init__(self, settings: Settings, **given: Unpack[Seams]) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()
        self.new_id, self.dice = new_id, roll
        if unknown := given.keys() - Seams.__annotations__.keys():
            raise TypeError(f"no seams: {', '.join(sorted(unknown))}")
        self._given = frozenset(given)
        self._others: dict[Duty, Self] = {}
        vars(self).update(given)  # a cached property that has a value already is not called

    email_logs = from_settings(seams.open_email_logs)
    suppression_lists = from_settings(seams.open_suppression_lists)
    source_reader = from_settings(seams.open_source_reader)
    check_link = from_settings(seams.open_link_checker)
    alert_channels = from_settings(seams.open_alert_channels)
    leadership = on_engine(AdvisoryLeadership)

    @cached_property
    def embedded(self) -> EmbeddedServer | None:
        """The embedded server, not started; None where the database is another one."""
        return None if "engine" in self._given else seams.open_embedded(self.settings)

    @cached_property
    def database(self) -> URL:
        """The address of the database, which is not migrated before `engine` is asked for."""
        if "engine" in self._given:
            return self.engine.url
        return seams.open_database(self.settings, self.embedded)

    @cached_property
    def engine(self) -> Engine:
        return seams.open_engine(self.database)

    def for_duty(self, duty: Duty) -> Self:
        """Return the services on connections that have this duty only.

        Where an engine is given, all share it.
        """
        if "engine" in self._given:
            return self
        if duty not in self._others:
            given: Any = {name: vars(self)[name] for name in self._given}
            engine = make_engine(self.engine.url, duty)
            self._others[duty] = type(self)(self.settings, **given | {"engine": engine})
        return self._others[duty]

    @cached_property
    def queue(self) -> BatchQueue:
        return seams.open_queue(self.settings, self.engine)

    @cached_property
    def _sendgrid(self) -> SendGridMailer:
        return seams.open_mailer(self.settings, self.clock)

    @cached_property
    def mailer(self) -> Mailer:
        return self._sendgrid

    @cached_property
    def transactional_mailer(self) -> TransactionalMailer:
        return self._sendgrid

    @cached_property
    def staff_mailer(self) -> StaffMailer:
        return self._sendgrid

    @cached_property
    def staff_addresses(self) -> Callable[[], Iterable[str]]:
        """The confirmed addresses: of those who accepted their invitation."""

        def confirmed() -> Iterator[str]:
            members = self.staff_accounts.members()
            return (one.email for one in members if one.accepted_at)

        return confirmed

    briefs = on_engine(BriefStore)
    events = on_engine(EventStore)
    issue_history = on_engine(IssueHistory)
    issues = on_engine(IssueStore)
    issue_edits = on_engine(IssueEditStore)
    link_check_store = on_engine(LinkCheckStore)
    limit_store = on_engine(SendingLimitStore)
    person_history = on_engine(PersonHistory)
    schedule_store = on_engine(ScheduleStore)
    sources = on_engine(SourceStore)
    transactional_store = on_engine(TransactionalStore)
    unknown_batches = on_engine(UnknownBatchStore)

    @cached_property
    def decisions(self) -> DecisionLog:
        return DecisionLog(self.engine, self.clock)

    @cached_property
    def deliveries(self) -> DeliveryStore:
        return DeliveryStore(self.engine, self.settings.service.rate_limit)

    lists = on_engine(Lists)
    records = on_engine(Records)
    segments = on_engine(Segments)
    signups = on_engine(SignUps)
    subscriptions = on_engine(Subscriptions)

    approval_request_store = on_engine(ApprovalRequestStore)
    form_keys = on_engine(FormKeyStore)
    sign_in_attempts = on_engine(SignInAttemptStore)
    staff = on_engine(StaffStore)
    staff_credential_store = on_engine(StaffCredentialStore)
    staff_letter_store = on_engine(StaffLetterStore)
    staff_session_store = on_engine(StaffSessionStore)
    staff_tokens = on_engine(StaffTokenStore)

    @cached_property
    def staff_sessions(self) -> StaffSessions:
        return StaffSessions(self.staff_session_store, self.form_keys, new_token, self.clock)

    @cached_property
    def staff_accounts(self) -> StaffAccounts:
        return StaffAccounts(
            self.staff,
            self.staff_tokens,
            self.sign_in_attempts,
            self.form_keys,
            self.staff_sessions,
            self.decisions,
            newsletters=tuple(self.settings.newsletters),
            new_token=new_token,
            clock=self.clock,
        )

    @cached_property
    def password_hashes(self) -> PasswordHashes:
        from newsletter.adapters.staff.passwords import Argon2Passwords

        return Argon2Passwords()

    @cached_property
    def totp_codes(self) -> TotpCodes:
        from newsletter.adapters.staff.totp import AuthenticatorCodes

        return AuthenticatorCodes()

    @cached_property
    def passkey_verifier(self) -> PasskeyVerifier:
        from newsletter.adapters.staff.passkeys import WebAuthnPasskeys

        return WebAuthnPasskeys(self.settings.console_url)

    @cached_property
    def staff_credentials(self) -> ChangingCredentials:
        return ChangingCredentials(
            self.staff_credential_store,
            self.staff_tokens,
            self.decisions,
            self.password_hashes,
            self.totp_codes,
            self.passkey_verifier,
            new_token=new_token,
            clock=self.clock,
        )

    @cached_property
    def signing_in(self) -> SigningIn:
        return SigningIn(
            self.staff,
            self.staff_credential_store,
            self.staff_tokens,
            self.sign_in_attempts,
            self.staff_sessions,
            self.decisions,
            self.password_hashes,
            self.totp_codes,
            self.passkey_verifier,
            new_token=new_token,
            clock=self.clock,
        )

    identity_provider = from_settings(seams.open_identity_provider)

    @cached_property
    def provider_sign_in(self) -> ProviderSignIn:
        return ProviderSignIn(
            self.identity_provider,
            self.signing_in,
            self.staff,
            self.staff_credential_store,
            self.staff_tokens,
            self.decisions,
            new_token=new_token,
            clock=self.clock,
        )

    @cached_property
    def sunsets(self) -> Sunsets:
        letters = SentLetters(self.engine)
        return Sunsets(self.engine, delivered=letters.delivered, arrived=letters.arrived)

    @cached_property
    def list_health(self) -> ListHealthReports:
        accepted = SentLetters(self.engine).accepted_since
        return ListHealthReports(ListHealth(self.engine), accepted, self.clock)

    @cached_property
    def installations(self) -> Installations:
        store = InstallationStore(self.engine)
        return Installations(store, self.decisions, self.new_id, self.clock)

    @cached_property
    def suppression_sync(self) -> SuppressionSync:
        return SuppressionSync(self.subscriptions, self.events, self.decisions, self.clock)

    @cached_property
    def people(self) -> People:
        return People(
            self.records, self.subscriptions, self.person_history, self.decisions, self.clock
        )

    @cached_property
    def bulk_rows(self) -> BulkRows:
        return BulkRows(self.engine)

    @cached_property
    def bulk_changes(self) -> BulkChanges:
        return BulkChanges(
            self.people, self.records, self.subscriptions, self.decisions, self.clock
        )

    @cached_property
    def retention(self) -> Retention:
        retained = self.settings.service.retention
        return Retention(
            events=self.person_history,
            evidence=self.records,
            clock=self.clock,
            events_for=timedelta(days=retained.events_days) or None,
            evidence_for=timedelta(days=retained.evidence_days) or None,
        )

    @cached_property
    def intake(self) -> Intake:
        from newsletter.adapters.sources.cleaning import plain

        newsletters = self.settings.newsletters
        return Intake(
            newsletters, self.briefs, self.issues, self.decisions, self.clock, clean=plain
        )

    @cached_property
    def polling(self) -> Polling:
        down_after = timedelta(hours=self.settings.service.polling.down_after_hours)
        return Polling(
            self.intake,
            self.briefs,
            self.issues,
            self.schedule_store,
            self.sources,
            self.source_reader,
            self.clock,
            down_after,
        )

    @cached_property
    def renderer(self) -> IssueRenderer:
        from newsletter.rendering.renderer import IssueRenderer

        return IssueRenderer(self.settings.templates)

    @cached_property
    def publishing(self) -> Publishing:
        url, kept = self.settings.public_url, self._kept_galleys
        sizes = self.letter_sizes
        return Publishing(self.briefs, self.issues, kept, self.approvals, sizes, url, self.clock)

    @cached_property
    def issue_remarks(self) -> IssueRemarks:
        return IssueRemarks(self.publishing)

    @cached_property
    def letter_sizes(self) -> LetterSizes:
        return LetterSizes(self.subscriptions, self.settings.public_url)

    @cached_property
    def _kept_galleys(self) -> KeptGalleys:
        from newsletter.rendering.kept_galleys import KeptGalleys

        return KeptGalleys(self.renderer, self.settings.templates)

    @cached_property
    def approvals(self) -> Approvals:

        practice = self.settings.practice
        return Approvals(
            self.issues,
            self.issue_edits,
            self.schedule_store,
            self.staff,
            self.decisions,
            self.clock,
            practice,
        )

    @cached_property
    def editing(self) -> Editing:
        return Editing(
            self.publishing,
            self.approvals,
            self.briefs,
            self.issue_edits,
            self.decisions,
            self.clock,
        )

    @cached_property
    def preflight(self) -> Preflight:
        from newsletter.rendering.contrast import low_contrasts

        return Preflight(
            self.publishing,
            self.forecasts,
            self._kept_galleys,
            PastIssues(self.issue_history),
            self.link_check_store,
            PreflightTicks(self.engine),
            self.send_checks.obstacles,
            low_contrasts,
            self.clock,
        )

    @cached_property
    def approval_requests(self) -> ApprovalRequests:
        return ApprovalRequests(
            self.publishing,
            self.approval_request_store,
            self.approval_letters,
            self.decisions,
            self.clock,
        )

    @cached_property
    def approval_letters(self) -> ApprovalLetters:
        return ApprovalLetters(
            self.settings.newsletters,
            self.staff,
            self.staff_addresses,
            self.issues,
            self.approval_request_store,
            self.staff_letter_store,
            mailer=lambda: self.staff_mailer,
            installation_id=lambda: self.installations.current().id,
            console_url=self.settings.service.web.console_url,  # one for this machine only is none
        )

    @cached_property
    def comparing(self) -> Comparing:
        return Comparing(self.publishing, self.issues, self.issue_edits, self.briefs)

    @cached_property
    def sending_by_hand(self) -> SendingByHand:
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
        return Halting(self.publishing, self.sending_limits)

    @cached_property
    def reviews(self) -> Reviews:
        return Reviews(self.publishing, self.preflight)

    @cached_property
    def test_letters(self) -> StaffLetters:
        return StaffLetters(
            self.staff_addresses,
            self.staff_letter_store,
            mailer=lambda: self.staff_mailer,
            installation_id=lambda: self.installations.current().id,
            base_url=self.settings.public_url,
            clock=self.clock,
        )

    @cached_property
    def link_checks(self) -> LinkChecks:
        return LinkChecks(
            self.settings.newsletters,
            self.issues,
            self.issue_history,
            self.link_check_store,
            check=lambda: self.check_link,
            clock=self.clock,
        )

    @cached_property
    def previews(self) -> Previews:
        url = self.settings.public_url
        issues = self.issue_history
        clock = self.clock
        return Previews(self.publishing, self.subscriptions, issues, url, to_eml, clock)

    @cached_property
    def forecasts(self) -> Forecasts:
        return Forecasts(self.publishing, self.subscriptions, self.clock)

    @cached_property
    def figures(self) -> IssueFigures:
        return IssueFigures(IssueFigureStore(self.engine), self.clock)

    @cached_property
    def results(self) -> Results:
        return Results(ResultStore(self.engine), self.clock)

    @cached_property
    def issue_people(self) -> IssuePeople:
        return IssuePeople(IssuePeopleStore(self.engine), self.decisions)

    @cached_property
    def list_changes(self) -> ListChanges:
        return ListChanges(ListHealth(self.engine))

    @cached_property
    def explaining(self) -> Explaining:
        return Explaining(self.issues, self.deliveries, self.subscriptions)

    @cached_property
    def _lease(self) -> timedelta:
        return timedelta(seconds=self.settings.service.sending.lease_seconds)

    @cached_property
    def send_checks(self) -> SendChecks:
        host = self.settings.sendgrid_host
        return SendChecks(self.mailer, public_url=self.settings.public_url, sendgrid_host=host)

    @cached_property
    def planning(self) -> Planning:
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
        return BatchMailer(self.settings.newsletters, self.publishing, self.issues, self.mailer)

    @cached_property
    def sending(self) -> Sending:
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
        return Recovery(
            self.deliveries, self.sending_limits, self.reconciling, self.queue, self.clock
        )

    @cached_property
    def sending_limits(self) -> SendingLimits:
        breaker = self.settings.service.circuit_breaker
        return SendingLimits(self.limit_store, self.issues, self.decisions, self.clock, breaker)

    @property
    def _quiet_period(self) -> timedelta:
        return timedelta(minutes=self.settings.service.sending.quiet_minutes)

    @cached_property
    def webhook_line(self) -> WebhookLineStore:
        shortest = self._confirmed or self._quiet_period
        return WebhookLineStore(self.engine, spacing=quiet_part(shortest) / 4)

    @property
    def _confirmed(self) -> timedelta:
        confirmed = timedelta(minutes=self.settings.service.sending.confirmed_minutes)
        return min(confirmed, self._quiet_period)

    @cached_property
    def reconciling(self) -> Reconciling:
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

    def check_webhook_key(self) -> None:
        """Raise ConfigurationError if what is set as the webhook's public key is none."""
        keys = self.settings.environment.sendgrid_webhook_key
        SendGridEvents(keys)
        if keys is not None and not keys.strip(" ,"):
            raise ConfigurationError("SENDGRID_WEBHOOK_KEY holds no public key")

    @cached_property
    def event_intake(self) -> EventIntake:
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
    def transactional_renderer(self) -> TransactionalRenderer:
        from newsletter.rendering.transactional import TransactionalRenderer

        return TransactionalRenderer(self.settings.templates)

    @cached_property
    def transactional(self) -> TransactionalSender:
        url = self.settings.public_url
        names = {slug: one.name for slug, one in self.settings.newsletters.items()}
        return TransactionalSender(
            self.settings.newsletters,
            self.transactional_store,
            TransactionalContexts(self.subscriptions, self.signups, self.issues, url, names),
            compose=self.transactional_renderer.compose,
            mailer=lambda: self.transactional_mailer,
            save_alert=self.schedule_store.queue_alert,
            clock=self.clock,
            lease=self._lease,
            at_once=_TRANSACTIONAL_AT_ONCE,
        )

    @cached_property
    def signing_up(self) -> SigningUp:
        return SigningUp(
            self.settings.newsletters,
            self.signups,
            self.subscriptions,
            self.transactional,
            self.events,
            is_disposable,
            self.clock,
        )

    @cached_property
    def sunset(self) -> Sunset:
        ask = partial(self.transactional.queue, TransactionalKind.STILL_WANTED)
        return Sunset(self.settings.newsletters, self.sunsets, ask, self.clock)

    @cached_property
    def alerting(self) -> Alerting:
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
        return OperatorAlerts(OperatorAlertStore(self.engine), self.decisions, self.clock)

    @cached_property
    def skipped_days(self) -> SkippedDays:
        return SkippedDays(
            self.publishing, self.schedule_store, self.issues, self.decisions, self.clock
        )

    @cached_property
    def schedule_runner(self) -> ScheduleRunner:
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
        yield RecurringJob("links", _LINKS_SECONDS, self.link_checks.run)
        yield RecurringJob("unconfirmed", _RETENTION_SECONDS, self.signing_up.delete_unconfirmed)
        yield RecurringJob("retention", _RETENTION_SECONDS, self.retention.expire)
        yield RecurringJob("staff", _RETENTION_SECONDS, self.staff_accounts.delete_expired)
        if any(one.sunset for one in self.settings.newsletters.values()):
            yield RecurringJob("sunset", _SUNSET_SECONDS, self.sunset.run)

    def _sync_if_due(self) -> None:
        if self.suppression_sync.is_due(_SYNC_EVERY):
            self.suppression_sync.sync(self.suppression_lists, by="clock")

    @cached_property
    def unsubscribe_by_mail(self) -> UnsubscribeByMail:
        counters = self.event_intake.counters
        subscriptions = self.for_duty(UNSUBSCRIBING).subscriptions
        return UnsubscribeByMail(self.settings.newsletters, subscriptions, self.clock, counters)

    @cached_property
    def web_services(self) -> WebServices:
        from newsletter.adapters.metrics import Metrics
        from newsletter.adapters.sendgrid.inbound import read_mail
        from newsletter.stores.healthcheck import UNANSWERED, check_health
        from newsletter.web.dependencies import WebServices
        from newsletter.web.form_tokens import FormTokens
        from newsletter.web.pages import Pages

        pages, unsubscribing = self.for_duty(PAGES), self.for_duty(UNSUBSCRIBING)
        key, token = self.settings.environment.inbound_key, self.settings.environment.metrics_token
        return WebServices(
            newsletters=self.settings.newsletters,
            public_url=self.settings.public_url,
            now=self.clock.now,
            pages=Pages(self.settings.templates),
            form_tokens=FormTokens(lambda: pages.signups.forms_key, self.clock.now),
            publishing=pages.publishing,
            subscriptions=pages.subscriptions,
            unsubscribing=unsubscribing.subscriptions,
            people=pages.people,
            signup=pages.signing_up,
            sunsets=pages.sunsets,
            event_intake=self.event_intake,
            unsubscribe_by_mail=self.unsubscribe_by_mail,
            read_mail=read_mail,
            inbound_key=key.get_secret_value() if key else None,
            healthcheck=partial(check_health, self.for_duty(CHECKING).engine),
            metrics=Metrics(
                pages.engine,
                totals=pages.deliveries.totals,
                counts=self.event_intake.counters.values,
            ),
            metrics_token=token.get_secret_value() if token else None,
            unanswered=UNANSWERED,
            threads={
                "pages": PAGES.connections,
                "webhook": EVENTS.connections,
                "unsubscribe": UNSUBSCRIBING.connections,
            },
        )

    @cached_property
    def archive(self) -> Archive:
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
        return TodayOverviews(self.archive, self.issues, self.schedule_store, self.clock)

    @cached_property
    def console_services(self) -> ConsoleServices:
        from newsletter.stores.healthcheck import UNANSWERED, UNREADABLE
        from newsletter.web.console.dependencies import ConsoleServices
        from newsletter.web.console.pages import ConsolePages
        from subscribers.errors import ConcurrentChange

        practice, oidc = self.settings.practice, self.settings.service.web.oidc
        return ConsoleServices(
            newsletters=self.settings.newsletters,
            url=self.settings.console_url,
            practice=practice,
            unanswered=(*UNANSWERED, ConcurrentChange),
            unreadable=UNREADABLE,
            now=self.clock.now,
            pages=ConsolePages(self.settings.templates, practice=practice),
            sessions=self.staff_sessions,
            signing_in=self.signing_in,
            provider_sign_in=self.provider_sign_in,
            provider_name=oidc.name if oidc else "",
            staff_accounts=self.staff_accounts,
            today=self.today,
            archive=self.archive,
            forecasts=self.forecasts,
            previews=self.previews,
            issue_remarks=self.issue_remarks,
            preflight=self.preflight,
            reviews=self.reviews,
            editing=self.editing,
            comparing=self.comparing,
            approval_requests=self.approval_requests,
            test_letters=self.test_letters,
            credentials=self.staff_credentials,
            staff_addresses=self.staff_addresses,
            intake=self.intake,
            polling=self.polling,
            publishing=self.publishing,
            sending_by_hand=self.sending_by_hand,
            figures=self.figures,
            list_changes=self.list_changes,
            results=self.results,
            issue_people=self.issue_people,
            alerts=self.operator_alerts,
            skipped_days=self.skipped_days,
            halting=self.halting,
            limits=self.sending_limits,
            reconciling=self.reconciling,
            recovery=self.recovery,
            explaining=self.explaining,
            people=self.people,
            reader_looks=ReaderLooks(self.staff_tokens, self.archive, new_token, self.clock),
            records=self.records,
            subscriptions=self.subscriptions,
        )

    @cached_property
    def console(self) -> FastAPI:
        from dataclasses import replace

        from newsletter.web.console.app import create_console

        # To plan an issue takes longer than to show a page, and so does to stop it meanwhile.
        services = replace(
            self.for_duty(CONSOLE).console_services,
            sending_by_hand=self.sending_by_hand,
            halting=self.halting,
        )
        return create_console(services)

    @cached_property
    def app(self) -> FastAPI:
        from newsletter.web.app import create_app

        return create_app(self.web_services)

    def open_log(self) -> None:
        """Write a structured log to stderr, in a process that nobody watches."""
        from newsletter.adapters.alerts import split_urls
        from newsletter.adapters.logs import configure_logging

        secrets = self.settings.environment.secrets
        configure_logging(secrets=(*secrets, *(url for one in secrets for url in split_urls(one))))

    def close(self) -> None:
        """Close the connections that this container opened."""
        for other in self._others.values():
            other.engine.dispose()
        for part, release in (("leadership", "release"), ("queue", "close"), ("engine", "dispose")):
            if part in vars(self) and part not in self._given:
                getattr(vars(self)[part], release)()
