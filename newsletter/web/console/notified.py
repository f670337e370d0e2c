"""Says who was sent a letter about an approval, and through which channels an alert went."""

from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from newsletter.core.alert_state import StoredAlert
from newsletter.core.approval_request import ApprovalRequest
from newsletter.core.staff_letter import StaffLetter, StaffLetterStatus
from newsletter.core.stored import StoredIssue
from newsletter.web.console.access import Visit
from newsletter.web.console.words import Words

_WORDS = {
    StaffLetterStatus.ACCEPTED: "letter_left",
    StaffLetterStatus.WAITING: "letter_leaves",
    StaffLetterStatus.CLAIMED: "letter_leaves",
    StaffLetterStatus.UNKNOWN: "letter_unknown",
}


def people_notified(
    visit: Visit, stored: StoredIssue | None, request: ApprovalRequest | None
) -> tuple[Markup, ...]:
    """Return who was sent a letter about a request, and what became of each letter."""
    if stored is None or request is None:
        return ()
    services, words = visit.services, visit.services.pages.words
    letters = services.approval_letters.about(visit.here, stored, request)
    if not letters:
        return (words("approval.letter_to_nobody"),)
    names = {one.email: one.name or one.email for one in services.staff_accounts.members()}
    left = ((one, names.get(one.email, one.email)) for one in letters)
    return tuple(_sentences(words, tuple(left)))


def _sentences(words: Words, letters: Sequence[tuple[StaffLetter, str]]) -> Iterator[Markup]:
    for name in dict.fromkeys(_WORDS.values()):
        people = [who for letter, who in letters if _WORDS.get(letter.state) == name]
        if people:
            yield words(f"approval.{name}", count=len(people), who=together(words, people))
    for letter, who in letters:
        if letter.state is StaffLetterStatus.REFUSED:
            yield words("approval.letter_refused", who=who, reason=letter.reason)


def channels_notified(words: Words, stored: StoredAlert) -> Markup:
    """Return through which channels an alert went, or that it waits for one."""
    if stored.channels:
        name = "went_through" if stored.sent_at else "went_through_so_far"
        channels = [one.partition(" #")[0] for one in stored.channels]
        return words(f"alerts.{name}", channels=together(words, channels))
    return words("alerts.went_nowhere" if stored.sent_at else "alerts.goes_out")


def together(words: Words, names: Iterable[str]) -> str | Markup:
    """Return names as a sentence lists them: "Ada, Bea and Carl"."""
    *first, last = names
    return words("frame.and", first=", ".join(first), last=last) if first else last
