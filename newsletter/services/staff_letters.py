"""Sends test letters to members of staff, by a path that knows no reader.

No recipient comes from the list: the address must be one that a member of staff confirmed, one for
each call. The letter's links are nobody's. Its ids name no delivery, no attempt and no email to a
reader, so that no event of it counts in an issue's sums or acts on a reader.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from newsletter.core.edition import Letter
from newsletter.core.letter_size import NOBODY
from newsletter.core.mailing import envelope_of, personal, personalized
from newsletter.core.publication import Newsletter
from newsletter.core.staff_letter import (
    A_DAY,
    StaffLetter,
    StaffLetterKind,
    marked_as_test,
    with_outcome,
)
from newsletter.core.transactional import TransactionalMessage
from newsletter.errors import NotAllowed
from newsletter.ports import Clock, StaffMailer
from newsletter.services.preview import Preview
from newsletter.stores.staff_letters import StaffLetterStore


@dataclass(eq=False)
class StaffLetters:
    """Sends previews as marked letters to confirmed addresses of staff, and records each."""

    staff_addresses: Callable[[], Iterable[str]]  #: the confirmed ones
    store: StaffLetterStore
    mailer: Callable[[], StaffMailer]  #: called late: there may be no key
    installation_id: Callable[[], str]
    base_url: str
    clock: Clock

    def send(
        self,
        newsletter: Newsletter,
        on: date,
        preview: Preview,
        *,
        to: str,
        shown_as: str,
        actor: str,
    ) -> StaffLetter:
        """Send a preview to one member of staff; NotAllowed for any other address.

        Whosever the preview is, no reader's link is in it. What became of it is in the letter that
        is returned; SendGrid is asked once.
        """
        letter = StaffLetter(
            at=self.clock.now(),
            by=actor,
            email=self._confirmed(to),
            newsletter=newsletter.slug,
            date=on,
            shown_as=shown_as,
            edition=preview.edition.key,
            content_hash=preview.content_hash,
        )
        return self._send(newsletter, preview.composed, letter)

    def send_trial(
        self, newsletter: Newsletter, on: date, composed: Letter, *, to: str, actor: str
    ) -> StaffLetter:
        """Send a letter that need not be of an issue to one member of staff, as `send` does."""
        letter = StaffLetter(
            at=self.clock.now(),
            by=actor,
            email=self._confirmed(to),
            newsletter=newsletter.slug,
            date=on,
            kind=StaffLetterKind.TRIAL,
            shown_as="everything",
            content_hash="",
        )
        return self._send(newsletter, composed, letter)

    def _send(self, newsletter: Newsletter, composed: Letter, letter: StaffLetter) -> StaffLetter:
        mailer = self.mailer()  # before anything is stored
        stored = self.store.add(letter)
        if stored is None:
            raise NotAllowed(f"{A_DAY} test letters went to this address within a day: try later")
        sent = with_outcome(stored, mailer.send_test(self._message(newsletter, composed, stored)))
        self.store.record(sent)
        return sent

    def last(self, newsletter: Newsletter) -> tuple[StaffLetter, ...]:
        """Return the latest test letters of a newsletter, the newest first."""
        return self.store.last(newsletter.slug)

    def last_trial(self, newsletter: Newsletter, to: str) -> StaffLetter | None:
        """Return the last trial that went to an address."""
        return self.store.last_trial(newsletter.slug, to)

    def _confirmed(self, to: str) -> str:
        for address in self.staff_addresses():
            if address.casefold() == to.strip().casefold():
                return address
        raise NotAllowed("test letters go only to confirmed addresses of members of staff")

    def _message(
        self, newsletter: Newsletter, composed: Letter, letter: StaffLetter
    ) -> TransactionalMessage:
        envelope = envelope_of(newsletter, self.base_url)
        nobody = personal(envelope, NOBODY._replace(email=letter.email))
        return TransactionalMessage(
            id=letter.id,
            installation_id=self.installation_id(),
            email=letter.email,
            sender=newsletter.sender,
            reply_to=newsletter.reply_to,
            headers=envelope.headers,
            letter=marked_as_test(personalized(composed, nobody)),
        )
