"""The one road of briefs into the store: through the gate, many at once or one alone.

What a portion needs is read once; each brief is then compared with those that are stored and with
those before it in the portion; and all of it is written in one transaction.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from newsletter.core.api_token import ends_hold
from newsletter.core.brief import Brief
from newsletter.core.keywords import suggest_topics
from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredBrief
from newsletter.core.story_size import printed, size_of
from newsletter.core.verification import CheckContext, KnownBrief, Ruling, Verdict, verify
from newsletter.errors import InvalidBrief
from newsletter.ports import Clock
from newsletter.stores.brief_saving import JudgedBrief, judged_again
from newsletter.stores.briefs import BriefStore
from newsletter.stores.decisions import DecisionEntry
from newsletter.stores.issues import IssueStore

_MEMORY = timedelta(days=14)  #: how far back the duplicate check looks
PORTION = 500  #: briefs that are stored in one transaction


class Arrival(StrEnum):
    """What happened to a brief when it was received."""

    NEW = "new"
    UNCHANGED = "unchanged"  #: exactly this revision came before
    REVISED = "revised"  #: replaces the former revision
    CORRECTION = "correction"  #: what readers see was revised after it was printed, for good


@dataclass(frozen=True)
class Receipt:
    """How a brief is stored after it was received."""

    arrival: Arrival
    stored: StoredBrief


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A brief on its way in, and what of it is stored before."""

    newsletter: Newsletter
    brief: Brief
    before: StoredBrief | None = None
    detail: Mapping[str, Any] | None = None  #: what the log says of it; None: nothing

    def decision(self, brief_id: int) -> Iterator[DecisionEntry]:
        """Yield what is to be logged of it."""
        if self.detail is not None:
            yield DecisionEntry(
                subject=f"brief {brief_id}",
                verb="edit" if self.before else "write",
                detail=dict(self.detail),
                newsletter=self.newsletter.slug,
            )


@dataclass(frozen=True)
class _Known:
    """The recent briefs of one pillar, as the duplicate check knows them, by number."""

    briefs: dict[int, KnownBrief] = field(default_factory=dict[int, KnownBrief])

    def before(self, brief_id: int) -> tuple[KnownBrief, ...]:
        """Return those before this one.

        A later brief that repeats it is held itself; it must not hold this one too.
        """
        return tuple(one for one in self.briefs.values() if one.brief_id < brief_id)

    def add(self, brief_id: int, brief: Brief, verdict: Verdict) -> None:
        """Have the briefs that follow compared with this one, unless it was rejected."""
        before = self.briefs.pop(brief_id, None)
        if verdict.ruling is not Ruling.REJECTED:
            self.briefs[brief_id] = KnownBrief(
                brief_id=brief_id,
                title=brief.title,
                url=brief.source.url,
                printed=before is not None and before.printed,
            )


