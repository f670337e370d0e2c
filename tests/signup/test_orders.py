"""No order of sign-ups, confirmations, goodbyes, events, imports and erasures mails who left."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.core.delivery import Accepted, Outcome
from newsletter.core.signup import Typed
from newsletter.core.transactional import CorrespondenceKind, Note
from subscribers.errors import InvalidLink
from subscribers.model import SubscriptionStatus, Suppression, SuppressionReason
from subscribers.records.service import Records
from subscribers.records.store import PostgresRecords
from subscribers.rules.suppression import weightier
from subscribers.signup.model import LIFTED_BY_OWNER, Evidence
from tests.signup.place import SignUpHouse, links

pytestmark = pytest.mark.postgres

_serial = count()
_ACTS = st.sampled_from(
    ["ask", "confirm", "leave", "import", "erase", "deliver", "address", "welcome", "late"]
) | st.sampled_from(SuppressionReason)


@dataclass
class _Reader:
    """What one reader has said, by the rules alone."""

    email: str
    standing: SubscriptionStatus | None = None
    suppressed: SuppressionReason | None = None
    asked: bool = False
    erased: bool = False
    link: str | None = None
    mailed: list[Note] = field(default_factory=list)

    @property
    def hears(self) -> bool:
        return self.standing is SubscriptionStatus.ACTIVE and self.suppressed is None

    @property
    def may_confirm(self) -> bool:
        return self.suppressed is None or self.suppressed in LIFTED_BY_OWNER


class _Street:
    """The real desks, and the rules beside them."""

    def __init__(self, place: SignUpHouse, folder: Path) -> None:
        self.place, self.folder = place, folder
        self.records = Records(PostgresRecords(place.house.engine))
        self.reader = _Reader(f"reader{next(_serial)}@example.com")
        place.correspondence._mailer = lambda: self

    def send_note(self, note: Note) -> Outcome:
        """Accept a letter, if this reader may get it now."""
        if note.email == self.reader.email:
            assert self.reader.may_confirm, note.letter.subject
            assert self.reader.hears or "confirm" in note.letter.subject, note.letter.subject
            self.reader.mailed.append(note)
            if "Please confirm: " in note.letter.subject:
                [self.reader.link] = links({"text": note.letter.text})
        return Accepted(message_id="")

    def act(self, what: str | SuppressionReason) -> None:
        self.place.house.clock.pass_time(minutes=11)
        if isinstance(what, SuppressionReason):
            self._suppress(what)
        else:
            getattr(self, f"_{what}")()

    def _ask(self) -> None:
        typed = Typed(email=self.reader.email, topics=("chips",))
        house, evidence = self.place.house, Evidence(via="test")
        assert self.place.signing_up.ask(house.newsletter, typed, evidence) == {}
        if self.reader.may_confirm and not self.reader.hears:
            self.reader.asked = True

    def _confirm(self) -> None:
        if self.reader.link is None:
            return
        token = self.reader.link.rpartition("/")[2]
        try:
            self.place.signing_up.confirm(token, Evidence(via="test"))
        except InvalidLink:
            self.reader.link = None
            return
        if self.reader.asked:
            self.reader.asked = self.reader.erased = False
            self.reader.standing = SubscriptionStatus.ACTIVE
            if self.reader.may_confirm:
                self.reader.suppressed = None

    def _leave(self) -> None:
        if self.reader.standing:
            self.place.house.leave(self.reader.email)
            self.reader.standing = SubscriptionStatus.ENDED

    def _import(self) -> None:
        self.place.house.subscribe(self.folder, {self.reader.email: ""})
        if not (self.reader.standing or self.reader.suppressed or self.reader.erased):
            self.reader.standing = SubscriptionStatus.ACTIVE

    def _erase(self) -> None:
        self.records.erase_address(self.reader.email, now=self.place.house.clock.now())
        self.reader = _Reader(self.reader.email, erased=True, link=self.reader.link)

    def _deliver(self) -> None:
        self.place.correspondence.deliver()

    def _address(self) -> None:
        self._write("ADDRESS")

    def _welcome(self) -> None:
        self._write("WELCOME")
        for row in self._subscriptions():
            self.place.question(row["id"])

    def _late(self) -> None:
        self.place.house.clock.pass_time(hours=80)
        self.place.signing_up.sweep()

    def _write(self, kind: str) -> None:
        for row in self._subscriptions():
            self.place.correspondence.write(CorrespondenceKind[kind], "technology", row["id"])

    def _subscriptions(self) -> Iterator[dict[str, int]]:
        yield from self.place.rows(
            "SELECT subscription.id FROM subscription JOIN subscriber ON subscriber.id = "
            "subscriber_id WHERE email_key = :email",
            email=self.reader.email,
        )

    def _suppress(self, reason: SuppressionReason) -> None:
        stands, now = self.reader.suppressed, self.place.house.clock.now()
        said = Suppression(email=self.reader.email, reason=reason, source="test", since=now)
        self.place.house.subscriptions.suppress([said])
        if self.reader.erased:
            return  # of an erased address nothing is written down
        if stands is None or weightier(stands, reason):
            self.reader.suppressed = reason


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=st.lists(_ACTS, min_size=3, max_size=14))
def test_who_left_hears_nothing_until_they_ask_and_confirm(
    place: SignUpHouse, tmp_path: Path, acts: list[str | SuppressionReason]
):
    street = _Street(place, tmp_path)
    for act in acts:
        street.act(act)
        assert (street.reader.email in place.mailable()) is street.reader.hears, act
    street.act("deliver")
