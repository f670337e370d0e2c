"""Whether an operator alert still needs somebody: its cause is there, and nobody closed it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.core.operator_alert import OperatorAlert, OperatorAlertKind
from newsletter.core.stored import IssueStatus

#: What has no cause that could be seen to go is old news after this time.
OLD = timedelta(days=3)

_BY_STATE = {
    OperatorAlertKind.EMPTY_DAY: {IssueStatus.EMPTY},
    OperatorAlertKind.UNAPPROVED: {IssueStatus.DRAFT},
    OperatorAlertKind.FAILED: {IssueStatus.EMPTY, IssueStatus.DRAFT, IssueStatus.APPROVED, None},
    OperatorAlertKind.MISSED_DAY: {IssueStatus.MISSED},
    OperatorAlertKind.PAUSED: {IssueStatus.PAUSED},
    OperatorAlertKind.WENT_ON: {IssueStatus.SENDING},
}
#: These are about one day, and nothing is to be done about it a few days later.
_ABOUT_THE_DAY = frozenset(
    {
        *(OperatorAlertKind.EMPTY_DAY, OperatorAlertKind.UNAPPROVED),
        *(OperatorAlertKind.FAILED, OperatorAlertKind.MISSED_DAY, OperatorAlertKind.NOT_WRITTEN),
        OperatorAlertKind.ACCOUNT_REACTIVATED,
        OperatorAlertKind.WEBHOOK_FAILED,
    }
)


@dataclass(frozen=True, kw_only=True)
class AlertCause:
    """What is there now of what an alert may be about."""

    state: IssueStatus | None  #: of its issue; None: there is none
    unreached: bool  #: SendGrid was not reached for its issue, nor since
    unknown: int  #: batches of its issue whose answer is still lost
    source_down: bool  #: the source it names is unreadable now, or still brings nothing new
    reactivated: bool  #: SendGrid let the account go on after it
    repeated: bool  #: a later alert of the same kind is about the same


@dataclass(frozen=True, kw_only=True)
class StoredAlert:
    """An operator alert as it is stored: who took it, and whether it is over."""

    id: int
    at: datetime
    alert: OperatorAlert
    cause: AlertCause
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    channels: tuple[str, ...] = ()  #: that have taken it
    sent_at: datetime | None = None  #: None: a channel that failed is tried again

    def is_open(self, now: datetime) -> bool:
        """Return whether it needs somebody: nobody closed it, and its cause has not gone."""
        return self.closed_at is None and is_there(self.alert.kind, self.cause, now - self.at)


def is_there(kind: OperatorAlertKind, cause: AlertCause, age: timedelta) -> bool:
    """Return whether the cause of an alert of this age is still there, as far as can be seen."""
    if cause.repeated or (kind in _ABOUT_THE_DAY and age > OLD):
        return False
    match kind:
        case OperatorAlertKind.UNREACHED:
            return cause.unreached
        case OperatorAlertKind.UNKNOWN_BATCH:
            return cause.unknown > 0
        case OperatorAlertKind.SOURCE_DOWN | OperatorAlertKind.SOURCE_QUIET:
            return cause.source_down
        case OperatorAlertKind.ACCOUNT_CHANGED:
            return not cause.reactivated
        case _:
            return kind not in _BY_STATE or cause.state in _BY_STATE[kind]
