"""What looks at the whole installation from within and from outside."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from newsletter.container import seams
from newsletter.container.schedule import ScheduleParts

if TYPE_CHECKING:
    from pathlib import Path

    from newsletter.ports import SenderAccount
    from newsletter.services.doctor import Doctor, Installed
    from newsletter.services.settings_checks import KnownSettings, SettingsChecks
    from newsletter.services.setup_examination import SetupExamination
    from newsletter.services.setup_letters import SetupLetters
    from newsletter.services.setup_reports import SetupReports
    from newsletter.stores.server_checks import ServerChecks

LONGEST_CHECK = 30.0  #: seconds


class DoctorParts(ScheduleParts):
    """What looks at the whole installation from within and from outside."""

    @cached_property
    def sender_account(self) -> SenderAccount:
        return seams.open_sender_account(self.settings, self.clock)

    @cached_property
    def setup_letters(self) -> SetupLetters:
        from newsletter.adapters.sendgrid.payload import staff_arguments
        from newsletter.services.setup_letters import SetupLetters

        return SetupLetters(
            self.publishing,
            self.renderer,
            rehearsal=lambda: self._sendgrid,
            staff_letters=self.test_letters,
            events=self.events,
            arguments=staff_arguments,
            installation_id=lambda: self.installations.current().id,
            pause=time.sleep,
            clock=self.clock,
        )

    @cached_property
    def settings_checks(self) -> SettingsChecks:
        from newsletter.services.settings_checks import SettingsChecks

        return SettingsChecks(
            known=self._known_settings,
            server=self._server_checks,
            renderer=self.renderer,
            check_transactional=self.transactional_renderer.check_all,
            issues=lambda: self.issues,
            letter_sizes=lambda: self.letter_sizes,
            mailer=lambda: self.mailer,
            mailable=lambda slug: self.subscriptions.counts(slug).mailable,
            check_webhook_key=self.check_webhook_key,
            reconciling=lambda: self.reconciling,
            alert_channels=lambda: self.alert_channels,
            provider=lambda: self.identity_provider,
            clock=self.clock,
        )

    def setup_examination(
        self,
        *,
        name_servers: Sequence[str] = (),
        seconds: float = LONGEST_CHECK,
        backups: Path | None = None,
    ) -> SetupExamination:
        """Return what makes every check; each may take so many seconds."""
        from newsletter.adapters.machine import measure, newest_backup
        from newsletter.services.setup_examination import SetupExamination

        environment = self.settings.environment
        folder = backups or environment.backups
        return SetupExamination(
            self.settings_checks,
            self.doctor(name_servers=name_servers, seconds=seconds / 3),
            newsletters=[one for one in self.settings.newsletters.values() if one.week_of is None],
            server=self._server_checks,
            measure=lambda: measure(environment.var),
            newest_backup=(lambda: newest_backup(folder)) if folder else None,
            seconds=seconds,
            clock=self.clock,
        )

    @cached_property
    def setup_reports(self) -> SetupReports:
        from newsletter.adapters.background import in_background
        from newsletter.services.setup_reports import SetupReports
        from newsletter.stores.setup_reports import SetupReportStore

        return SetupReports(
            SetupReportStore(self.engine),
            examine=lambda: self.setup_examination().run(),
            in_background=in_background,
            clock=self.clock,
        )

    def doctor(self, *, name_servers: Sequence[str] = (), seconds: float = 10) -> Doctor:
        """Return what makes the checks; each request it makes waits for at most so many seconds."""
        from newsletter.adapters.name_lookup import NameLookup
        from newsletter.adapters.public_site import HttpPublicSite
        from newsletter.services.doctor import Doctor
        from newsletter.services.setup_checks import AskedOnce

        return Doctor(
            self._installed,
            account=lambda: self.sender_account,
            site=HttpPublicSite(self.settings.public_url, seconds=seconds),
            lookup=AskedOnce(lambda: NameLookup(name_servers, seconds=min(4, seconds / 2))),
            letters=lambda: self.setup_letters,
            readers=lambda slug: self.subscriptions.counts(slug).mailable,
            own_key=lambda: self.signups.forms_key,
            clock=self.clock,
        )

    def _server_checks(self) -> ServerChecks:
        from newsletter.stores.server_checks import ServerChecks

        environment = self.settings.environment
        folder = environment.var / "postgres" if environment.database_url is None else None
        return ServerChecks(self.engine, embedded=folder)

    @property
    def _known_settings(self) -> KnownSettings:
        from newsletter.services.settings_checks import KnownSettings

        settings = self.settings
        return KnownSettings(
            newsletters=settings.newsletters,
            public_url=settings.public_url,
            console_url=settings.console_url,
            sendgrid_host=settings.sendgrid_host,
            trusted_proxies=settings.service.web.trusted_proxies,
            rate_limit=settings.service.rate_limit,
            has_provider=settings.service.web.oidc is not None,
        )

    @property
    def _installed(self) -> Installed:
        from newsletter.services.doctor import Installed

        settings, environment = self.settings, self.settings.environment
        keys = (environment.sendgrid_webhook_key or "").split(",")
        everything = settings.newsletters.values()
        return Installed(
            newsletters=[one for one in everything if one.week_of is None],
            digests=[one for one in everything if one.week_of is not None],
            public_url=settings.public_url,
            sendgrid_host=settings.sendgrid_host,
            webhook_keys=frozenset(one.strip() for one in keys if one.strip()),
            has_inbound_key=environment.inbound_key is not None,
        )
