"""Everything that `newsletter doctor` and the console's page say, from one place."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from newsletter.core.machine import (
    MachineFacts,
    backup_finding,
    backup_unknown,
    machine_findings,
    server_findings,
)
from newsletter.core.publication import Newsletter
from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupSubject
from newsletter.errors import ConfigurationError
from newsletter.ports import Clock
from newsletter.services.doctor import Doctor
from newsletter.services.settings_checks import SettingsChecks
from newsletter.services.setup_checks import SetupCheck, run_checks
from newsletter.stores.server_checks import ServerChecks


@dataclass(eq=False)
class SetupExamination:
    """Makes every check: what `newsletter check` asks of each newsletter, then what others say."""

    settings: SettingsChecks
    doctor: Doctor
    newsletters: Sequence[Newsletter]  #: those with a list
    server: Callable[[], ServerChecks]
    measure: Callable[[], MachineFacts]
    newest_backup: Callable[[], datetime | None] | None  #: None: nobody said where they are
    seconds: float  #: that each check may take
    clock: Clock

    def run(self, newsletter: Newsletter | None = None) -> tuple[SetupFinding, ...]:
        """Return what was found; of the settings, those of one newsletter or of all."""
        return run_checks(list(self._checks(newsletter)), seconds=self.seconds)

    def _checks(self, newsletter: Newsletter | None) -> Iterator[SetupCheck]:
        for one in [newsletter] if newsletter else self.newsletters:
            about = SetupSubject(SetupArea.SETTINGS, one.slug)
            yield SetupCheck(about, partial(self.settings.findings, one))
        yield SetupCheck(SetupSubject(SetupArea.MACHINE, "machine"), self._machine)
        yield SetupCheck(SetupSubject(SetupArea.MACHINE, "backup"), self._backup)
        yield SetupCheck(SetupSubject(SetupArea.DATABASE, "PostgreSQL"), self._server)
        yield from self.doctor.checks()

    def _machine(self) -> Iterable[SetupFinding]:
        return machine_findings(self.measure())

    def _backup(self) -> Iterator[SetupFinding]:
        if self.newest_backup is None:
            yield backup_unknown()
            return
        try:
            newest = self.newest_backup()
        except ConfigurationError:  # nothing has made the folder yet
            newest = None
        yield backup_finding(newest, self.clock.now())

    def _server(self) -> Iterable[SetupFinding]:
        return server_findings(self.server().facts())
