"""No order of sign-ups, unsubscribes, events, imports and erasures mails somebody who left."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.core.delivery import Accepted, Outcome
from newsletter.core.signup import SignUpForm
from newsletter.core.transactional import TransactionalKind, TransactionalMessage
from subscribers.errors import InvalidLink
from subscribers.model import SubscriptionStatus, Suppression, SuppressionReason
from subscribers.records.service import Records
from subscribers.rules.suppression import weightier
from subscribers.signup.model import LIFTED_BY_OWNER, ConsentProof
from tests.web.signup.helpers import SignUpContainer, links

pytestmark = pytest.mark.postgres

_serial = count()
_ACTS = st.sampled_from(
    ["ask", "confirm", "leave", "import", "erase", "deliver", "address", "welcome", "late"]
) | st.sampled_from(SuppressionReason)


@dataclass
class _Reader:
    """What one reader has said, by the rules alone."""

    email: str
    status: SubscriptionStatus | None = None
    suppressed: SuppressionReason | None = None
    asked: bool = False
    erased: bool = False
    link: str | None = None
    mailed: list[TransactionalMessage] = field(default_factory=list)

    @property
    def receives(self) -> bool:
        return self.status is SubscriptionStatus.ACTIVE and self.suppressed is None

    @property
    def may_confirm(self) -> bool:
        return self.suppressed is None or self.suppressed in LIFTED_BY_OWNER


class _Street:
    """The real services, and the rules beside them."""

    def __init__(self, container: SignUpContainer, folder: Path) -> None:
        self.container, self.folder = container, folder
        self.records = Records(container.engine)
        self.reader = _Reader(f"reader{next(_serial)}@example.com")
        container.transactional.mailer = lambda: self

    def send_message(self, note: TransactionalMessage) -> Outcome:
        """Accept a letter, if this reader may get it now."""
        if note.email == self.reader.email:
            assert self.reader.may_confirm, note.letter.subject
            assert self.reader.receives or "confirm" in note.letter.subject, note.letter.subject
            self.reader.mailed.append(note)
            if "Please confirm: " in note.letter.subject:
                [self.reader.link] = links({"text": note.letter.text})
        return Accepted(message_id="")

    def act(self, what: str | SuppressionReason) -> None:
        self.container.clock.pass_time(minutes=11)
        if isinstance(what, SuppressionReason):
            self._suppress(what)
        else:
            getattr(self, f"_{what}")()

    def _ask(self) -> None:
        typed = SignUpForm(email=self.reader.email, topics=("chips",))
        container, evidence = self.container, ConsentProof(via="test")
        assert self.container.signing_up.request(container.newsletter, typed, evidence) == {}
        if self.reader.may_confirm and not self.reader.receives:
            self.reader.asked = True

    def _confirm(self) -> None:
        if self.reader.link is None:
            return
        token = self.reader.link.rpartition("/")[2]
        try:
            self.container.signing_up.confirm(token, ConsentProof(via="test"))
        except InvalidLink:
            self.reader.link = None
            return
        if self.reader.asked:
            self.reader.asked = self.reader.erased = False
            self.reader.status = SubscriptionStatus.ACTIVE
            if self.reader.may_confirm:
                self.reader.suppressed = None

    def _leave(self) -> None:
        if self.reader.status:
            self.container.unsubscribe(self.reader.email)
            self.reader.status = SubscriptionStatus.ENDED

    def _import(self) -> None:
        self.container.subscribe(self.folder, {self.reader.email: ""})
        if not (self.reader.status or self.reader.suppressed or self.reader.erased):
            self.reader.status = SubscriptionStatus.ACTIVE

    def _erase(self) -> None:
        self.records.erase(self.reader.email, now=self.container.clock.now())
        self.reader = _Reader(self.reader.email, erased=True, link=self.reader.link)

    def _deliver(self) -> None:
        self.container.transactional.send_waiting()

    def _address(self) -> None:
        self._write("ADDRESS")

    def _welcome(self) -> None:
        self._write("WELCOME")
        for row in self._subscriptions():
            self.container.question(row["id"])

    def _late(self) -> None:
        self.container.clock.pass_time(hours=80)
        self.container.signing_up.delete_unconfirmed()

    def _write(self, kind: str) -> None:
        for row in self._subscriptions():
            self.container.transactional.queue(TransactionalKind[kind], "technology", row["id"])

    def _subscriptions(self) -> Iterator[dict[str, int]]:
        yield from self.container.select(
            "SELECT subscription.id FROM subscription JOIN subscriber ON subscriber.id = "
            "subscriber_id WHERE email_key = :email",
            email=self.reader.email,
        )

    def _suppress(self, reason: SuppressionReason) -> None:
        stands, now = self.reader.suppressed, self.container.clock.now()
        said = Suppression(email=self.reader.email, reason=reason, source="test", since=now)
        self.container.subscriptions.suppress([said])
        if self.reader.erased:
            return  # of an erased address nothing is written down
        if stands is None or weightier(stands, reason):
            self.reader.suppressed = reason


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=st.lists(_ACTS, min_size=3, max_size=14))
def test_who_left_gets_nothing_until_they_ask_and_confirm(
    container: SignUpContainer, tmp_path: Path, acts: list[str | SuppressionReason]
):
    street = _Street(container, tmp_path)
    for act in acts:
        street.act(act)
        assert (street.reader.email in container.mailable()) is street.reader.receives, act
    street.act("deliver")
