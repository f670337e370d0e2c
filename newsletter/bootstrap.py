"""The composition root: the only place that chooses who answers which port.

It is long because it is a list, one part after another. Rooms that take long to load (the web, the
press, the queue, the vendors' clients) are imported by the part that first needs them: most
commands need few, and a person waits for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from newsletter.adapters.clock import SystemClock, new_id, roll
from newsletter.adapters.database import make_engine, migrate
from newsletter.adapters.disposable import is_disposable
from newsletter.adapters.embedded import embedded_url
from newsletter.adapters.eml import to_eml
from newsletter.adapters.journal import (
    JournaledBrakes,
    JournaledBriefs,
    JournaledDeliveries,
    JournaledEvents,
    JournaledIssues,
    JournaledSources,
    JournaledUnknowns,
)
from newsletter.adapters.leadership import AdvisoryLeadership
from newsletter.adapters.notices import log_notice
from newsletter.adapters.sendgrid.webhook import SendGridEvents
from newsletter.adapters.stores.briefs import Briefs
from newsletter.adapters.stores.correspondence import Outbox
from newsletter.adapters.stores.decisions import DecisionLog
from newsletter.adapters.stores.deliveries import Deliveries
from newsletter.adapters.stores.issues import Issues
from newsletter.adapters.stores.people import Letters
from newsletter.adapters.stores.sunset import LettersSent
from newsletter.adapters.stores.troubles import unknown_issues
from newsletter.adapters.stores.volume import accepted_since
from newsletter.adapters.stores.watch import Watches
from newsletter.core.correspondence import CorrespondenceKind
from newsletter.errors import ConfigurationError
from newsletter.services.addressing import Addressing
from newsletter.services.alerting import Alerting
from newsletter.services.braking import Braking
from newsletter.services.calendar import Calendar
from newsletter.services.correspondence import Correspondence
from newsletter.services.dispatch import Dispatch
from newsletter.services.feedback import Feedback
from newsletter.services.inquiry import Inquiry
from newsletter.services.intake import Intake
from newsletter.services.list_health import HealthDesk
from newsletter.services.people import People
from newsletter.services.polling import Polling
from newsletter.services.preview import Previews
from newsletter.services.publishing import Publishing
from newsletter.services.retention import Retention
from newsletter.services.settling import Settling
from newsletter.services.signing_up import SigningUp
from newsletter.services.sunset import Sunset
from newsletter.services.suppressing import Suppressing
from newsletter.settings import Settings
from subscribers.health import ListHealth
from subscribers.lists import Lists
from subscribers.records import Records
from subscribers.segments import Segments
from subscribers.service import Subscriptions
from subscribers.signups import SignUps
from subscribers.store.health import PostgresHealth
from subscribers.store.lists import PostgresLists
from subscribers.store.records import PostgresRecords
from subscribers.store.segments import PostgresSegments
from subscribers.store.signups import PostgresSignUps
from subscribers.store.store import PostgresStore
from subscribers.store.sunsets import PostgresSunsets
from subscribers.sunsets import Sunsets

if TYPE_CHECKING:
    from fastapi import FastAPI

    from newsletter.adapters.alerts import AppriseChannel
    from newsletter.adapters.jobs import JobQueue
    from newsletter.adapters.sendgrid.logs import SendGridLogs
    from newsletter.adapters.sendgrid.mailer import SendGridMailer
    from newsletter.adapters.sendgrid.suppressions import SendGridLists
    from newsletter.rendering.notes import NotePress
    from newsletter.rendering.renderer import Renderer
    from newsletter.scheduler import Chore
    from newsletter.web.health import Health
    from newsletter.web.inbound import Inbound


_SUNSET_SECONDS = 60 * 60  #: how often a portion of the silent is asked
_FORGET_SECONDS = 6 * 60 * 60  #: how often it is asked what was kept long enough
_WRITE_SECONDS = 2  #: how often letters to one person leave
_LOOK_UP_SECONDS = 30  #: how often it is asked which unknown batches to look for in Email Logs
_SYNC_EVERY = timedelta(hours=6)  #: SendGrid's own suppression lists; windows overlap


@dataclass(frozen=True)
class House:
    """Every service, wired; each part is made when it is first asked for."""

    settings: Settings

    @cached_property
    def clock(self) -> SystemClock:
        return SystemClock()

    @cached_property
    def engine(self) -> Engine:
        """The database, migrated; embedded unless NEWSLETTER_DATABASE_URL names one."""
        environment = self.settings.environment
        url = environment.database_url
        engine = make_engine(
            url.get_secret_value() if url else embedded_url(environment.var / "postgres")
        )
        migrate(engine)
        return engine

    @cached_property
    def intake(self) -> Intake:
        return Intake(
            newsletters=self.settings.newsletters,
            briefs=self.briefs,
            issues=self._issues,
            decisions=self.decisions,
            clock=self.clock,
        )

    @cached_property
    def polling(self) -> Polling:
        from newsletter.adapters.sources.fetching import Fetcher, Limits
        from newsletter.adapters.sources.polling import HttpSourceReader

        chosen = self.settings.service.polling
        limits = Limits(
            largest_bytes=chosen.largest_bytes,
            seconds=chosen.timeout_seconds,
            allow_hosts=chosen.allow_hosts,
        )
        return Polling(
            intake=self.intake,
            sources=JournaledSources(self.engine),
            reader=HttpSourceReader(Fetcher(limits)),
            clock=self.clock,
            down_after=timedelta(hours=chosen.down_after_hours),
        )

    @cached_property
    def renderer(self) -> Renderer:
        from newsletter.rendering.renderer import Renderer

        return Renderer(self.settings.templates)

    @cached_property
    def publishing(self) -> Publishing:
        return Publishing(
            briefs=self.briefs,
            issues=self._issues,
            renderer=self.renderer,
            decisions=self.decisions,
            base_url=self.settings.public_url,
            clock=self.clock,
        )

    @cached_property
    def dispatch(self) -> Dispatch:
        sending = self.settings.service.sending
        dispatch = Dispatch(
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
    def braking(self) -> Braking:
        return Braking(
            brakes=JournaledBrakes(self.engine),
            issues=self._issues,
            decisions=self.decisions,
            clock=self.clock,
            fuse=self.settings.service.fuse,
        )

    @cached_property
    def settling(self) -> Settling:
        environment, sending = self.settings.environment, self.settings.service.sending
        return Settling(
            unknowns=JournaledUnknowns(self.engine),
            decisions=self.decisions,
            clock=self.clock,
            quiet=timedelta(minutes=sending.quiet_minutes),
            absence=timedelta(minutes=sending.absence_minutes),
            hears_events=environment.sendgrid_webhook_key is not None,
            logs=self.sendgrid_logs if environment.sendgrid_api_key else None,
        )

    @cached_property
    def sendgrid_logs(self) -> SendGridLogs:
        from newsletter.adapters.sendgrid.logs import SendGridLogs

        return SendGridLogs(
            api_key=self._api_key,
            host=self.settings.sendgrid_host,
            timeout=self.settings.service.sendgrid.timeout_seconds,
        )

    @cached_property
    def preview(self) -> Previews:
        return Previews(
            publishing=self.publishing,
            subscriptions=self.subscriptions,
            base_url=self.settings.public_url,
            to_eml=to_eml,
        )

    @cached_property
    def feedback(self) -> Feedback:
        return Feedback(
            source=SendGridEvents(self.settings.environment.sendgrid_webhook_key),
            events=JournaledEvents(self.engine),
            subscriptions=self.subscriptions,
            clock=self.clock,
        )

    @cached_property
    def suppressing(self) -> Suppressing:
        return Suppressing(
            subscriptions=self.subscriptions,
            events=JournaledEvents(self.engine),
            decisions=self.decisions,
            clock=self.clock,
        )

    @cached_property
    def sendgrid_lists(self) -> SendGridLists:
        from newsletter.adapters.sendgrid.suppressions import SendGridLists

        return SendGridLists(
            api_key=self._api_key,
            host=self.settings.sendgrid_host,
            timeout=self.settings.service.sendgrid.timeout_seconds,
        )

    @cached_property
    def inquiry(self) -> Inquiry:
        return Inquiry(
            issues=self._issues, deliveries=self._deliveries, subscriptions=self.subscriptions
        )

    @cached_property
    def app(self) -> FastAPI:
        """The web application."""
        from newsletter.web.app import create_app
        from newsletter.web.signup_room import SignUpRoom

        return create_app(
            newsletters=self.settings.newsletters,
            publishing=self.publishing,
            subscriptions_desk=self.subscriptions,
            feedback=self.feedback,
            now=self.clock.now,
            templates=self.settings.templates,
            health_room=self.health,
            inbound_room=self.inbound,
            people=self.people,
            sunsets=self.sunsets,
            movers=self.signing_up,
            signup_room=SignUpRoom(
                signing_up=self.signing_up,
                forms_key=lambda: self.signups.forms_key,
                base_url=self.settings.public_url,
            ),
        )

    @cached_property
    def inbound(self) -> Inbound:
        from newsletter.adapters.sendgrid.inbound import read_letter
        from newsletter.services.farewells import Farewells
        from newsletter.web.inbound import Inbound

        key = self.settings.environment.inbound_key
        farewells = Farewells(
            newsletters=self.settings.newsletters,
            subscriptions=self.subscriptions,
            clock=self.clock,
            counters=self.feedback.counters,
        )
        return Inbound(
            farewells=farewells, read=read_letter, key=key.get_secret_value() if key else None
        )

    @cached_property
    def health(self) -> Health:
        from newsletter.adapters.metrics import Metrics
        from newsletter.adapters.vitals import vital_signs
        from newsletter.web.health import Health

        token = self.settings.environment.metrics_token
        return Health(
            signs=partial(vital_signs, self.engine),
            metrics=Metrics(
                self.engine,
                account=self._deliveries.account,
                counts=self.feedback.counters.values,
            ),
            token=token.get_secret_value() if token else None,
        )

    @cached_property
    def scheduler(self) -> Any:
        """The clock that asks; not started."""
        from newsletter.scheduler import make_scheduler

        return make_scheduler(
            self.settings.newsletters,
            calendar=self.calendar,
            dispatch=self.dispatch,
            leadership=self.leadership,
            polling=self.polling,
            alerting=self.alerting,
            sync=self._sync_if_due,
            chores=self._chores(),
        )

    def _chores(self) -> Iterator[Chore]:
        """Yield what the leader does now and then besides."""
        from newsletter.scheduler import Chore

        yield Chore("look up", _LOOK_UP_SECONDS, self.settling.by_logs)
        yield Chore("correspond", _WRITE_SECONDS, self.correspondence.deliver)
        yield Chore("unconfirmed", _FORGET_SECONDS, self.signing_up.sweep)
        yield Chore("retention", _FORGET_SECONDS, self.retention.expire)
        if any(one.sunset for one in self.settings.newsletters.values()):
            yield Chore("sunset", _SUNSET_SECONDS, self.sunset.run)

    def _sync_if_due(self) -> None:
        if self.suppressing.is_due(_SYNC_EVERY):
            self.suppressing.sync(self.sendgrid_lists, by="clock")

    @cached_property
    def calendar(self) -> Calendar:
        return Calendar(
            publishing=self.publishing,
            dispatch=self.dispatch,
            gather=self.polling.poll_due,
            book=self._watches,
            notify=self.alerting.tell,
            clock=self.clock,
        )

    @cached_property
    def channels(self) -> tuple[AppriseChannel, ...]:
        """The channels that operators named; ConfigurationError if one is none."""
        from newsletter.adapters.alerts import open_channels

        urls = self.settings.environment.alerts
        return open_channels(urls.get_secret_value()) if urls else ()

    def open_log(self) -> None:
        """Let this process, which nobody watches, write a structured log on stderr."""
        from newsletter.adapters.alerts import split_urls
        from newsletter.adapters.logs import configure_logging

        secrets = self.settings.environment.secrets
        configure_logging(secrets=(*secrets, *(url for one in secrets for url in split_urls(one))))

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
    def leadership(self) -> AdvisoryLeadership:
        return AdvisoryLeadership(self.engine)

    def close(self) -> None:
        """Let go of the connections that were opened."""
        for part, release in (("leadership", "release"), ("queue", "close"), ("engine", "dispose")):
            if part in self.__dict__:
                getattr(self.__dict__[part], release)()

    @cached_property
    def lists(self) -> Lists:
        return Lists(PostgresLists(self.engine))

    @cached_property
    def subscriptions(self) -> Subscriptions:
        return Subscriptions(PostgresStore(self.engine))

    @cached_property
    def list_health(self) -> HealthDesk:
        return HealthDesk(
            lists=ListHealth(PostgresHealth(self.engine)),
            accepted=partial(accepted_since, self.engine),
            clock=self.clock,
        )

    @cached_property
    def segments(self) -> Segments:
        return Segments(PostgresSegments(self.engine))

    @cached_property
    def records(self) -> Records:
        return Records(PostgresRecords(self.engine))

    @cached_property
    def _letters(self) -> Letters:
        return Letters(self.engine)

    @cached_property
    def people(self) -> People:
        return People(
            records=self.records,
            subscriptions=self.subscriptions,
            letters=self._letters,
            decisions=self.decisions,
            clock=self.clock,
        )

    @cached_property
    def retention(self) -> Retention:
        kept = self.settings.service.retention
        return Retention(
            events=self._letters,
            evidence=self.records,
            clock=self.clock,
            events_for=timedelta(days=kept.events_days) or None,
            evidence_for=timedelta(days=kept.evidence_days) or None,
        )

    @cached_property
    def sunsets(self) -> Sunsets:
        return Sunsets(PostgresSunsets(self.engine), LettersSent(self.engine))

    @cached_property
    def sunset(self) -> Sunset:
        return Sunset(
            newsletters=self.settings.newsletters,
            sunsets=self.sunsets,
            write=partial(self.correspondence.write, CorrespondenceKind.STILL_WANTED),
            clock=self.clock,
        )

    @cached_property
    def signups(self) -> SignUps:
        return SignUps(PostgresSignUps(self.engine))

    @cached_property
    def signing_up(self) -> SigningUp:
        return SigningUp(
            newsletters=self.settings.newsletters,
            signups=self.signups,
            subscriptions=self.subscriptions,
            writer=self.correspondence,
            merger=self.records,
            forgive=JournaledEvents(self.engine).forgive_soft_bounces,
            is_disposable=is_disposable,
            clock=self.clock,
        )

    @cached_property
    def note_press(self) -> NotePress:
        from newsletter.rendering.notes import NotePress

        return NotePress(self.settings.templates)

    @cached_property
    def correspondence(self) -> Correspondence:
        return Correspondence(
            newsletters=self.settings.newsletters,
            outbox=Outbox(self.engine),
            addressing=Addressing(
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
    def mailer(self) -> SendGridMailer:
        from newsletter.adapters.sendgrid.mailer import SendGridMailer

        return SendGridMailer(
            api_key=self._api_key,
            host=self.settings.sendgrid_host,
            timeout=self.settings.service.sendgrid.timeout_seconds,
            clock=self.clock,
        )

    @property
    def _api_key(self) -> str:
        key = self.settings.environment.sendgrid_api_key
        if key is None:
            raise ConfigurationError("SENDGRID_API_KEY is not set: there is no key to send with")
        return key.get_secret_value()

    @cached_property
    def queue(self) -> JobQueue:
        from newsletter.adapters.jobs import JobQueue

        return JobQueue(self.engine, concurrency=self.settings.service.sending.concurrency)

    @cached_property
    def briefs(self) -> Briefs:
        return JournaledBriefs(self.engine)

    @cached_property
    def _issues(self) -> Issues:
        return JournaledIssues(self.engine)

    @cached_property
    def _watches(self) -> Watches:
        return Watches(self.engine)

    @cached_property
    def _deliveries(self) -> Deliveries:
        return JournaledDeliveries(self.engine, self.settings.service.pace)

    @cached_property
    def decisions(self) -> DecisionLog:
        return DecisionLog(self.engine, self.clock)
