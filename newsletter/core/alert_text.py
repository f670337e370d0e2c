"""A notice as it is told through a channel, and the troubles the clock has no eye for."""

from datetime import date, datetime, timedelta

from newsletter.core.operator_alert import OperatorAlert, OperatorAlertKind

_FIRST_PAUSE = timedelta(seconds=15)
_LONGEST_PAUSE = timedelta(minutes=30)

#: What a person does about it.
_ADVICE = {
    OperatorAlertKind.EMPTY_DAY: "`newsletter briefs list` shows what came, and why it was not accepted.",
    OperatorAlertKind.UNAPPROVED: "Look at it with `newsletter issue preview`; to let it leave, run "
    "`newsletter issue approve` while it is fresh.",
    OperatorAlertKind.FAILED: "The clock tries again while the issue is fresh; `newsletter check` names "
    "what is missing.",
    OperatorAlertKind.MISSED_DAY: "Nothing is sent by itself any more; to send it after all, run "
    "`newsletter issue send` with its date.",
    OperatorAlertKind.PAUSED: "Nothing leaves until you act: `newsletter issue status` shows how it "
    "stands, and `newsletter issue resume` lets it go on.",
    OperatorAlertKind.UNKNOWN_BATCH: "Nothing is sent again without evidence: `newsletter batches list` "
    "shows what is known, and `newsletter batches settle` takes your word.",
    OperatorAlertKind.NOT_WRITTEN: "Confirmations and the like wait, for a day at most; "
    "`newsletter check` names what is missing.",
    OperatorAlertKind.SOURCE_DOWN: "`newsletter sources list` says why; its briefs are missing from the "
    "issue meanwhile.",
}


def title(notice: OperatorAlert) -> str:
    """Return the alert's title."""
    return f"{notice.newsletter}, {notice.date}: {notice.kind}"


def body(notice: OperatorAlert) -> str:
    """Return the alert's text: what happened, and what a person does about it."""
    return f"{notice.sentence}\n\n{_ADVICE[notice.kind]}"


def pause_before(failures: int) -> timedelta:
    """Return the pause before a channel that failed so often is tried again: 15 s to 30 min."""
    return min(_FIRST_PAUSE * 2 ** min(failures - 1, 20), _LONGEST_PAUSE)


def unknown_batch(newsletter: str, on: date) -> OperatorAlert:
    """Return the notice of answers lost and not found again; one an issue, however many."""
    sentence = (
        "SendGrid's answer to one or more of its requests was lost, and nothing has told it since"
    )
    return OperatorAlert(
        kind=OperatorAlertKind.UNKNOWN_BATCH, newsletter=newsletter, date=on, sentence=sentence
    )


def source_down(newsletter: str, source: str, since: datetime) -> OperatorAlert:
    """Return the notice of a source that cannot be read; one an outage, however long."""
    return OperatorAlert(
        kind=OperatorAlertKind.SOURCE_DOWN,
        newsletter=newsletter,
        date=since.date(),
        sentence=f"the source {source} cannot be read since {since:%Y-%m-%d %H:%M} UTC",
    )
