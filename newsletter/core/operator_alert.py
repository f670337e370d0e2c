"""Operator alerts: what is reported to operators about a newsletter's day, once, with advice.

To add one: a line in `OperatorAlertKind`, and `ScheduleStore.queue_alert` where it is noticed.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Self

from newsletter.core.source_record import KnownItem

_FIRST_PAUSE = timedelta(seconds=15)
_LONGEST_PAUSE = timedelta(minutes=30)

#: What SendGrid did to the account, by the type of its event.
_ACCOUNT = {
    "compliance_suspend": "suspended the account",
    "compliance_deactivate": "deactivated the account",
    "compliance_ban": "banned the account",
}


class OperatorAlertKind(StrEnum):
    """What happened to the day's issue or to one of its sources; with each, what to do about it."""

    advice: str

    EMPTY_DAY = (
        "empty day",
        "`newsletter briefs list` shows what came, and why it was not accepted.",
    )
    UNAPPROVED = (
        "unapproved",
        "`newsletter issue preview` shows it; `newsletter issue approve` lets it be sent.",
    )
    FAILED = (
        "failed",
        "It is tried again while the issue is fresh; `newsletter check` names what is missing.",
    )
    MISSED_DAY = (
        "missed day",
        "It is not sent automatically any more; `newsletter issue send` with its date still sends.",
    )
    PAUSED = (
        "paused",
        "`newsletter issue status` says why; nothing is sent until `newsletter issue resume`.",
    )
    WENT_ON = (
        "went on by itself",
        "Nothing to do: `newsletter issue status` shows how far it has got.",
    )
    UNREACHED = (
        "SendGrid not reached",
        "It is tried again while the issue is fresh; `newsletter check` tries it now.",
    )
    UNKNOWN_BATCH = (
        "unknown batch",
        "`newsletter batches list` shows the evidence; `newsletter batches resolve` decides.",
    )
    SENT_TWICE = (
        "sent twice",
        "`newsletter issue status` names the batches, and `newsletter why EMAIL` the requests.",
    )
    NOT_WRITTEN = (
        "letter not sent",
        "Emails to single readers wait, a day at most; `newsletter check` names what is missing.",
    )
    SOURCE_DOWN = (
        "source down",
        "`newsletter sources list` says why; its briefs are missing from the issue meanwhile.",
    )
    SOURCE_QUIET = (
        "source quiet",
        "`newsletter sources list` shows its last poll; look at the page itself: has it moved?",
    )

    TAKEN_DOWN = (
        "story taken down",
        "It is held; `newsletter briefs accept` prints it all the same.",
    )
    WEBHOOK_FAILED = (
        "webhook failed",
        "`newsletter webhooks show` says what it answered; `send-again` posts it once more.",
    )
    ACCOUNT_CHANGED = (
        "account changed",
        "SendGrid's support says why; `newsletter issue pause` stops what is sent until then.",
    )
    ACCOUNT_REACTIVATED = (
        "account reactivated",
        "`newsletter issue resume` continues a paused issue; `issue status` shows what bounced.",
    )

    def __new__(cls, value: str, advice: str) -> Self:
        """Make a member whose value is stored, and whose advice is sent with the alert."""
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.advice = advice
        return kind


ALL = "all newsletters"

#: Alerts about the account that all newsletters share.
ABOUT_ACCOUNT = (OperatorAlertKind.ACCOUNT_CHANGED, OperatorAlertKind.ACCOUNT_REACTIVATED)


@dataclass(frozen=True, kw_only=True)
class OperatorAlert:
    """Something about one newsletter's issue of one date, in a sentence without addresses."""

    kind: OperatorAlertKind
    newsletter: str  #: its slug; ALL for what is about all of them
    date: date  #: of the issue; for a source, the first day of its trouble
    sentence: str

    @property
    def title(self) -> str:
        return f"{self.newsletter}, {self.date}: {self.kind}"

    @property
    def body(self) -> str:
        return f"{self.sentence}\n\n{self.kind.advice}"


def retry_pause(failures: int) -> timedelta:
    """Return the pause before a channel that failed so often is tried again: 15 s to 30 min."""
    return min(_FIRST_PAUSE * 2 ** min(failures - 1, 20), _LONGEST_PAUSE)


def unknown_batch_alert(newsletter: str, on: date) -> OperatorAlert:
    """Return the alert about lost answers; one for an issue, however many there are."""
    sentence = (
        "SendGrid's answer to one or more of its requests was lost, "
        "and nothing has shown yet whether it was accepted"
    )
    return OperatorAlert(
        kind=OperatorAlertKind.UNKNOWN_BATCH, newsletter=newsletter, date=on, sentence=sentence
    )


def sent_twice_alert(newsletter: str, on: date, deliveries: int, batches: int) -> OperatorAlert:
    """Return the alert about a doubling; another one only once there are more of them."""
    readers = "1 reader" if deliveries == 1 else f"{deliveries:,} readers"
    where = "a batch was" if batches == 1 else f"{batches:,} batches were"
    return OperatorAlert(
        kind=OperatorAlertKind.SENT_TWICE,
        newsletter=newsletter,
        date=on,
        sentence=f"{readers} got the letter twice: {where} accepted in more than one request",
    )


def source_down_alert(newsletter: str, source: str, since: datetime) -> OperatorAlert:
    """Return the alert about a source that cannot be read; one for an outage, however long."""
    return OperatorAlert(
        kind=OperatorAlertKind.SOURCE_DOWN,
        newsletter=newsletter,
        date=since.date(),
        sentence=f"the source {source} has been unreadable since {since:%Y-%m-%d %H:%M} UTC",
    )


def taken_down_alert(newsletter: str, on: date, source: str, item: KnownItem) -> OperatorAlert:
    """Return the alert about a story that its source no longer shows."""
    return OperatorAlert(
        kind=OperatorAlertKind.TAKEN_DOWN,
        newsletter=newsletter,
        date=on,
        sentence=f"the source {source} no longer shows brief {item.brief_id}, “{item.title:.80}”",
    )


def source_quiet_alert(newsletter: str, source: str, since: datetime) -> OperatorAlert:
    """Return the alert about a source that answers and brings nothing; one each time."""
    return OperatorAlert(
        kind=OperatorAlertKind.SOURCE_QUIET,
        newsletter=newsletter,
        date=since.date(),
        sentence=f"the source {source} answers, and has brought nothing new since "
        f"{since:%Y-%m-%d %H:%M} UTC: longer than ever before",
    )


def account_alert(status: str, at: datetime) -> OperatorAlert:
    """Return the alert about a change of SendGrid's account; `status` is its event's type."""
    kind, did = OperatorAlertKind.ACCOUNT_CHANGED, _ACCOUNT.get(status)
    if status == "reactivate":
        kind, sentence = OperatorAlertKind.ACCOUNT_REACTIVATED, "SendGrid lets the account go on"
    elif did:
        sentence = f"SendGrid {did}: it may take letters, and does not deliver them"
    else:
        sentence = "SendGrid changed the status of the account"
    return OperatorAlert(
        kind=kind, newsletter=ALL, date=at.astimezone(UTC).date(), sentence=sentence
    )


def is_news(
    alert: OperatorAlert, at: datetime, latest: tuple[OperatorAlert, datetime] | None
) -> bool:
    """Return whether an alert about the account says more than the latest one.

    SendGrid reports a suspension many times, and its events come late, twice and in any order.
    """
    if latest is None:
        return alert.kind is not OperatorAlertKind.ACCOUNT_REACTIVATED
    before, reported_at = latest
    return at > reported_at and alert.sentence != before.sentence
