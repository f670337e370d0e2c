"""Judges the way of one letter to staff: accepted, delivered, and its events received."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.core.events import DeliveryEvent, EventKind
from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupSubject
from newsletter.core.staff_letter import StaffLetter, StaffLetterStatus

LONGEST_TRIAL = timedelta(minutes=5)  #: that events are waited for
_ABOUT = SetupSubject(SetupArea.LETTER, "letter")
_FAILED = {
    EventKind.BOUNCED: "its receiver refused it",
    EventKind.SOFT_BOUNCED: "its receiver refused it this time",
    EventKind.BLOCKED: "its receiver blocked it",
    EventKind.DROPPED: "SendGrid did not send it",
}


@dataclass(frozen=True, kw_only=True)
class LetterTrial:
    """How far a letter to staff has come, at a moment."""

    letter: StaffLetter
    events: tuple[DeliveryEvent, ...]
    findings: tuple[SetupFinding, ...]  #: what is certain by now
    waits: bool  #: more events may come


def trial_of(letter: StaffLetter, events: tuple[DeliveryEvent, ...], now: datetime) -> LetterTrial:
    """Say how far a letter has come; what did not come yet is no fault before its time is up."""
    if unsent := unsent_finding(letter):
        return LetterTrial(letter=letter, events=events, findings=(unsent,), waits=False)
    events = tuple(sorted(events, key=lambda one: (one.at, has_ended([one]))))
    waits = not has_ended(events) and now < letter.at + LONGEST_TRIAL
    findings = tuple(trial_findings(letter, events, LONGEST_TRIAL))
    shown = findings[:1] if waits else findings
    return LetterTrial(letter=letter, events=events, findings=shown, waits=waits)


def unsent_finding(letter: StaffLetter) -> SetupFinding | None:
    """Return what kept a letter from being sent; None if SendGrid accepted it."""
    match letter.state:
        case StaffLetterStatus.ACCEPTED:
            return None
        case StaffLetterStatus.REFUSED:
            return _ABOUT.fail(
                f"SendGrid refused the letter: {letter.reason}", "mend what SendGrid names"
            )
        case _:
            return _ABOUT.fail(
                f"nobody knows whether the letter left: {letter.reason}",
                "look into the mailbox, and try again",
            )


def has_ended(events: Sequence[DeliveryEvent]) -> bool:
    """Return whether nothing more is to be waited for."""
    return any(one.kind is EventKind.DELIVERED or one.kind in _FAILED for one in events)


def trial_findings(
    letter: StaffLetter, events: Sequence[DeliveryEvent], longest: timedelta
) -> Iterator[SetupFinding]:
    """Say which parts of the way are proven, and what did not arrive."""
    yield _ABOUT.ok(f"SendGrid accepted the letter to {letter.email}")
    kinds = {one.kind: one for one in events}
    if failed := next((one for kind, one in kinds.items() if kind in _FAILED), None):
        reason = f": {failed.reason}" if failed.reason else ""
        yield _ABOUT.fail(
            f"{_FAILED[failed.kind]}{reason}", "mend what it says, and take another mailbox"
        )
    elif EventKind.DELIVERED in kinds:
        yield _ABOUT.ok("its events came back signed: delivered. The whole way is proven.")
    elif kinds:
        names = ", ".join(kinds)
        yield _ABOUT.warn(
            f"events came back ({names}), but within {_time(longest)} none says that it was "
            "delivered",
            "the receiver delays it: look into the mailbox, later also into SendGrid's Activity",
        )
    else:
        yield _ABOUT.fail(
            f"no event of it came back within {_time(longest)}: accepted, and then nothing",
            "see the lines about the webhook; does `newsletter serve` run, and does SendGrid reach "
            "it?",
        )


def _time(longest: timedelta) -> str:
    seconds = round(longest.total_seconds())
    return f"{seconds} seconds" if seconds < 120 else f"{seconds // 60} minutes"  # noqa: PLR2004  # people think in minutes then
