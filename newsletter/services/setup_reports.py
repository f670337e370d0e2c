"""Looks at the whole installation for the console: nobody waits for it, and its report is stored.

One look at a time, whichever process was asked: what each asks others is bounded, and so is how
long a look is believed to go on.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from newsletter.core.setup_finding import SetupFinding
from newsletter.core.setup_report import SetupReport
from newsletter.ports import Clock
from newsletter.stores.setup_reports import SetupReportStore

_LONGEST = timedelta(minutes=2)  #: a look takes half a minute; after this its process has died

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class SetupReports:
    """Begins a look, and returns the last report."""

    store: SetupReportStore
    examine: Callable[[], tuple[SetupFinding, ...]]
    in_background: Callable[[Callable[[], None]], None]
    clock: Clock

    def last(self) -> SetupReport | None:
        """Return the last report; None where nobody ever asked for one."""
        found = self.store.find()
        if found and found.begun_at and found.begun_at < self.clock.now() - _LONGEST:
            found = replace(found, begun_at=None, begun_by="")
        return None if found and not (found.begun_at or found.checked_at) else found

    def begin(self, by: str) -> bool:
        """Begin a look at everything, and return at once; False while there is one."""
        now = self.clock.now()
        if not self.store.begin(by, now, longest=_LONGEST):
            return False
        self.in_background(partial(self._look, now))
        return True

    def _look(self, begun: datetime) -> None:
        try:
            self.store.end(begun, self.examine(), self.clock.now())
        except Exception:  # noqa: BLE001  # nobody waits for this thread; the page shows no end
            _log.exception("a look at the installation broke off", extra={"action": "setup.failed"})
