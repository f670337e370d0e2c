"""Forecasts whom an issue would reach if it left now, and writes nothing."""

from dataclasses import dataclass
from datetime import date

from newsletter.core.forecast import Forecast, forecast
from newsletter.core.publication import Newsletter
from newsletter.ports import Clock
from newsletter.services.publishing import Publishing
from subscribers.subscriptions.service import Subscriptions


@dataclass(eq=False)
class Forecasts:
    """Says what a plan made now would store. Nothing is set in type for it."""

    publishing: Publishing
    subscriptions: Subscriptions
    clock: Clock

    def of(self, newsletter: Newsletter, on: date) -> Forecast:
        """Return the forecast of a date; of an empty issue, too.

        NotAllowed for a date that is still to come: its briefs are not there yet.
        """
        issue = self.publishing.upcoming(newsletter, on)
        whole = newsletter.readers
        now = self.clock.now()
        counts = self.subscriptions.topic_set_counts(whole.newsletter, whole.frequency, now)
        return forecast(issue, counts)
