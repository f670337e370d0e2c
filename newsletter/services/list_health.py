"""Reports a list's health beside how many letters SendGrid accepted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.core.publication import Newsletter
from newsletter.ports import Clock
from subscribers.health.model import RECENT_DAYS, HealthFigures
from subscribers.health.service import ListHealth
from subscribers.model import SuppressionReason


@dataclass(frozen=True, kw_only=True)
class HealthReport:
    """A list's health, and what bounces and complaints are shares of."""

    newsletter: str  #: whose list it is
    health: HealthFigures
    accepted: int  #: letters that SendGrid took in the last `TROUBLE_DAYS`

    def share(self, *reasons: SuppressionReason) -> float | None:
        """Return the share of letters whose address was suppressed; None without a letter."""
        suppressed = sum(self.health.figures.recently_suppressed[reason] for reason in reasons)
        return suppressed / self.accepted if self.accepted else None


@dataclass(eq=False)
class ListHealthReports:
    """Builds the health report of a newsletter's list."""

    lists: ListHealth
    accepted: Callable[[str, datetime], int]
    clock: Clock

    def report(self, newsletter: Newsletter) -> HealthReport:
        now, whose = self.clock.now(), newsletter.readers.newsletter
        return HealthReport(
            newsletter=whose,
            health=self.lists.report(whose, now),
            accepted=self.accepted(whose, now - timedelta(days=RECENT_DAYS)),
        )
