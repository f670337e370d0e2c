"""Asking for approval: a draft waits for somebody who may approve, or was sent back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ApprovalRequestState(StrEnum):
    """Whose turn it is with a draft."""

    ASKED = "asked"  #: somebody who may approve looks at it next
    SENT_BACK = "sent_back"  #: whoever edits it does


@dataclass(frozen=True, kw_only=True)
class ApprovalRequest:
    """What was asked or answered last about a draft; an approval ends it."""

    state: ApprovalRequestState
    by: str
    at: datetime
    note: str  #: what the next one should know; whoever sends back gives one
    content_hash: str  #: of the draft it was about

    @property
    def is_asked(self) -> bool:
        return self.state is ApprovalRequestState.ASKED
