"""Maintains the suppression list: by hand, and in step with SendGrid's own lists."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from newsletter.errors import NotAllowed
from newsletter.ports import Clock, VendorSuppressions
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.events import EventStore
from subscribers.errors import NoSuchSubscriber
from subscribers.model import Suppression, SuppressionReason
from subscribers.subscriptions.service import Subscriptions

#: Each sync begins so long before the last one ended: an entry may be shown late, and one that
#: moved to another page while the pages were read is found the next time.
OVERLAP = timedelta(days=2)

_SYNCS = "suppressions"  #: what the decision log calls the syncs
_EVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, kw_only=True)
class SyncedList:
    """What one of SendGrid's lists contained."""

    listed: int  #: entries in the time asked about
    new: int  #: addresses we did not know of, or knew for a lighter reason


@dataclass(frozen=True, kw_only=True)
class SyncReport:
    """What one sync of SendGrid's lists found."""

    since: datetime
    until: datetime
    lists: dict[SuppressionReason, SyncedList]


@dataclass(eq=False)
class SuppressionSync:
    """Adds and lifts suppressions, and takes over what SendGrid suppressed by itself."""

    subscriptions: Subscriptions
    events: EventStore
    decisions: DecisionLog
    clock: Clock

    def add(self, email: str, reason: SuppressionReason, *, note: str, by: str) -> Suppression:
        """Suppress an address; return what stands, which may be for a weightier reason."""
        now = self.clock.now()
        given = Suppression(email=email, reason=reason, source=by, since=now, note=note)
        stands = self.subscriptions.suppress_address(given)
        detail = {"reason": reason.value, "note": note}
        self.decisions.record(by, decisions_about(stands), "suppressed", detail)
        return stands

    def lift(
        self, email: str, *, because: str, by: str, even_complaint: bool = False
    ) -> Suppression:
        """Take an address off the list, with the reason on record; return what stood there."""
        if not because.strip():
            raise NotAllowed("say why the suppression is lifted")
        lifted = self.subscriptions.lift(email, now=self.clock.now(), even_complaint=even_complaint)
        with suppress(NoSuchSubscriber):  # an address may be listed that never subscribed
            subscriber_id = self.subscriptions.by_email(email)[0].subscriber_id
            self.events.forgive_soft_bounces(subscriber_id)
        stood = {"reason": lifted.reason.value, "source": lifted.source, "since": f"{lifted.since}"}
        detail = {"because": because, **stood}
        self.decisions.record(by, decisions_about(lifted), "lifted", detail)
        return lifted

    def sync(self, vendor: VendorSuppressions, *, by: str) -> SyncReport:
        """Take over what SendGrid listed since the last sync; no suppression is lifted by it.

        When SendGrid fails on the way, what was read stays, and the next sync begins where this
        one did.
        """
        now = self.clock.now()
        since = max(self._synced_until() - OVERLAP, _EVER)
        lists = {reason: self._take(vendor.pages(reason, since, now)) for reason in vendor.reasons}
        found = {reason.value: one.listed for reason, one in lists.items()}
        self.decisions.record(by, _SYNCS, "synced", {"until": now.isoformat(), "listed": found})
        return SyncReport(since=since, until=now, lists=lists)

    def is_due(self, every: timedelta) -> bool:
        return self.clock.now() >= self._synced_until() + every

    def _take(self, pages: Iterator[tuple[Suppression, ...]]) -> SyncedList:
        listed = new = 0
        for page in pages:
            listed += len(page)
            new += self.subscriptions.suppress(page)
        return SyncedList(listed=listed, new=new)

    def _synced_until(self) -> datetime:
        syncs = self.decisions.about(_SYNCS)
        return datetime.fromisoformat(syncs[-1].detail["until"]) if syncs else _EVER + OVERLAP


def decisions_about(suppression: Suppression) -> str:
    """Return what the decision log calls an address: a digest, which outlives its erasure."""
    return f"suppression {hashlib.sha256(suppression.email.encode()).hexdigest()[:16]}"
