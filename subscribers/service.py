"""The verbs of this house: import, look up, say goodbye, choose, suppress."""

import zoneinfo
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from subscribers.addresses import email_key, read_address
from subscribers.errors import (
    InvalidLink,
    InvalidList,
    NoSuchSubscriber,
    NoSuchSubscription,
    NoSuchSuppression,
    NotLifted,
)
from subscribers.files import CountedRows, Progress, open_list, undecodable_line, written_whole
from subscribers.model import (
    AudienceCounts,
    ConsentAct,
    ImportReport,
    Purpose,
    Subscription,
    Suppression,
    SuppressionReason,
    TopicSet,
)
from subscribers.ports import ListImport, SubscriberStore
from subscribers.roster import read_roster
from subscribers.suppression import LADDER, OWNERS_WORD
from subscribers.tokens import check_token, read_token


class Subscriptions:
    """Who may be written to, and about what."""

    def __init__(self, store: SubscriberStore) -> None:
        self._store = store

    def by_id(self, subscription_id: int) -> Subscription:
        """Return the subscription of this number; raise NoSuchSubscription."""
        found = self._store.subscription(subscription_id)
        if found is None:
            raise NoSuchSubscription
        return found

    def by_email(self, email: str) -> tuple[Subscription, ...]:
        """Return the subscriptions of an address, at least one; raise NoSuchSubscriber."""
        found = self._store.subscriptions_of(email_key(email))
        if not found:
            raise NoSuchSubscriber
        return found

    def by_token(self, purpose: Purpose, token: str) -> Subscription:
        """Return the subscription a link opens for this purpose; raise InvalidLink."""
        signed = read_token(token)
        found = self._store.subscription(signed.subscription_id)
        if found is None:
            raise InvalidLink
        check_token(purpose, signed, found.link_key)
        return found

    def end(self, subscription_ids: Collection[int], *, now: datetime, source: str) -> int:
        """Hear goodbyes; return how many are new. One that was heard before changes nothing."""
        return self._store.act(subscription_ids, ConsentAct.WITHDRAWN, at=now, source=source)

    def resume(self, subscription_id: int, *, now: datetime, source: str) -> Subscription:
        """Take a goodbye back, for the subscriber; a suppressed address stays suppressed."""
        self._store.act([subscription_id], ConsentAct.RESUMED, at=now, source=source)
        return self.by_id(subscription_id)

    def choose_topics(
        self, subscription_id: int, topics: TopicSet, *, now: datetime, source: str
    ) -> Subscription:
        """Keep a subscriber's choice of topics; an ended subscription stays ended."""
        self._store.choose(subscription_id, topics, at=now, source=source)
        return self.by_id(subscription_id)

    def suppress(self, suppressions: Iterable[Suppression]) -> int:
        """Stop writing to addresses; return for how many that is new or for a weightier reason."""
        return self._store.suppress(suppressions)

    def suppress_address(self, said: Suppression) -> Suppression:
        """Stop writing to one address, for a person; return what stands; raise InvalidAddress."""
        read_address(said.email)
        self._store.suppress([said])
        return self.suppressed(said.email) or said

    def suppressed(self, email: str) -> Suppression | None:
        """Return why an address must not be written to; None when it may."""
        return self._store.suppression(email_key(email))

    def lift(self, email: str, *, now: datetime, even_complaint: bool = False) -> Suppression:
        """Take an address off the suppression list, and return what stood there.

        News from before now is answered by this, and does not put it back. Raises
        NoSuchSuppression, and NotLifted for what the address's owner said, unless even that is to
        be lifted. A subscription that ended stays ended.
        """
        stands = self.suppressed(email)
        if stands is None:
            raise NoSuchSuppression
        reasons = [r for r in LADDER if even_complaint or r not in OWNERS_WORD]
        lifted = self._store.lift(stands.email, reasons, at=now)
        if lifted is None:
            raise NotLifted
        return lifted

    def suppressions(
        self, *, reason: SuppressionReason | None = None, part: str = "", limit: int = 100
    ) -> tuple[Suppression, ...]:
        """Return suppressions, the latest first: of a reason, with this part in the address."""
        return self._store.suppressions(reason, part.strip().lower(), limit)

    def suppression_counts(self) -> Mapping[SuppressionReason, int]:
        """Count the suppression list by reason; every reason is there."""
        return self._store.suppression_counts()

    def wake(self, now: datetime) -> int:
        """End the pauses that are over; return how many."""
        return self._store.wake(now)

    def counts(self, newsletter: str) -> AudienceCounts:
        """Count the newsletter's subscriptions by how they stand."""
        return self._store.counts(newsletter)

    def import_list(
        self,
        path: Path,
        newsletter: str,
        *,
        known_topics: Collection[str],
        default_zone: str,
        consent_source: str,
        now: datetime,
        results: Path | None = None,
        dry_run: bool = False,
        on_progress: Progress | None = None,
    ) -> ImportReport:
        """Store the good rows of a CSV list; answer for every row in the results file.

        Raises InvalidList, with nothing stored, when the list as a whole cannot be read. A dry run
        stores nothing and answers the same. `results` stands beside the list unless given.
        """
        zones = zoneinfo.available_timezones()
        results = results or path.with_suffix(".results.csv")
        _require(default_zone in zones, f"unknown time zone: {default_zone}")
        _require(consent_source.strip(), "say where the consent of these subscribers came from")
        _require(results.resolve() != path.resolve(), "the results would overwrite the list")
        about = ListImport(
            file=path.name,
            newsletter=newsletter,
            consent_source=consent_source,
            default_zone=default_zone,
            at=now,
        )
        try:
            with written_whole(results) as answers, open_list(path) as lines:
                roster = read_roster(lines, path.name, known_topics=known_topics, known_zones=zones)
                rows = CountedRows(roster.rows, lines, path.stat().st_size, on_progress)
                counts = self._store.import_rows(rows, about, answers.write, dry_run=dry_run)
        except UnicodeDecodeError as error:
            raise InvalidList(f"{path.name}, line {undecodable_line(path)}: not UTF-8") from error
        return ImportReport(
            rows=rows.taken,
            counts=counts,
            results=str(results),
            ignored_columns=roster.ignored_columns,
            dry_run=dry_run,
        )


def _require(met: object, otherwise: str) -> None:
    if not met:
        raise InvalidList(otherwise)
