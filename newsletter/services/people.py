"""What both houses know of one person: their history, their data, and how it is all forgotten."""

import zoneinfo
from collections.abc import Collection
from typing import Any, Protocol

from newsletter.core.history import (
    HistoryLine,
    IssueRecord,
    TransactionalRecord,
    as_data,
    correspondence_line,
    issue_lines,
    timeline,
)
from newsletter.ports import Clock
from newsletter.stores.decisions import DecisionLog
from subscribers.errors import InvalidChoice, NoSuchSubscriber
from subscribers.model import Subscription
from subscribers.records.model import ConsentRecord, Person, PersonIds, lines_of
from subscribers.records.service import Records, standing
from subscribers.subscriptions.service import Subscriptions


class Letters(Protocol):
    """What the newsletter house keeps of people."""

    def issues(self, subscriber_ids: Collection[int]) -> tuple[IssueRecord, ...]:
        """Return what became of every issue that knew of them."""
        ...

    def correspondence(
        self,
        *,
        signup_ids: Collection[int],
        address_change_ids: Collection[int],
        subscription_ids: Collection[int],
    ) -> tuple[TransactionalRecord, ...]:
        """Return the letters to them alone."""
        ...

    def forget(
        self,
        subscriber_ids: Collection[int],
        *,
        signup_ids: Collection[int],
        address_change_ids: Collection[int],
        subscription_ids: Collection[int],
    ) -> None:
        """Delete what was heard of their letters, and let their deliveries be mere numbers."""
        ...


class People:
    """The desk that answers a person's letter about themselves."""

    def __init__(
        self,
        *,
        records: Records,
        subscriptions: Subscriptions,
        letters: Letters,
        decisions: DecisionLog,
        clock: Clock,
    ) -> None:
        self._records, self._subscriptions = records, subscriptions
        self._letters, self._decisions, self._clock = letters, decisions, clock

    def history(self, subscriber_id: int) -> tuple[HistoryLine, ...]:
        """Return every consent, change, issue, letter and event of a subscriber, in order."""
        traces = self._records.traces(subscriber_id)
        entries = self._records.entries(subscriber_id)
        issues = self._letters.issues(traces.subscriber_ids)
        return timeline(
            map(_entry_line, entries),
            map(correspondence_line, self._correspondence(traces)),
            (line for issue in issues for line in issue_lines(issue)),
        )

    def data(self, subscriber_id: int) -> dict[str, Any]:
        """Return all that is known of a subscriber, for themselves; it is fit for JSON."""
        person = self._records.person_of(subscriber_id)
        traces = self._records.traces(person.id)
        evidence = self._records.evidence_of(person.id)
        return {
            "drawn_up_at": self._clock.now().isoformat(),
            **_who(person),
            "subscriptions": [_subscription(one) for one in person.subscriptions],
            "consent_and_changes": [_entry(one) for one in evidence.entries],
            "consent_texts": dict(evidence.texts),
            "issues": [as_data(one) for one in self._letters.issues(traces.subscriber_ids)],
            "letters_to_you_alone": [
                {"newsletter": one.newsletter, "what": one.kind, "at": one.at.isoformat()}
                for one in self._correspondence(traces)
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
        """Correct a name or a time zone for a subscriber; tell whether that changed anything.

        Raises InvalidChoice, and then nothing is changed.
        """
        now, changed = self._clock.now(), False
        if zone is not None and zone not in zoneinfo.available_timezones():
            raise InvalidChoice("zone", f"there is no time zone {zone!r}")
        for one in subscriptions:
            if name is not None:
                changed |= self._subscriptions.rename(one.id, name, now=now, actor=actor)
            if zone is not None:
                changed |= self._subscriptions.move(one.id, zone, now=now, actor=actor)
        return changed

    def leave(self, subscriptions: Collection[Subscription], *, actor: str) -> int:
        """Say goodbye for a subscriber who asked an operator to; return how many goodbyes."""
        ids = [one.id for one in subscriptions]
        return self._subscriptions.end(ids, now=self._clock.now(), source=f"operator {actor}")

    def erase(self, subscriber_id: int, *, actor: str) -> None:
        """Forget a subscriber in both houses; only a keyed hash of each address remains.

        Letters on their way to SendGrid at this moment still arrive. Raises NoSuchSubscriber.
        """
        traces = self._records.traces(subscriber_id)
        if not traces.subscriber_ids:
            raise NoSuchSubscriber
        # The subscribers' house last: while it still knows the numbers, this can be done again.
        self._forget(traces)
        self._records.erase(subscriber_id, now=self._clock.now())
        self._forget(traces)  # what came in between
        self._decisions.note(actor, "erasure", "erased", {"subscribers": traces.subscriber_ids})

    def erase_address(self, email: str, *, actor: str) -> None:
        """Forget an address, also one that only signed up or is only suppressed.

        Raises NoSuchSubscriber when nothing is known of it.
        """
        traces = self._records.traces_of(email)
        if traces.subscriber_ids:
            self.erase(traces.subscriber_ids[0], actor=actor)
        elif traces.any:
            self._forget(traces)
            self._records.erase_address(email, now=self._clock.now())
            self._decisions.note(actor, "erasure", "erased", {"subscribers": []})
        else:
            self._records.id_of(email)  # says whether it was erased before

    def _forget(self, traces: PersonIds) -> None:
        self._letters.forget(traces.subscriber_ids, **_numbers(traces))

    def _correspondence(self, traces: PersonIds) -> tuple[TransactionalRecord, ...]:
        return self._letters.correspondence(**_numbers(traces))


def _numbers(traces: PersonIds) -> dict[str, Collection[int]]:
    return {
        "signup_ids": traces.signup_ids,
        "address_change_ids": traces.address_change_ids,
        "subscription_ids": traces.subscription_ids,
    }


def _entry_line(entry: ConsentRecord) -> HistoryLine:
    told = "; ".join(f"{label}: {said}" for label, said in lines_of(entry.detail))
    return HistoryLine(
        at=entry.at, who=entry.actor, what=entry.what, about=entry.newsletter or "", detail=told
    )


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
        "sign_ups_not_yet_confirmed": list(person.asked),
        "suppressed": found and {"why": found.reason.value, "since": found.since.isoformat()},
    }


def _subscription(one: Subscription) -> dict[str, Any]:
    return {
        "newsletter": one.newsletter,
        "standing": standing(one),
        "topics": sorted(one.topics.slugs),
        "frequency": one.frequency.value,
        "time_zone": one.zone,
        "tags": list(one.tags),
        "came_by": one.source,
        "joined": one.joined and one.joined.isoformat(),
        "last_opened_or_clicked_on": one.engaged_on and one.engaged_on.isoformat(),
    }
