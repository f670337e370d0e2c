"""Approves what a person looked at: the draft, and every finding that asks to be looked at."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredIssue
from newsletter.errors import FindingsUnseen, NotAllowed
from newsletter.services.preflight import Preflight, PreflightReport
from newsletter.services.publishing import Publishing


@dataclass(eq=False)
class Reviews:
    """Ties an approval to the checks before sending."""

    publishing: Publishing
    preflight: Preflight

    def approve(
        self,
        newsletter: Newsletter,
        on: date,
        *,
        expecting: str,
        seen: Collection[str],
        actor: str,
    ) -> StoredIssue:
        """Approve the draft of this hash; `seen` names the findings the person ticked.

        StaleDraft says what changed since; NotAllowed names what stops it, FindingsUnseen what was
        not looked at.
        """
        report = self.preflight.report(newsletter, on, anew=True)
        if report.content_hash == expecting:
            _refuse_unseen(report, seen)
            self._tick(newsletter, on, report, seen, actor)
        return self.publishing.approve(newsletter, on, actor=actor, expecting=expecting)

    def store_ticks(
        self,
        newsletter: Newsletter,
        on: date,
        *,
        expecting: str,
        seen: Collection[str],
        actor: str,
    ) -> None:
        """Store what a person ticked about the draft of this hash, and approve nothing."""
        report = self.preflight.report(newsletter, on)
        if report.content_hash == expecting:
            self._tick(newsletter, on, report, seen, actor)

    def _tick(
        self,
        newsletter: Newsletter,
        on: date,
        report: PreflightReport,
        seen: Collection[str],
        actor: str,
    ) -> None:
        for key in (one.key for one in report.open if one.key in seen):
            self.preflight.tick(
                newsletter, on, content_hash=report.content_hash, finding=key, actor=actor
            )


def _refuse_unseen(report: PreflightReport, seen: Collection[str]) -> None:
    if report.stops:
        raise NotAllowed(" ".join(one.sentence for one in report.stops))
    if unseen := tuple(one.sentence for one in report.open if one.key not in seen):
        raise FindingsUnseen(unseen)