@dataclass(eq=False)
class Receiving:
    """Puts briefs through the gate and stores them."""

    briefs: BriefStore
    issues: IssueStore
    clock: Clock

    def receive(
        self, incoming: Sequence[Incoming], *, by: str | None
    ) -> tuple[Receipt | InvalidBrief, ...]:
        """Store each brief that is not stored as it is; the same brief twice is stored once.

        One that cannot be stored does not stop the others. `by` is who wrote them; None: a source.
        """
        found = list[Receipt | InvalidBrief]()
        for portion in _portions(incoming):
            found += self._each(portion, by)
        return tuple(found)

    def _each(self, portion: Sequence[Incoming], by: str | None) -> list[Receipt | InvalidBrief]:
        try:
            return list(judged_again(lambda: self._receive(portion, by)))
        except InvalidBrief as error:
            if len(portion) == 1:
                return [error]
        half = len(portion) // 2
        return self._each(portion[:half], by) + self._each(portion[half:], by)

    def _receive(self, portion: Sequence[Incoming], by: str | None) -> Iterator[Receipt]:
        found = self.briefs.found(one.brief.key for one in portion)
        seen = self.briefs.seen([one.brief for one in portion])
        fresh = [
            Incoming(
                newsletter=one.newsletter,
                brief=one.brief,
                before=found.get(one.brief.key),
                detail=one.detail,
            )
            for one in portion
            if one.brief.key not in seen
        ]
        stored = iter(self.store(fresh, by=by))
        return iter(
            [
                Receipt(Arrival.UNCHANGED, found[one.brief.key])
                if one.brief.key in seen
                else next(stored)
                for one in portion
            ]
        )

    def store(self, incoming: Sequence[Incoming], *, by: str | None) -> tuple[Receipt, ...]:
        """Store these as they are, all or none; ConcurrentChange where one is not as it was read.

        A revision that no reader sees leaves approvals and what a person decided as they are,
        unless the gate lets it through no longer. Any other ends a hold, but a program's does not
        end a person's.
        """
        if not incoming:
            return ()
        now = self.clock.now()
        revised = [one.before.brief_id for one in incoming if one.before]
        leads = self.issues.printing(revised) if revised else {}
        judged = self._judged(incoming, leads, now, by=by)
        pairs = list(zip(incoming, judged, strict=True))
        decided = [entry for one, done in pairs for entry in one.decision(done.brief_id)]
        stored = self.briefs.save(judged, now, by=by, decided=decided)
        printing = self.issues.printing(revised) if revised else {}
        return tuple(
            self._receipt(one, after, now, by, printed=one.brief_id in printing)
            for one, after in zip(judged, stored, strict=True)
        )

    def verdict(
        self,
        newsletter: Newsletter,
        brief: Brief,
        before: StoredBrief | None = None,
        waived: frozenset[str] = frozenset(),
    ) -> Verdict:
        """Return what the gate says of a brief now, storing nothing."""
        now = self.clock.now()
        known = self._known(newsletter, now)
        others = known.before(before.brief_id) if before else tuple(known.briefs.values())
        return _verdict(newsletter, brief, others, before, waived, now=now)

    def _known(self, newsletter: Newsletter, now: datetime) -> _Known:
        found = self.briefs.known(newsletter.pillar, now - _MEMORY)
        return _Known({one.brief_id: one for one in found})

    def _judged(
        self,
        incoming: Sequence[Incoming],
        leads: Mapping[int, bool],
        now: datetime,
        by: str | None,
    ) -> list[JudgedBrief]:
        """Put each through the gate, after those before it, under the number it will have."""
        of = {one.newsletter.slug: one.newsletter for one in incoming}
        known = {slug: self._known(newsletter, now) for slug, newsletter in of.items()}
        numbers = iter(self.briefs.new_ids(sum(one.before is None for one in incoming)))
        judged = list[JudgedBrief]()
        for one in incoming:
            others = known[one.newsletter.slug]
            brief_id = one.before.brief_id if one.before else next(numbers)
            done = _judge(one, brief_id, others.before(brief_id), leads, now, by=by)
            others.add(brief_id, done.brief, done.verdict)
            judged.append(done)
        return judged

    def _receipt(
        self,
        done: JudgedBrief,
        stored: StoredBrief,
        now: datetime,
        by: str | None,
        *,
        printed: bool,
    ) -> Receipt:
        """Take a revised brief out of an issue that is not planned, if readers would see it."""
        before, arrival = done.replaces, Arrival.REVISED
        if before is None:
            return Receipt(Arrival.NEW, stored)
        if printed and (done.is_seen or stored.ruling is not before.ruling):
            reason = f"brief {stored.brief_id} was revised"
            self.issues.withdraw_brief(stored.brief_id, reason, by=by, now=now)
            after = self.briefs.get(stored.brief_id)
            frozen = done.is_seen and after.issue_id is not None
            return Receipt(Arrival.CORRECTION if frozen else arrival, after)
        return Receipt(arrival, stored)


def _portions(incoming: Sequence[Incoming]) -> Iterator[Sequence[Incoming]]:
    """Yield parts in which no key comes twice: the second one revises the first."""
    portion, keys = list[Incoming](), set[str]()
    for one in incoming:
        if one.brief.key in keys or len(portion) == PORTION:
            yield portion
            portion, keys = list[Incoming](), set[str]()
        portion.append(one)
        keys.add(one.brief.key)
    if portion:
        yield portion


def _judge(
    one: Incoming,
    brief_id: int,
    others: tuple[KnownBrief, ...],
    leads: Mapping[int, bool],
    now: datetime,
    *,
    by: str | None,
) -> JudgedBrief:
    before, brief, lead = one.before, one.brief, leads.get(brief_id, True)
    verdict = _verdict(one.newsletter, brief, others, before, now=now)
    held_by = before.held_by if before and not ends_hold(by, before.held_by) else None
    judged = JudgedBrief(
        brief_id=brief_id, brief=brief, verdict=verdict, replaces=before, held_by=held_by
    )
    if before is None or not _reads_the_same(before, brief, verdict, lead=lead):
        return judged
    return JudgedBrief(
        brief_id=brief_id,
        brief=brief,
        verdict=_verdict(one.newsletter, brief, others, before, before.waived, now=now),
        replaces=before,
        waived=before.waived,
        held_by=before.held_by,
        is_seen=False,
    )


def _verdict(
    newsletter: Newsletter,
    brief: Brief,
    others: tuple[KnownBrief, ...],
    before: StoredBrief | None,
    waived: frozenset[str] = frozenset(),
    *,
    now: datetime,
) -> Verdict:
    context = CheckContext(
        newsletter=newsletter,
        now=now,
        topics=suggest_topics(newsletter, brief),
        others=others,
        received=before.received if before else None,
    )
    return verify(brief, context, waived=waived)


def _reads_the_same(before: StoredBrief, brief: Brief, verdict: Verdict, *, lead: bool) -> bool:
    was, now = (printed(one, size_of(one, lead=lead)) for one in (before.brief, brief))
    return was == now and before.verdict.topics == verdict.topics
