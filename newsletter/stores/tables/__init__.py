"""The rows of the newsletter's tables, by what they are about. None leaves `newsletter.stores`.

Here are those that stores use as rows; of the others, whose statements are spelled out, the
classes say what the migration makes. See docs/decisions/deliveries-without-foreign-keys.md.
"""

from newsletter.stores.tables.batches import BatchRow, EditionRow
from newsletter.stores.tables.briefs import BriefRevisionRow, BriefRow, PolledSourceRow
from newsletter.stores.tables.emails import TransactionalEmailRow
from newsletter.stores.tables.issues import (
    ApprovalRequestRow,
    ApprovedIssueRow,
    DraftRow,
    IssueBriefRow,
    IssueRow,
    IssueSummaryRow,
)
from newsletter.stores.tables.operation import (
    DecisionRow,
    OperatorAlertRow,
    ScheduleCursorRow,
    SkippedDayRow,
)

__all__ = [
    "ApprovalRequestRow",
    "ApprovedIssueRow",
    "BatchRow",
    "BriefRevisionRow",
    "BriefRow",
    "DecisionRow",
    "DraftRow",
    "EditionRow",
    "IssueBriefRow",
    "IssueRow",
    "IssueSummaryRow",
    "OperatorAlertRow",
    "PolledSourceRow",
    "ScheduleCursorRow",
    "SkippedDayRow",
    "TransactionalEmailRow",
]
