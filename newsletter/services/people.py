"""Answers requests of one person: their history, their data, a correction, their erasure."""

import zoneinfo
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from newsletter.core.history import (
    HistoryLine,
    IssueRecord,
    as_data,
    issue_lines,
    released_line,
    timeline,
    transactional_line,
)
from newsletter.core.letter_release import ReleasedIssues
from newsletter.core.reason import given
from newsletter.core.webhook import without_addresses
from newsletter.ports import Clock
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.person_history import PersonHistory
from subscribers.errors import InvalidChoice, NoSuchSubscriber
from subscribers.model import Subscription
from subscribers.records.model import (
    ConsentRecord,
    Person,
    PersonIds,
    detail_lines,
    status_text,
)
from subscribers.records.service import Records
from subscribers.subscriptions.service import Subscriptions

LATEST = 50  #: issues of a person that a page shows first


@dataclass(eq=False)
class People:
    """Shows, corrects, unsubscribes and erases one person, in both packages."""

    records: Records
    subscriptions: Subscriptions
    sent: PersonHistory
    decisions: DecisionLog
    clock: Clock

    def history(self, subscriber_id: int) -> tuple[HistoryLine, ...]:
        """Return every consent, change, issue, letter and event of a subscriber, in order."""
        ids = self.records.person_ids(subscriber_id)
        return self._history(subscriber_id, ids, self.sent.issues(ids))

    def latest(
        self, subscriber_id: int, newsletters: Collection[str]
    ) -> tuple[tuple[HistoryLine, ...], bool]:
        """Return the same with so many of the newest issues only, and whether there are others.

        Issues of other newsletters than these neither come with it nor count.
        """
        ids = self.records.person_ids(subscriber_id)
        issues = self.sent.issues(ids, most=LATEST + 1, newsletters=newsletters)
        return self._history(subscriber_id, ids, issues[-LATEST:]), len(issues) > LATEST

    def _history(
        self, subscriber_id: int, ids: PersonIds, issues: Iterable[IssueRecord]
    ) -> tuple[HistoryLine, ...]:
        entries = self.records.entries(subscriber_id)
        return timeline(
            map(_entry_line, entries),
            map(transactional_line, self.sent.transactional(ids)),
            map(released_line, self._released(entries)),
            (line for issue in issues for line in issue_lines(issue)),
        )

    def _released(self, entries: Collection[ConsentRecord]) -> tuple[ReleasedIssues, ...]:
        """Return the issues they may have got, of which nobody knows any longer."""
        return tuple(
            one
            for one in self.sent.released()
            if any(e.newsletter == one.list and e.at <= one.last_planned_at for e in entries)
        )

    def data(self, subscriber_id: int) -> dict[str, Any]:
        """Return all that is known of a subscriber, for themselves; it is fit for JSON."""
        person = self.records.person(subscriber_id)
        ids = self.records.person_ids(person.id)
        evidence = self.records.evidence(person.id)
        return {
            "drawn_up_at": self.clock.now().isoformat(),
            **_who(person),
            "subscriptions": [_subscription(one) for one in person.subscriptions],
            "consent_and_changes": [_entry(one) for one in evidence.entries],
            "consent_texts": dict(evidence.texts),
            "issues": [as_data(one) for one in self.sent.issues(ids)],
            "issues_no_longer_known": [
                {"newsletter": one.newsletter, "from": one.first.isoformat()}
                | {"to": one.last.isoformat(), "since": one.at.isoformat()}
                for one in self._released(evidence.entries)
            ],
            "personal_emails": [
                {"newsletter": one.newsletter, "what": one.kind, "at": one.at.isoformat()}
                for one in self.sent.transactional(ids)
            ],
        }

    def edit(
        self,
        subscriptions: Collection[Subscription],
        *,
        name: str | None,
        zone: str | None,
        actor: str,
    ) -> bool:
        """Correct a name or a time zone for a subscriber; return whether that changed anything.

        Raises InvalidChoice, and then nothing is changed.
        """
        now, changed = self.clock.now(), False
        if zone is not None and zone not in zoneinfo.available_timezones():
            raise InvalidChoice("zone", f"there is no time zone {zone!r}")
        for one in subscriptions:
            if name is not None:
                changed |= self.subscriptions.rename(one.id, name, now=now, actor=actor)
            if zone is not None:
                changed |= self.subscriptions.set_time_zone(one.id, zone, now=now, actor=actor)
        return changed

    def unsubscribe(self, subscriptions: Collection[Subscription], *, actor: str) -> int:
        """Unsubscribe a person who asked an operator to; return how many subscriptions ended."""
        ids, source = [one.id for one in subscriptions], f"operator {actor}"
        return self.subscriptions.unsubscribe(ids, now=self.clock.now(), source=source)

    def erase(self, subscriber_id: int, *, actor: str, because: str = "") -> None:
        """Erase a subscriber everywhere; only a keyed hash of each address remains.

        Letters on their way to SendGrid at this moment still arrive. Raises NoSuchSubscriber.
        """
        ids = self.records.person_ids(subscriber_id)
        if not ids.subscriber_ids:
            raise NoSuchSubscriber
        # Their record last: while it still has the ids, all of this can be repeated.
        self.sent.erase(ids)
        self.records.erase(subscriber_id, now=self.clock.now())
        self.sent.erase(ids)  # what came in between
        detail: dict[str, Any] = {"subscribers": ids.subscriber_ids}
        if because:  # what is recorded for good says nothing of who they were
            detail["because"] = without_addresses(given(because))
        self.decisions.record(actor, "erasure", "erased", detail)

    def erase_address(self, email: str, *, actor: str) -> None:
        """Erase an address, also one that only signed up or is only suppressed.

        Raises NoSuchSubscriber when nothing is known of it.
        """
        ids = self.records.person_ids(email)
        if ids.subscriber_ids:
            self.erase(ids.subscriber_ids[0], actor=actor)
        elif ids.any:
            self.sent.erase(ids)
            self.records.erase(email, now=self.clock.now())
            self.decisions.record(actor, "erasure", "erased", {"subscribers": []})
        else:
            self.records.id_of(email)  # says whether it was erased before


def _entry_line(entry: ConsentRecord) -> HistoryLine:
    detail = "; ".join(f"{label}: {value}" for label, value in detail_lines(entry.detail))
    return HistoryLine(entry.at, entry.actor, entry.what, entry.newsletter or "", detail)


def _entry(entry: ConsentRecord) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "by": entry.actor,
        "what": entry.what,
        "newsletter": entry.newsletter,
        "address": entry.email,
        "detail": dict(entry.detail),
    }


def _who(person: Person) -> dict[str, Any]:
    found = person.suppression
    return {
        "email": person.email,
        "name": person.name,
        "on_record_since": person.since.isoformat(),
        "other_addresses": list(person.other_addresses),
        "new_address_not_yet_confirmed": person.new_address,
        "sign_ups_not_yet_confirmed": list(person.pending_signups),
        "suppressed": found and {"why": found.reason.value, "since": found.since.isoformat()},
    }


def _subscription(one: Subscription) -> dict[str, Any]:
    return {
        "newsletter": one.newsletter,
        "status": status_text(one),
        "topics": sorted(one.topics.slugs),
        "frequency": one.frequency.value,
        "time_zone": one.zone,
        "tags": list(one.tags),
        "joined_through": one.source,
        "joined": one.joined and one.joined.isoformat(),
        "last_opened_or_clicked_on": one.engaged_on and one.engaged_on.isoformat(),
    }
