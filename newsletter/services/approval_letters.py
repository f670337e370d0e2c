"""Tells staff by a letter whose turn it is with a draft.

A letter is stored when somebody asks, and leaves soon after: no answer of SendGrid keeps anybody
from asking. It leaves by the path of test letters, which knows no reader: its address is one that a
member of staff confirmed, its link is nobody's, and no event of it acts on a reader or counts.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from newsletter.core.approval_letter import approval_letter, kind_of, recipients_of
from newsletter.core.approval_request import ApprovalRequest
from newsletter.core.delivery import Outcome, Refused, Remedy
from newsletter.core.publication import Newsletter
from newsletter.core.staff_letter import StaffLetter, StaffLetterStatus, with_outcome
from newsletter.core.stored import StoredIssue
from newsletter.core.transactional import TransactionalMessage
from newsletter.ports import StaffMailer
from newsletter.stores.approval_requests import ApprovalRequestStore
from newsletter.stores.issues import IssueStore
from newsletter.stores.staff import StaffStore
from newsletter.stores.staff_letters import StaffLetterStore

#: RFC 3834, section 5: nobody's absence message answers it.
_HEADERS = {"Auto-Submitted": "auto-generated"}

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class ApprovalLetters:
    """Stores a letter for each person whom a request concerns, and sends what waits."""

    newsletters: Mapping[str, Newsletter]
    staff: StaffStore
    staff_addresses: Callable[[], Iterable[str]]  #: the confirmed ones
    issues: IssueStore
    requests: ApprovalRequestStore
    store: StaffLetterStore
    mailer: Callable[[], StaffMailer]  #: called late: there may be no key
    installation_id: Callable[[], str]
    console_url: str | None  #: None: nobody reaches the console by a link

    def queue(
        self,
        newsletter: Newsletter,
        stored: StoredIssue,
        request: ApprovalRequest,
        before: ApprovalRequest | None,
    ) -> None:
        """Store one letter for each recipient of a request; `before` is what it answers."""
        for email in recipients_of(newsletter, request, before, self.staff.members()):
            letter = StaffLetter(
                at=request.at,
                by=str(request.by),
                email=email,
                newsletter=newsletter.slug,
                date=stored.issue.date,
                kind=kind_of(request),
                note=request.note,
                content_hash=request.content_hash,
                state=StaffLetterStatus.WAITING,
            )
            if self.store.add(letter) is None:
                _log.warning("enough letters of this kind today", extra={"action": "staff.letter"})

    def about(
        self, newsletter: Newsletter, stored: StoredIssue, request: ApprovalRequest
    ) -> tuple[StaffLetter, ...]:
        """Return the letters of a request, with what became of each."""
        return self.store.about(newsletter.slug, stored.issue.date, request.at)

    def send_waiting(self) -> int:
        """Send what waits, each once; return how many letters got an outcome."""
        mailer = self.mailer()  # before anything is claimed: there may be no key
        count = 0
        while letter := self.store.claim():
            sent = with_outcome(letter, self._ask(mailer, letter))
            self.store.record(sent)
            level = logging.INFO if sent.state is StaffLetterStatus.ACCEPTED else logging.WARNING
            ids = {"action": f"staff.letter.{sent.state}", "letter_id": sent.id}
            _log.log(level, "%s: %s", sent.kind, sent.reason or "sent", extra=ids)
            count += 1
        return count

    def _ask(self, mailer: StaffMailer, letter: StaffLetter) -> Outcome:
        newsletter = self.newsletters.get(letter.newsletter)
        if newsletter is None or not self._still_counts(newsletter, letter):
            return Refused(reason="it was answered meanwhile", remedy=Remedy.EJECT)
        if letter.email.casefold() not in {one.casefold() for one in self.staff_addresses()}:
            return Refused(reason="its address is no longer confirmed", remedy=Remedy.EJECT)
        return mailer.send_test(self._message(newsletter, letter))

    def _still_counts(self, newsletter: Newsletter, letter: StaffLetter) -> bool:
        stored = self.issues.find(newsletter.slug, letter.date)
        request = self.requests.of(stored.id) if stored else None
        return request is not None and request.at == letter.at

    def _message(self, newsletter: Newsletter, letter: StaffLetter) -> TransactionalMessage:
        page = f"{self.console_url}/{newsletter.slug}/issues/{letter.date}"
        return TransactionalMessage(
            id=letter.id,
            installation_id=self.installation_id(),
            email=letter.email,
            sender=newsletter.sender,
            reply_to=newsletter.reply_to,
            headers=_HEADERS,
            letter=approval_letter(newsletter, letter, page if self.console_url else None),
        )
