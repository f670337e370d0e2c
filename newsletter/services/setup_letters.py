"""Letters that try the way: one that SendGrid only checks, and one to staff."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from newsletter.core.delivery import Claim
from newsletter.core.edition import Letter, compose, whole_edition
from newsletter.core.events import DeliveryEvent
from newsletter.core.issue import sample_issue
from newsletter.core.letter_size import NOBODY
from newsletter.core.mailing import Links, envelope_of
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.setup_finding import SetupFinding
from newsletter.core.staff_letter import StaffLetter
from newsletter.core.trial_letter import (
    LetterTrial,
    has_ended,
    trial_findings,
    trial_of,
    unsent_finding,
)
from newsletter.errors import NotFound
from newsletter.ports import Clock, Rehearsal, Renderer
from newsletter.services.publishing import Publishing
from newsletter.services.staff_letters import StaffLetters
from newsletter.stores.events import EventStore

_STEP = 1.0  #: seconds between two looks at the events
_EARLIER = timedelta(minutes=1)  #: an event may be received before the answer is recorded


class RehearsedLetter(NamedTuple):
    """What SendGrid was asked to check, and why it would refuse it, if it would."""

    what: str
    refusal: str | None


@dataclass(eq=False)
class SetupLetters:
    """Composes the letter of today, or of a sample issue, and tries it."""

    publishing: Publishing
    renderer: Renderer
    rehearsal: Callable[[], Rehearsal]  #: called late: there may be no key
    staff_letters: StaffLetters
    events: EventStore
    arguments: Callable[[int], Mapping[str, str]]  #: that the events of a test letter bear
    installation_id: Callable[[], str]
    pause: Callable[[float], None]
    clock: Clock

    def rehearse(self, newsletter: Newsletter) -> RehearsedLetter:
        """Have SendGrid check a batch of a newsletter in its sandbox mode: nothing is delivered."""
        what, _, letter = self._letter(newsletter)
        envelope = envelope_of(newsletter, self.publishing.base_url)
        claim = Claim(
            installation_id=self.installation_id(),
            attempt_id="doctor",
            attempt=1,
            batch_id=0,
            issue_id=0,
            brief_ids=(),
            recipients=(NOBODY._replace(email=newsletter.sender.email),),
        )
        return RehearsedLetter(what, self.rehearsal().rehearse(envelope, letter, claim))

    def send(
        self, newsletter: Newsletter, *, to: str, actor: str, longest: timedelta
    ) -> tuple[SetupFinding, ...]:
        """Send one letter to a member of staff, and follow it until it arrived or time is up."""
        sent = self.send_one(newsletter, to=to, actor=actor)
        if finding := unsent_finding(sent):
            return (finding,)
        found: tuple[DeliveryEvent, ...] = ()
        for _ in self._until(longest):
            found = self.events_of(sent)
            if has_ended(found):
                break
        return tuple(trial_findings(sent, found, longest))

    def send_one(self, newsletter: Newsletter, *, to: str, actor: str) -> StaffLetter:
        """Send one letter to a member of staff; its events may come later."""
        _, on, composed = self._letter(newsletter)
        return self.staff_letters.send_trial(newsletter, on, composed, to=to, actor=actor)

    def last(self, newsletter: Newsletter, *, to: str) -> LetterTrial | None:
        """Return how far the last letter to a member of staff has come; None if none was sent."""
        sent = self.staff_letters.last_trial(newsletter, to)
        if sent is None:
            return None
        return trial_of(sent, self.events_of(sent), self.clock.now())

    def events_of(self, letter: StaffLetter) -> tuple[DeliveryEvent, ...]:
        """Return the events of a letter that have been received."""
        return self.events.bearing(self.arguments(letter.id), letter.at - _EARLIER)

    def _until(self, longest: timedelta) -> Iterator[None]:
        end = self.clock.now() + longest
        yield
        while self.clock.now() < end:
            self.pause(_STEP)
            yield

    def _letter(self, newsletter: Newsletter) -> tuple[str, date, Letter]:
        """Return what it is, its date, and a letter that prints everything."""
        on = day_of(newsletter.timetable, self.clock.now())
        try:
            stored = self.publishing.proof(newsletter, on)
        except NotFound:
            return "a sample issue", on, self._sample(newsletter)
        return f"the issue of {on}", on, self.publishing.whole(stored)

    def _sample(self, newsletter: Newsletter) -> Letter:
        issue, links = sample_issue(newsletter), Links(self.publishing.base_url)
        edition = whole_edition(issue)
        return compose(
            self.renderer.set(newsletter, issue),
            edition,
            view_url=links.view(newsletter.slug, issue.date, edition),
            subscribe_url=links.subscribe(newsletter.slug),
        )
