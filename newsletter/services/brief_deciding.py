"""What is decided about a brief beside the gate: it is held back, accepted, or brought back."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from newsletter.core.api_token import ends_hold, is_token_actor
from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredBrief
from newsletter.core.verification import Verdict
from newsletter.errors import InvalidBrief, NotAllowed
from newsletter.ports import Clock
from newsletter.services.receiving import Incoming, Receipt, Receiving
from newsletter.stores.briefs import BriefStore
from newsletter.stores.decisions import DecisionEntry
from newsletter.stores.issues import IssueStore
from subscribers.errors import ConcurrentChange


@dataclass(eq=False)
class BriefDeciding:
    """Stores what people and programs decide about a brief, each with its line of the log.

    ConcurrentChange where a brief is not as they read it.
    """

    pillars: Mapping[str, Newsletter]  #: who prints which, in small letters
    briefs: BriefStore
    issues: IssueStore
    receiving: Receiving
    clock: Clock

    def hold(self, stored: StoredBrief, *, actor: str, because: str) -> StoredBrief:
        """Hold a brief back, whatever the gate says.

        What somebody holds already stays theirs when a program holds it, too: the program could
        end a hold of its own.
        """
        reason = f"brief {stored.brief_id} was held"
        now = self.clock.now()
        self.issues.withdraw_brief(stored.brief_id, reason, by=actor, now=now)
        holder = (is_token_actor(actor) and stored.held_by) or actor
        return self._record(
            stored, "hold", stored.verdict, actor, held_by=holder, detail=_said(because)
        )

    def accept(self, stored: StoredBrief, *, actor: str, because: str) -> StoredBrief:
        """Waive what a person may waive, and end a hold; NotAllowed says what nobody may.

        A program ends no hold but a program's.
        """
        if not ends_hold(actor, stored.held_by):
            held = f"brief {stored.brief_id} is held by {stored.held_by}"
            raise NotAllowed(f"{held}: a program cannot accept it, a person can")
        failed = [f for f in stored.verdict.findings if not f.passed]
        if barred := [f.reason for f in failed if not f.waivable]:
            which = f"brief {stored.brief_id} cannot be accepted"
            raise NotAllowed(f"{which}: {' '.join(barred)}")
        waived = stored.waived.union(f.check for f in failed)
        verdict = self._verdict(stored, waived)
        detail = {"waived": sorted(waived)} | _said(because)
        return self._record(stored, "accept", verdict, actor, waived=waived, detail=detail)

    def brought_back(
        self, given: Incoming, found: Receipt | InvalidBrief, *, actor: str
    ) -> Receipt | InvalidBrief:
        """End the hold of whoever hands over again, as it is stored, what they hold themselves.

        It goes through the gate again. What somebody else holds, or changed meanwhile, stays held.
        """
        if isinstance(found, InvalidBrief) or not _is_own(given, found.stored, actor):
            return found
        stored = found.stored
        verdict = self._verdict(stored, stored.waived)
        try:
            back = self._record(stored, "bring back", verdict, actor, waived=stored.waived)
        except ConcurrentChange:  # somebody else's word came between: it stays
            back = self.briefs.get(stored.brief_id)
        return replace(found, stored=back)

    def _verdict(self, stored: StoredBrief, waived: frozenset[str]) -> Verdict:
        if newsletter := self._newsletter(stored):
            return self.receiving.verdict(newsletter, stored.brief, stored, waived)
        reason = f"pillar: no newsletter prints {stored.brief.pillar!r}"
        raise InvalidBrief(f"brief {stored.brief_id}", reason)

    def _newsletter(self, stored: StoredBrief) -> Newsletter | None:
        return self.pillars.get(stored.brief.pillar.casefold())

    def _record(
        self,
        stored: StoredBrief,
        verb: str,
        verdict: Verdict,
        actor: str,
        *,
        held_by: str | None = None,
        waived: AbstractSet[str] | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> StoredBrief:
        newsletter = self._newsletter(stored)
        entry = DecisionEntry(
            subject=f"brief {stored.brief_id}",
            verb=verb,
            detail=dict(detail or {}),
            newsletter=newsletter and newsletter.slug,
        )
        return self.briefs.decide(
            stored,
            verdict,
            waived=stored.waived if waived is None else waived,
            held_by=held_by,
            by=actor,
            now=self.clock.now(),
            decided=[entry],
        )


def _is_own(given: Incoming, stored: StoredBrief, actor: str) -> bool:
    return stored.held_by == actor and stored.brief.digest == given.brief.digest


def _said(because: str) -> dict[str, Any]:
    return {"because": because} if because else {}
