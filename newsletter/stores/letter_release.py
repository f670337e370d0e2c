"""Keeps the sums and results of issues for good, before their letters are dropped.

See docs/decisions/an-old-issue-keeps-its-sums.md.
"""

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlmodel import Session

from newsletter.core.letter_release import LetterRelease
from newsletter.stores.exclusions import drop_exclusions
from newsletter.stores.issue_summaries import release_of
from newsletter.stores.issue_totals import totals_of
from newsletter.stores.results import results_of
from newsletter.stores.tables import IssueSummaryRow
from subscribers.db.transaction import DatabaseStore, rows, transaction

#: Planned, and not kept yet. One whose letters are still on their way, or may be, is open.
_ASKED = """
    SELECT id, state IN ('sending', 'paused') OR EXISTS (
               SELECT FROM batch
                WHERE issue_id = issue.id AND batch.state IN ('planned', 'claimed', 'unknown'))
           AS open
      FROM issue
     WHERE id = ANY(%(issues)s) AND planned_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM issue_summary WHERE issue_id = issue.id)
     ORDER BY id
"""


class LetterReleaseStore(DatabaseStore):
    """Keeps what is needed of issues whose letters are about to be dropped."""

    def summarize(self, issue_ids: Collection[int], now: datetime) -> tuple[int, ...]:
        """Keep the sums and results of all these issues, or return those that are still open.

        Of each it drops who was excluded; whoever calls it drops the deliveries and their events.
        Harmless to repeat.
        """
        with transaction(self._engine, snapshot=True) as session:
            asked = rows(session, _ASKED, {"issues": sorted(issue_ids)})
            still_open = tuple(row["id"] for row in asked if row["open"])
            if not still_open:
                ended = [row["id"] for row in asked]
                session.add_all(_summaries(session, ended, now))
                session.flush()
                drop_exclusions(session, ended)
        return still_open

    def release_of(self, issue_id: int) -> LetterRelease | None:
        """Return since when the letters of an issue are gone; None while they are there."""
        with transaction(self._engine) as session:
            return release_of(session, issue_id)


def _summaries(
    session: Session, issue_ids: Collection[int], now: datetime
) -> Iterator[IssueSummaryRow]:
    """Yield what is kept of each of these issues, which are asked about all at once."""
    totals, results = totals_of(session, issue_ids), results_of(session, issue_ids)
    for one in issue_ids:
        yield IssueSummaryRow(issue_id=one, at=now, totals=totals[one], results=results[one])
