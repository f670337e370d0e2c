"""How a newsletter's list is, beside how many letters left the house."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.core.publication import Newsletter
from newsletter.ports import Clock
from subscribers.health.service import TROUBLE_DAYS, HealthFigures, ListHealth
from subscribers.model import SuppressionReason


@dataclass(frozen=True, kw_only=True)
class HealthReport:
    """A list's health, and what bounces and complaints are shares of."""

    newsletter: str  #: whose list it is
    health: HealthFigures
    accepted: int  #: letters that SendGrid took in the last `TROUBLE_DAYS`

    def share(self, *reasons: SuppressionReason) -> float | None:
        """Return for how many of the letters an address fell silent; None without a letter."""
        silenced = sum(self.health.figures.silenced[reason] for reason in reasons)
        return silenced / self.accepted if self.accepted else None


class ListHealthReports:
    """The desk that says how a list is."""

    def __init__(
        self, *, lists: ListHealth, accepted: Callable[[str, datetime], int], clock: Clock
    ) -> None:
        self._lists, self._accepted, self._clock = lists, accepted, clock

    def report(self, newsletter: Newsletter) -> HealthReport:
        """Return how the list is that this newsletter goes to."""
        now, whose = self._clock.now(), newsletter.readers.newsletter
        return HealthReport(
            newsletter=whose,
            health=self._lists.look(whose, now),
            accepted=self._accepted(whose, now - timedelta(days=TROUBLE_DAYS)),
        )
