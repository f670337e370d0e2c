"""The lists: who may be written to, and about what."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from newsletter.container.database import DatabaseParts

if TYPE_CHECKING:
    from newsletter.rendering.transactional import TransactionalRenderer
    from newsletter.services.import_purging import ImportPurging
    from newsletter.services.letter_release import LetterReleases
    from newsletter.services.list_changes import ListChanges
    from newsletter.services.list_health import ListHealthReports
    from newsletter.services.people import People
    from newsletter.services.reader_keeping import ReaderKeeping
    from newsletter.services.retention import Retention
    from newsletter.services.signup import SigningUp
    from newsletter.services.sunset import Sunset
    from newsletter.services.suppression_sync import SuppressionSync
    from newsletter.services.transactional import TransactionalSender
    from newsletter.stores.events import EventStore
    from newsletter.stores.issues import IssueStore
    from newsletter.stores.partitions import PartitionStore
    from newsletter.stores.person_history import PersonHistory
    from newsletter.stores.schedule import ScheduleStore
    from newsletter.stores.transactional import TransactionalStore
    from subscribers.lists.service import Lists
    from subscribers.records.service import Records
    from subscribers.segments.service import Segments
    from subscribers.signup.service import SignUps
    from subscribers.subscriptions.service import Subscriptions
    from subscribers.sunset.service import Sunsets

_TRANSACTIONAL_AT_ONCE = 8  #: ten in a second, where SendGrid takes 0.8 s to answer


class ListParts(DatabaseParts):
    """The lists: who may be written to, and about what."""

    @cached_property
    def events(self) -> EventStore:
        from newsletter.stores.events import EventStore

        return EventStore(self.engine)

    @cached_property
    def issues(self) -> IssueStore:
        from newsletter.stores.issues import IssueStore

        return IssueStore(self.engine)

    @cached_property
    def person_history(self) -> PersonHistory:
        from newsletter.stores.person_history import PersonHistory

        return PersonHistory(self.engine)

    @cached_property
    def schedule_store(self) -> ScheduleStore:
        from newsletter.stores.schedule import ScheduleStore

        return ScheduleStore(self.engine)

    @cached_property
    def transactional_store(self) -> TransactionalStore:
        from newsletter.stores.transactional import TransactionalStore

        return TransactionalStore(self.engine)

    @cached_property
    def lists(self) -> Lists:
        from subscribers.lists.service import Lists

        return Lists(self.engine)

    @cached_property
    def import_purging(self) -> ImportPurging:
        from newsletter.services.import_purging import ImportPurging
        from newsletter.stores.sent_letters import SentLetters
        from subscribers.lists.purge import ImportPurge

        written_to = SentLetters(self.engine).written_to
        return ImportPurging(ImportPurge(self.engine, written_to), self.decisions)

    @cached_property
    def records(self) -> Records:
        from subscribers.records.service import Records

        return Records(self.engine)

    @cached_property
    def segments(self) -> Segments:
        from subscribers.segments.service import Segments

        return Segments(self.engine)

    @cached_property
    def signups(self) -> SignUps:
        from subscribers.signup.service import SignUps

        return SignUps(self.engine)

    @cached_property
    def subscriptions(self) -> Subscriptions:
        from subscribers.subscriptions.service import Subscriptions

        return Subscriptions(self.engine)

    @cached_property
    def sunsets(self) -> Sunsets:
        from newsletter.stores.sent_letters import SentLetters
        from subscribers.sunset.service import Sunsets

        letters = SentLetters(self.engine)
        return Sunsets(self.engine, delivered=letters.delivered, arrived=letters.arrived)

    @cached_property
    def list_health(self) -> ListHealthReports:
        from newsletter.services.list_health import ListHealthReports
        from newsletter.stores.sent_letters import SentLetters
        from subscribers.health.service import ListHealth

        accepted = SentLetters(self.engine).accepted_since
        return ListHealthReports(ListHealth(self.engine), accepted, self.clock)

    @cached_property
    def suppression_sync(self) -> SuppressionSync:
        from newsletter.services.suppression_sync import SuppressionSync

        return SuppressionSync(self.subscriptions, self.events, self.decisions, self.clock)

    @cached_property
    def people(self) -> People:
        from newsletter.services.people import People

        return People(
            self.records, self.subscriptions, self.person_history, self.decisions, self.clock
        )

    @cached_property
    def partitions(self) -> PartitionStore:
        from newsletter.stores.partitions import PartitionStore

        return PartitionStore(self.engine)

    @cached_property
    def letter_releases(self) -> LetterReleases:
        from newsletter.services.letter_release import LetterReleases
        from newsletter.stores.letter_release import LetterReleaseStore

        return LetterReleases(LetterReleaseStore(self.engine), self.clock)

    @cached_property
    def retention(self) -> Retention:
        from newsletter.services.retention import Retention

        retained = self.settings.service.retention
        return Retention(
            events=self.person_history,
            evidence=self.records,
            clock=self.clock,
            events_for=timedelta(days=retained.events_days) or None,
            evidence_for=timedelta(days=retained.evidence_days) or None,
            partitions=self.partitions,
            deliveries_for=timedelta(days=retained.deliveries_days) or None,
            summarize=self.letter_releases.summarize,
        )

    @cached_property
    def list_changes(self) -> ListChanges:
        from newsletter.services.list_changes import ListChanges
        from subscribers.health.service import ListHealth

        return ListChanges(ListHealth(self.engine))

    @cached_property
    def transactional_renderer(self) -> TransactionalRenderer:
        from newsletter.rendering.transactional import TransactionalRenderer

        return TransactionalRenderer(self.settings.templates)

    @cached_property
    def transactional(self) -> TransactionalSender:
        from newsletter.services.transactional import TransactionalSender
        from newsletter.services.transactional_context import TransactionalContexts

        url = self.settings.public_url
        names = {slug: one.name for slug, one in self.settings.newsletters.items()}
        return TransactionalSender(
            self.settings.newsletters,
            self.transactional_store,
            TransactionalContexts(self.subscriptions, self.signups, self.issues, url, names),
            compose=self.transactional_renderer.compose,
            mailer=lambda: self.transactional_mailer,
            save_alert=self.schedule_store.queue_alert,
            clock=self.clock,
            lease=self._lease,
            at_once=_TRANSACTIONAL_AT_ONCE,
        )

    @cached_property
    def reader_keeping(self) -> ReaderKeeping:
        from newsletter.services.reader_keeping import ReaderKeeping

        return ReaderKeeping(
            self.settings.newsletters, self.records, self.subscriptions, self.signing_up, self.clock
        )

    @cached_property
    def signing_up(self) -> SigningUp:
        from newsletter.adapters.disposable import is_disposable
        from newsletter.services.signup import SigningUp

        return SigningUp(
            self.settings.newsletters,
            self.signups,
            self.subscriptions,
            self.transactional,
            self.events,
            is_disposable,
            self.clock,
        )

    @cached_property
    def sunset(self) -> Sunset:
        from newsletter.core.transactional import TransactionalKind
        from newsletter.services.sunset import Sunset

        ask = partial(self.transactional.queue, TransactionalKind.STILL_WANTED)
        return Sunset(self.settings.newsletters, self.sunsets, ask, self.clock)
