"""The ground floor: settings, clock, database, stores, and the vendors' clients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import URL, Engine

from newsletter.adapters.clock import SystemClock
from newsletter.adapters.embedded import EmbeddedServer, open_server
from newsletter.adapters.journal import (
    JournaledBriefs,
    JournaledDeliveries,
    JournaledIssues,
)
from newsletter.adapters.leadership import AdvisoryLeadership
from newsletter.errors import ConfigurationError
from newsletter.settings import Settings
from newsletter.stores.briefs import BriefStore
from newsletter.stores.database import database_url, make_engine, migrate
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.deliveries import DeliveryStore
from newsletter.stores.issues import IssueStore
from newsletter.stores.schedule import ScheduleStore

if TYPE_CHECKING:
    from newsletter.adapters.alerts import AppriseChannel
    from newsletter.adapters.jobs import JobQueue
    from newsletter.adapters.sendgrid.logs import SendGridLogs
    from newsletter.adapters.sendgrid.mailer import SendGridMailer
    from newsletter.adapters.sendgrid.suppressions import SendGridLists


@dataclass(frozen=True)
class Ground:
    """What every room stands on."""

    settings: Settings

    @cached_property
    def clock(self) -> SystemClock:
        return SystemClock()

    @cached_property
    def engine(self) -> Engine:
        """The database, migrated; embedded unless NEWSLETTER_DATABASE_URL names one."""
        engine = make_engine(self.database)
        migrate(engine)
        return engine

    @cached_property
    def embedded(self) -> EmbeddedServer | None:
        """The embedded PostgreSQL, not started; None where NEWSLETTER_DATABASE_URL names one."""
        environment = self.settings.environment
        return None if environment.database_url else open_server(environment.var / "postgres")

    @cached_property
    def database(self) -> URL:
        """Where the database is; nothing in it has been looked at or changed."""
        url = self.settings.environment.database_url
        if url:
            return database_url(url.get_secret_value())
        assert self.embedded
        return self.embedded.start()

    @cached_property
    def briefs(self) -> BriefStore:
        return JournaledBriefs(self.engine)

    @cached_property
    def _issues(self) -> IssueStore:
        return JournaledIssues(self.engine)

    @cached_property
    def _watches(self) -> ScheduleStore:
        return ScheduleStore(self.engine)

    @cached_property
    def _deliveries(self) -> DeliveryStore:
        return JournaledDeliveries(self.engine, self.settings.service.pace)

    @cached_property
    def decisions(self) -> DecisionLog:
        return DecisionLog(self.engine, self.clock)

    @cached_property
    def queue(self) -> JobQueue:
        from newsletter.adapters.jobs import JobQueue

        return JobQueue(self.engine, concurrency=self.settings.service.sending.concurrency)

    @property
    def _api_key(self) -> str:
        key = self.settings.environment.sendgrid_api_key
        if key is None:
            raise ConfigurationError("SENDGRID_API_KEY is not set: there is no key to send with")
        return key.get_secret_value()

    @cached_property
    def mailer(self) -> SendGridMailer:
        from newsletter.adapters.sendgrid.mailer import SendGridMailer

        return SendGridMailer(
            api_key=self._api_key,
            host=self.settings.sendgrid_host,
            timeout=self.settings.service.sendgrid.timeout_seconds,
            clock=self.clock,
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
    def sendgrid_lists(self) -> SendGridLists:
        from newsletter.adapters.sendgrid.suppressions import SendGridLists

        return SendGridLists(
            api_key=self._api_key,
            host=self.settings.sendgrid_host,
            timeout=self.settings.service.sendgrid.timeout_seconds,
        )

    @cached_property
    def channels(self) -> tuple[AppriseChannel, ...]:
        """The channels that operators named; ConfigurationError if one is none."""
        from newsletter.adapters.alerts import open_channels

        urls = self.settings.environment.alerts
        return open_channels(urls.get_secret_value()) if urls else ()

    @cached_property
    def leadership(self) -> AdvisoryLeadership:
        return AdvisoryLeadership(self.engine)

    def open_log(self) -> None:
        """Let this process, which nobody watches, write a structured log on stderr."""
        from newsletter.adapters.alerts import split_urls
        from newsletter.adapters.logs import configure_logging

        secrets = self.settings.environment.secrets
        configure_logging(secrets=(*secrets, *(url for one in secrets for url in split_urls(one))))

    def close(self) -> None:
        """Let go of the connections that were opened."""
        for part, release in (("leadership", "release"), ("queue", "close"), ("engine", "dispose")):
            if part in self.__dict__:
                getattr(self.__dict__[part], release)()
