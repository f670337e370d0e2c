"""The database, the seams, and the connections by duty."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, Unpack

from newsletter.adapters.clock import SystemClock, new_id, new_ordered_id, roll
from newsletter.container import seams
from newsletter.container.seams import MigratedTables, Seams
from newsletter.errors import ConfigurationError
from newsletter.ports import Clock

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

    from newsletter.adapters.embedded import EmbeddedServer
    from newsletter.adapters.leadership import AdvisoryLeadership
    from newsletter.adapters.sendgrid.mailer import SendGridMailer
    from newsletter.ports import (
        AlertChannel,
        BatchQueue,
        CheckLink,
        EmailLogs,
        Mailer,
        SourceReader,
        StaffMailer,
        TransactionalMailer,
        VendorSuppressions,
    )
    from newsletter.services.installation import Installations
    from newsletter.settings import Settings
    from newsletter.stores.decisions import DecisionLog
    from newsletter.stores.duties import Duty


class DatabaseParts:
    """The database, the seams, and the connections by duty."""

    def __init__(self, settings: Settings, **given: Unpack[Seams]) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()
        self.new_id, self.dice = new_ordered_id, roll
        if unknown := given.keys() - Seams.__annotations__.keys():
            raise TypeError(f"no seams: {', '.join(sorted(unknown))}")
        self._given = frozenset(given)
        self._others: dict[Duty, Self] = {}
        vars(self).update(given)  # a cached property that has a value already is not called

    @cached_property
    def email_logs(self) -> EmailLogs | None:
        return seams.open_email_logs(self.settings)

    @cached_property
    def suppression_lists(self) -> VendorSuppressions:
        return seams.open_suppression_lists(self.settings)

    @cached_property
    def source_reader(self) -> SourceReader:
        return seams.open_source_reader(self.settings)

    @cached_property
    def check_link(self) -> CheckLink:
        return seams.open_link_checker(self.settings)

    @cached_property
    def alert_channels(self) -> Sequence[AlertChannel]:
        return seams.open_alert_channels(self.settings)

    @cached_property
    def leadership(self) -> AdvisoryLeadership:
        from newsletter.adapters.leadership import AdvisoryLeadership

        return AdvisoryLeadership(self.engine)

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
        embedded = self.settings.environment.database_url is None
        return seams.open_engine(self.database, embedded=embedded)

    def migrate(self, *, while_running: bool = False) -> MigratedTables:
        """Bring the tables up to date, before `engine` is asked for."""
        return seams.migrate_database(self.database, while_running=while_running)

    def for_duty(self, duty: Duty) -> Self:
        """Return the services on connections that have this duty only.

        Where an engine is given, all share it.
        """
        from newsletter.stores.database import make_engine

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
    def decisions(self) -> DecisionLog:
        from newsletter.stores.decisions import DecisionLog

        return DecisionLog(self.engine, self.clock)

    @cached_property
    def installations(self) -> Installations:
        from newsletter.services.installation import Installations
        from newsletter.stores.installation import InstallationStore

        store = InstallationStore(self.engine)
        return Installations(store, self.decisions, new_id, self.clock)

    @cached_property
    def _lease(self) -> timedelta:
        return timedelta(seconds=self.settings.service.sending.lease_seconds)

    def check_webhook_key(self) -> None:
        """Raise ConfigurationError if what is set as the webhook's public key is none."""
        from newsletter.adapters.sendgrid.webhook import SendGridEvents

        keys = self.settings.environment.sendgrid_webhook_key
        SendGridEvents(keys)
        if keys is not None and not keys.strip(" ,"):
            raise ConfigurationError("SENDGRID_WEBHOOK_KEY holds no public key")

    def give_way(self) -> None:
        """Let what readers wait for go first, for as long as this process works.

        The database is opened before: a server that is started here serves others, too.
        """
        seams.give_way(self.engine, self.settings.service.processes.niceness)

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
