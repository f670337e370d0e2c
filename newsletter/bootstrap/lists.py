"""The rooms where the lists are kept."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property, partial

from newsletter.adapters.journal import (
    JournaledEvents,
)
from newsletter.bootstrap.ground import Ground
from newsletter.services.list_health import ListHealthReports
from newsletter.services.people import People
from newsletter.services.retention import Retention
from newsletter.services.suppression_sync import SuppressionSync
from newsletter.stores.person_history import PersonHistory
from newsletter.stores.sent_volume import accepted_since
from newsletter.stores.sunset import LettersSent
from subscribers.health.service import ListHealth
from subscribers.health.store import PostgresHealth
from subscribers.lists.service import Lists
from subscribers.lists.store import PostgresLists
from subscribers.records.service import Records
from subscribers.records.store import PostgresRecords
from subscribers.segments.service import Segments
from subscribers.segments.store import PostgresSegments
from subscribers.signup.service import SignUps
from subscribers.signup.store import PostgresSignUps
from subscribers.subscriptions.service import Subscriptions
from subscribers.subscriptions.store import PostgresStore
from subscribers.sunset.service import Sunsets
from subscribers.sunset.store import PostgresSunsets


class ListRooms(Ground):
    """Subscribers, sign-ups, segments and records."""

    @cached_property
    def subscriptions(self) -> Subscriptions:
        return Subscriptions(PostgresStore(self.engine))

    @cached_property
    def lists(self) -> Lists:
        return Lists(PostgresLists(self.engine))

    @cached_property
    def segments(self) -> Segments:
        return Segments(PostgresSegments(self.engine))

    @cached_property
    def records(self) -> Records:
        return Records(PostgresRecords(self.engine))

    @cached_property
    def signups(self) -> SignUps:
        return SignUps(PostgresSignUps(self.engine))

    @cached_property
    def sunsets(self) -> Sunsets:
        return Sunsets(PostgresSunsets(self.engine), LettersSent(self.engine))

    @cached_property
    def list_health(self) -> ListHealthReports:
        return ListHealthReports(
            lists=ListHealth(PostgresHealth(self.engine)),
            accepted=partial(accepted_since, self.engine),
            clock=self.clock,
        )

    @cached_property
    def suppressing(self) -> SuppressionSync:
        return SuppressionSync(
            subscriptions=self.subscriptions,
            events=JournaledEvents(self.engine),
            decisions=self.decisions,
            clock=self.clock,
        )

    @cached_property
    def _letters(self) -> PersonHistory:
        return PersonHistory(self.engine)

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
