"""Approves what a person looked at: the draft, and every finding that asks to be looked at."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredIssue
from newsletter.errors import NotAllowed
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

        StaleDraft says what changed since; NotAllowed names what stops it, or was not looked at.
        """
        report = self.preflight.report(newsletter, on, anew=True)
        if report.content_hash == expecting:
            _refuse_unseen(report, seen)
            for finding in report.open:
                self.preflight.tick(
                    newsletter, on, content_hash=expecting, finding=finding.key, actor=actor
                )
        return self.publishing.approve(newsletter, on, actor=actor, expecting=expecting)


def _refuse_unseen(report: PreflightReport, seen: Collection[str]) -> None:
    if report.stops:
        raise NotAllowed(" ".join(one.sentence for one in report.stops))
    if unseen := [one.sentence for one in report.open if one.key not in seen]:
        raise NotAllowed("look at this first, and tick it: " + " ".join(unseen))
