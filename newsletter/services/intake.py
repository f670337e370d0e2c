"""Receives briefs, puts them through the gate, and applies what a person decides about them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from newsletter.core.brief import Brief, brief_key
from newsletter.core.keywords import named_topics, suggest_topics
from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredBrief
from newsletter.core.story_size import printed, size_of
from newsletter.core.verification import CheckContext, Verdict, verify
from newsletter.errors import InvalidBrief, NotAllowed
from newsletter.ports import Clock
from newsletter.stores.briefs import BriefStore
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.issues import IssueStore

_MEMORY = timedelta(days=14)  #: how far back the duplicate check looks
_OF_SOURCE = {"source_name": "name", "source_url": "url"}
_OF_PICTURE = {"picture": "url", "picture_alt": "alt", "picture_width": "width"}


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


class Intake:
    """Receives, revises, holds and accepts briefs; every change goes through the gate."""

    def __init__(
        self,
        newsletters: Mapping[str, Newsletter],
        briefs: BriefStore,
        issues: IssueStore,
        decisions: DecisionLog,
        clock: Clock,
        *,
        clean: Callable[[str], str] = str,
    ) -> None:
        self._clean = clean  # makes plain text of what a person typed, as of a file's
        self._pillars = {n.pillar.casefold(): n for n in newsletters.values() if not n.week_of}
        self._briefs, self._issues = briefs, issues
        self._decisions, self._clock = decisions, clock

    def receive_all(self, briefs: Sequence[Brief], *, place: str) -> tuple[Receipt, ...]:
        """Receive what one file holds: all of it, or, if no newsletter prints a pillar, nothing."""
        for brief in briefs:
            self._newsletter(brief, place)
        return tuple(self.receive(brief, place=place) for brief in briefs)

    def receive(self, brief: Brief, *, place: str = "brief", by: str | None = None) -> Receipt:
        """Put a brief through the gate and store it; the same brief twice is stored once.

        `place` names where it came from, for InvalidBrief when no newsletter prints its pillar;
        `by` is who wrote it, None for a source.
        """
        newsletter = self._newsletter(brief, place)
        brief = replace(brief, topics=named_topics(newsletter, brief.topics))
        stored = self._briefs.find(brief.key)
        if stored is None:
            verdict = self._verdict(newsletter, brief)
            saved = self._briefs.save(brief, verdict, self._clock.now(), by=by)
            return Receipt(Arrival.NEW, saved)
        if self._briefs.seen(brief.key, brief.digest):
            return Receipt(Arrival.UNCHANGED, stored)
        return self._revise(newsletter, stored, brief, by=by)

    def hand_over(
        self,
        brief: Brief,
        where: Callable[[str], str],
        *,
        to: Collection[Newsletter],
        actor: str,
    ) -> Receipt:
        """Receive a brief from somebody who may write to these newsletters only; it is recorded.

        InvalidBrief where none of these prints its pillar, or another's brief has its key; `where`
        says the place of a field.
        """
        pillars = {one.pillar.casefold() for one in to if not one.week_of}
        if brief.pillar.casefold() not in pillars:
            raise InvalidBrief(
                where("pillar"), f"no newsletter that you see prints {brief.pillar!r}"
            )
        before = self._briefs.find(brief.key)
        if before and before.brief.pillar.casefold() not in pillars:
            raise InvalidBrief(
                where("id"), "another newsletter's brief has this key: choose another"
            )
        receipt = self.receive(brief, by=actor)
        if receipt.arrival is not Arrival.UNCHANGED:
            verb = "write" if receipt.arrival is Arrival.NEW else "edit"
            newsletter = self._newsletter(brief, "brief")
            shown = {"title": brief.title}
            self._record(newsletter, actor, receipt.stored.brief_id, verb, shown)
        return receipt

    def known(self, key: str) -> Brief | None:
        """Return the brief of this key as it is stored; None if it never came."""
        stored = self._briefs.find(key)
        return stored.brief if stored else None

    def write(self, newsletter: Newsletter, fields: Mapping[str, Any], *, actor: str) -> Receipt:
        """Take in a brief that a person wrote; it goes through the gate like any other.

        Its title gives its key: the same brief twice is stored once, and NotAllowed refuses
        another one of the same title.
        """
        brief = self._written(newsletter, fields)
        self._refuse_strange_topics(newsletter, brief)
        if not brief_key(brief.title):
            raise InvalidBrief("brief", "title: it needs letters or digits")
        if stored := self._briefs.find(brief.key):
            if self._briefs.seen(brief.key, brief.digest):
                return Receipt(Arrival.UNCHANGED, stored)
            raise NotAllowed(f"brief {stored.brief_id} has this title already; edit that one")
        verdict = self._verdict(newsletter, brief)
        written = self._briefs.save(brief, verdict, self._clock.now(), by=actor)
        shown = {"title": brief.title}
        self._record(newsletter, actor, written.brief_id, "write", shown)
        return Receipt(Arrival.NEW, written)

    def check(
        self, newsletter: Newsletter, fields: Mapping[str, Any], brief_id: int | None = None
    ) -> Verdict:
        """Return what the gate would say of a brief being written, or edited, storing nothing."""
        if brief_id is None:
            return self._verdict(newsletter, self._written(newsletter, fields))
        brief = _changed(self._briefs.get(brief_id).brief, self._cleaned(fields))
        return self._verdict(newsletter, brief, brief_id)

    def _written(self, newsletter: Newsletter, fields: Mapping[str, Any]) -> Brief:
        blank = Brief(key="", title="", pillar=newsletter.pillar, summary="")
        brief = _changed(blank, self._cleaned(fields))
        return replace(brief, key=f"written:{newsletter.slug}:{brief_key(brief.title)}")

    def _cleaned(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {k: self._clean(v) if type(v) is str else v for k, v in fields.items()}

    def edit(self, brief_id: int, changes: Mapping[str, Any], *, actor: str) -> Receipt:
        """Change a brief by hand; the new revision goes through the gate."""
        stored = self._briefs.get(brief_id)
        changes = self._cleaned(changes)
        brief = _changed(stored.brief, changes)
        if brief == stored.brief:
            return Receipt(Arrival.UNCHANGED, stored)
        newsletter = self._newsletter(brief, f"brief {brief_id}")
        if "topics" in changes:
            self._refuse_strange_topics(newsletter, brief)
        shown = {key: str(value) for key, value in changes.items()}
        self._record(newsletter, actor, brief_id, "edit", shown)
        return self._revise(newsletter, stored, brief, by=actor)

    def hold(self, brief_id: int, *, actor: str) -> StoredBrief:
        stored = self._briefs.get(brief_id)
        newsletter = self._pillars.get(stored.brief.pillar.casefold())
        self._record(newsletter, actor, brief_id, "hold", {})
        now, reason = self._clock.now(), f"brief {brief_id} was held"
        self._issues.withdraw_brief(brief_id, reason, by=actor, now=now)
        return self._briefs.decide(
            brief_id, stored.verdict, waived=stored.waived, held_by=actor, by=actor, now=now
        )

    def accept(self, brief_id: int, *, actor: str) -> StoredBrief:
        """Waive what a person may waive; NotAllowed names what nobody may."""
        stored = self._briefs.get(brief_id)
        failed = [f for f in stored.verdict.findings if not f.passed]
        if barred := [f.reason for f in failed if not f.waivable]:
            raise NotAllowed(f"brief {brief_id} cannot be accepted: {' '.join(barred)}")
        waived = stored.waived.union(f.check for f in failed)
        newsletter = self._newsletter(stored.brief, f"brief {brief_id}")
        verdict = self._verdict(newsletter, stored.brief, brief_id, waived)
        self._record(newsletter, actor, brief_id, "accept", {"waived": sorted(waived)})
        return self._briefs.decide(
            brief_id, verdict, waived=waived, held_by=None, by=actor, now=self._clock.now()
        )

    def _revise(
        self, newsletter: Newsletter, stored: StoredBrief, brief: Brief, *, by: str | None = None
    ) -> Receipt:
        now, reason = self._clock.now(), f"brief {stored.brief_id} was revised"
        verdict = self._verdict(newsletter, brief, stored.brief_id)
        lead = self._issues.prints_as_lead(stored.brief_id)
        if _reads_the_same(stored, brief, verdict, lead=lead):
            return self._revise_unseen(newsletter, stored, brief, by=by)
        revised = self._briefs.save(brief, verdict, now, by=by)
        self._issues.withdraw_brief(stored.brief_id, reason, by=by, now=now)
        frozen = self._briefs.get(stored.brief_id).issue_id is not None
        return Receipt(Arrival.CORRECTION if frozen else Arrival.REVISED, revised)

    def _revise_unseen(
        self, newsletter: Newsletter, stored: StoredBrief, brief: Brief, *, by: str | None
    ) -> Receipt:
        """Store a revision that no reader sees: approvals and what a person decided stay.

        Unless the gate lets it through no longer.
        """
        now, reason = self._clock.now(), f"brief {stored.brief_id} was revised"
        verdict = self._verdict(newsletter, brief, stored.brief_id, stored.waived)
        revised = self._briefs.save(
            brief, verdict, now, by=by, waived=stored.waived, held_by=stored.held_by
        )
        if revised.ruling is not stored.ruling:
            self._issues.withdraw_brief(stored.brief_id, reason, by=by, now=now)
        return Receipt(Arrival.REVISED, revised)

    def _record(
        self,
        newsletter: Newsletter | None,
        actor: str,
        brief_id: int,
        verb: str,
        detail: dict[str, Any],
    ) -> None:
        slug = newsletter and newsletter.slug
        self._decisions.record(actor, f"brief {brief_id}", verb, detail, newsletter=slug)

    def _verdict(
        self,
        newsletter: Newsletter,
        brief: Brief,
        brief_id: int | None = None,
        waived: frozenset[str] = frozenset(),
    ) -> Verdict:
        now = self._clock.now()
        others = self._briefs.known(newsletter.pillar, now - _MEMORY)
        context = CheckContext(
            newsletter=newsletter,
            now=now,
            topics=suggest_topics(newsletter, brief),
            # A later brief that repeats this one is held itself; it must not hold this one too.
            others=tuple(o for o in others if brief_id is None or o.brief_id < brief_id),
            received=self._briefs.get(brief_id).received if brief_id is not None else None,
        )
        return verify(brief, context, waived=waived)

    @staticmethod
    def _refuse_strange_topics(newsletter: Newsletter, brief: Brief) -> None:
        for slug in brief.topics:
            newsletter.topic(slug)  # a person's slip of the pen is refused at once

    def _newsletter(self, brief: Brief, place: str) -> Newsletter:
        newsletter = self._pillars.get(brief.pillar.casefold())
        if newsletter is None:
            known = ", ".join(sorted(n.pillar for n in self._pillars.values()))
            reason = f"pillar: no newsletter prints {brief.pillar!r}; choose from: {known}"
            raise InvalidBrief(place, reason)
        return newsletter


def _reads_the_same(stored: StoredBrief, brief: Brief, verdict: Verdict, *, lead: bool) -> bool:
    was, now = (printed(one, size_of(one, lead=lead)) for one in (stored.brief, brief))
    return was == now and stored.verdict.topics == verdict.topics


def _changed(brief: Brief, fields: Mapping[str, Any]) -> Brief:
    """Return the brief with these fields, which are named as in a brief's file."""
    source = {part: fields[name] for name, part in _OF_SOURCE.items() if name in fields}
    picture = {part: fields[name] for name, part in _OF_PICTURE.items() if name in fields}
    of_parts = _OF_SOURCE.keys() | _OF_PICTURE.keys()
    rest = {name: value for name, value in fields.items() if name not in of_parts}
    return replace(
        brief,
        source=replace(brief.source, **source),
        picture=replace(brief.picture, **picture),
        doubts=tuple(one for one in brief.doubts if one.field not in fields),
        **rest,
    )
