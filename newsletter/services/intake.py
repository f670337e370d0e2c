"""Receives briefs, puts them through the gate, and applies what a person decides about them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from newsletter.core.brief import Brief, brief_key
from newsletter.core.keywords import named_topics
from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredBrief
from newsletter.core.verification import Verdict
from newsletter.errors import InvalidBrief, NotAllowed, StaleBrief
from newsletter.ports import Clock
from newsletter.services.brief_deciding import BriefDeciding
from newsletter.services.receiving import Arrival, Incoming, Receipt, Receiving
from newsletter.stores.brief_saving import judged_again
from newsletter.stores.briefs import BriefStore
from newsletter.stores.issues import IssueStore

_OF_SOURCE = {"source_name": "name", "source_url": "url"}
_OF_PICTURE = {"picture": "url", "picture_alt": "alt", "picture_width": "width"}


@dataclass(frozen=True)
class NotReceived:
    """Why a brief that somebody handed over was refused, and for which field of its file."""

    field: str  #: empty: the brief as a whole
    reason: str


class Intake:
    """Receives, revises, holds and accepts briefs; every change goes through the gate."""

    def __init__(
        self,
        newsletters: Mapping[str, Newsletter],
        briefs: BriefStore,
        issues: IssueStore,
        clock: Clock,
        *,
        clean: Callable[[str], str] = str,
    ) -> None:
        self._clean = clean  # makes plain text of what a person typed, as of a file's
        self._pillars = {n.pillar.casefold(): n for n in newsletters.values() if not n.week_of}
        self._briefs = briefs
        self._receiving = Receiving(briefs, issues, clock)
        self._deciding = BriefDeciding(self._pillars, briefs, issues, self._receiving, clock)

    def receive_all(self, briefs: Sequence[Brief], *, place: str) -> tuple[Receipt, ...]:
        """Receive what one file holds: all of it, or, if no newsletter prints a pillar, nothing."""
        incoming = [self._incoming(brief, place) for brief in briefs]
        return tuple(map(_received, self._receiving.receive(incoming, by=None)))

    def receive(self, brief: Brief, *, place: str = "brief", by: str | None = None) -> Receipt:
        """Put a brief through the gate and store it; the same brief twice is stored once.

        `place` names where it came from, for InvalidBrief when no newsletter prints its pillar;
        `by` is who wrote it, None for a source.
        """
        [receipt] = self._receiving.receive([self._incoming(brief, place)], by=by)
        return _received(receipt)

    def hand_over(
        self, briefs: Sequence[Brief], *, to: Collection[Newsletter], actor: str
    ) -> tuple[Receipt | NotReceived, ...]:
        """Receive briefs from somebody who may write to these newsletters only; it is recorded.

        Refused is one whose pillar none of these prints, or whose key another's brief has; it does
        not stop the others. One that they hold themselves is brought back.
        """
        pillars = {one.pillar.casefold() for one in to if not one.week_of}
        before = self._briefs.found(brief.key for brief in briefs)
        refused = {
            place: fault
            for place, brief in enumerate(briefs)
            if (fault := _foreign(brief, before.get(brief.key), pillars))
        }
        incoming = [
            replace(self._incoming(brief, "brief"), detail={"title": brief.title})
            for place, brief in enumerate(briefs)
            if place not in refused
        ]
        found = self._receiving.receive(incoming, by=actor)
        received = iter(
            [
                self._deciding.brought_back(one, receipt, actor=actor)
                for one, receipt in zip(incoming, found, strict=True)
            ]
        )
        return tuple(
            refused.get(place) or _handed_over(next(received)) for place in range(len(briefs))
        )

    def receive_each(
        self, briefs: Sequence[Brief], *, place: str
    ) -> tuple[Receipt | InvalidBrief, ...]:
        """Receive what a source shows; one that is refused does not stop the others."""
        read = [self._incoming_or_fault(brief, place) for brief in briefs]
        incoming = [one for one in read if isinstance(one, Incoming)]
        received = iter(self._receiving.receive(incoming, by=None))
        return tuple(next(received) if isinstance(one, Incoming) else one for one in read)

    def _incoming_or_fault(self, brief: Brief, place: str) -> Incoming | InvalidBrief:
        try:
            return self._incoming(brief, place)
        except InvalidBrief as fault:
            return fault

    def known(self, keys: Iterable[str]) -> dict[str, Brief]:
        """Return those of these keys that ever came, by key, each as it is stored."""
        return {key: stored.brief for key, stored in self._briefs.found(keys).items()}

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
            if self._briefs.seen([brief]):
                return Receipt(Arrival.UNCHANGED, stored)
            raise NotAllowed(f"brief {stored.brief_id} has this title already; edit that one")
        incoming = Incoming(newsletter=newsletter, brief=brief, detail={"title": brief.title})
        [written] = self._receiving.store([incoming], by=actor)
        return written

    def check(
        self, newsletter: Newsletter, fields: Mapping[str, Any], brief_id: int | None = None
    ) -> Verdict:
        """Return what the gate would say of a brief being written, or edited, storing nothing."""
        if brief_id is None:
            return self._receiving.verdict(newsletter, self._written(newsletter, fields))
        stored = self._briefs.get(brief_id)
        brief = _changed(stored.brief, self._cleaned(fields))
        return self._receiving.verdict(newsletter, brief, stored)

    def _written(self, newsletter: Newsletter, fields: Mapping[str, Any]) -> Brief:
        blank = Brief(key="", title="", pillar=newsletter.pillar, summary="")
        brief = _changed(blank, self._cleaned(fields))
        return replace(brief, key=f"written:{newsletter.slug}:{brief_key(brief.title)}")

    def _cleaned(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {k: self._clean(v) if type(v) is str else v for k, v in fields.items()}

    def edit(self, brief_id: int, changes: Mapping[str, Any], *, actor: str) -> Receipt:
        """Change a brief by hand; the new revision goes through the gate."""
        return self.change(brief_id, self._cleaned(changes), actor=actor)

    def change(
        self,
        brief_id: int,
        changes: Mapping[str, Any],
        *,
        actor: str,
        version: str | None = None,
    ) -> Receipt:
        """Change a brief, by values that are clean; StaleBrief if it is not of this version."""
        return judged_again(lambda: self._change(brief_id, changes, actor, version))

    def _change(
        self, brief_id: int, changes: Mapping[str, Any], actor: str, version: str | None
    ) -> Receipt:
        stored = self._of_version(brief_id, version)
        brief = _changed(stored.brief, changes)
        if brief == stored.brief:
            return Receipt(Arrival.UNCHANGED, stored)
        newsletter = self._newsletter(brief, f"brief {brief_id}")
        if "topics" in changes:
            self._refuse_strange_topics(newsletter, brief)
        shown = {key: str(value) for key, value in changes.items()}
        incoming = Incoming(newsletter=newsletter, brief=brief, before=stored, detail=shown)
        [revised] = self._receiving.store([incoming], by=actor)
        return revised

    def hold(
        self, brief_id: int, *, actor: str, because: str = "", version: str | None = None
    ) -> StoredBrief:
        """Hold a brief back, whatever the gate says; StaleBrief if it is not of this version."""

        def act() -> StoredBrief:
            stored = self._of_version(brief_id, version)
            return self._deciding.hold(stored, actor=actor, because=because)

        return judged_again(act)

    def accept(
        self, brief_id: int, *, actor: str, because: str = "", version: str | None = None
    ) -> StoredBrief:
        """Waive what a person may waive; NotAllowed names what nobody may.

        StaleBrief if it is not of this version.
        """

        def act() -> StoredBrief:
            stored = self._of_version(brief_id, version)
            return self._deciding.accept(stored, actor=actor, because=because)

        return judged_again(act)

    def _of_version(self, brief_id: int, version: str | None) -> StoredBrief:
        stored = self._briefs.get(brief_id)
        if version not in (None, stored.version):
            raise StaleBrief(brief_id)
        return stored

    def _incoming(self, brief: Brief, place: str) -> Incoming:
        newsletter = self._newsletter(brief, place)
        topics = named_topics(newsletter, brief.topics)
        return Incoming(newsletter=newsletter, brief=replace(brief, topics=topics))

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


def _foreign(
    brief: Brief, before: StoredBrief | None, pillars: AbstractSet[str]
) -> NotReceived | None:
    """Return why a brief is refused that somebody hands over who writes these pillars only."""
    if brief.pillar.casefold() not in pillars:
        return NotReceived("pillar", f"no newsletter that you see prints {brief.pillar!r}")
    if before and before.brief.pillar.casefold() not in pillars:
        return NotReceived("id", "another newsletter's brief has this key: choose another")
    return None


def _received(found: Receipt | InvalidBrief) -> Receipt:
    if isinstance(found, InvalidBrief):
        raise found
    return found


def _handed_over(found: Receipt | InvalidBrief) -> Receipt | NotReceived:
    return found if isinstance(found, Receipt) else NotReceived("", found.reason)


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
