"""The seventh law: whoever left is not written to, whatever happens in whatever order.

A machine of hypothesis does to a few addresses all that can be done to a list, through the real
services on a real database, and remembers who left and who came back by an act of their own.
"""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pydantic import SecretStr
from sqlalchemy import text

from newsletter.container import Container
from newsletter.core.signup import SignUpForm
from newsletter.core.unsubscribe_mail import UnsubscribeMail
from newsletter.services.unsubscribe_mail import UnsubscribeMailResult
from newsletter.settings import load_settings, shipped
from subscribers.errors import (
    InvalidLink,
    NoSuchSubscriber,
    NoSuchSuppression,
    NotMerged,
    SuppressionNotLifted,
)
from subscribers.model import Purpose, Suppression, SuppressionReason
from subscribers.signup.model import ConsentProof
from subscribers.tokens import make_token
from tests.container import one_request
from tests.fakes import FakeClock
from tests.signing import Seal, body_of
from tests.subscribers.suppressions.conftest import Lists

pytestmark = pytest.mark.postgres

SLUG, MAILBOX = "technology", "unsubscribe@news.example.com"
ADDRESSES = [f"r{number}@example.com" for number in range(3)]
who = st.sampled_from(ADDRESSES)
which = st.integers(0, 1_000)  #: one of what there is, by its remainder

#: What SendGrid tells of a letter that is its reader's unsubscribe, and what is none.
UNSUBSCRIBES = ["unsubscribe", "group_unsubscribe", "spamreport"]
OTHER_NEWS = ["open", "click", "delivered", "bounce", "group_resubscribe", "dropped"]

_TABLES = """
SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables
WHERE schemaname = 'public' AND tablename NOT LIKE 'procrastinate%'
  AND tablename NOT IN ('alembic_version', 'decision', 'installation', 'installation_key')
"""
_LETTER = """
INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id)
VALUES (1, :place, :subscriber, :subscription)
ON CONFLICT (issue_id, subscriber_id) DO UPDATE SET subscription_id = :subscription RETURNING place
"""
_ASKED = "SELECT id, link_key FROM signup WHERE email_key = :email"
_HOLDER = """
SELECT COALESCE(kept.email_key, subscriber.email_key)
FROM subscriber LEFT JOIN subscriber AS kept ON kept.id = subscriber.merged_into
WHERE subscriber.email_key = :email
"""
_MAILABLE = "SELECT lower(email) FROM audience WHERE exclusion IS NULL"

_serial = itertools.count(1)


class Lives(RuleBasedStateMachine):
    """What becomes of a few addresses."""

    def __init__(self, container: Container, clock: FakeClock, seal: Seal) -> None:
        super().__init__()
        self.container, self.clock, self.seal = container, clock, seal
        self.newsletter = container.settings.newsletter(SLUG)
        self.left: set[str] = set()
        self.links: list[tuple[str, str]] = []  #: unsubscribe links ever mailed, and to whom
        self.letters: list[tuple[str, int]] = []  #: deliveries, and to whom
        self.asked: dict[str, str] = {}  #: confirmation links that were not pressed yet, and whose
        self.pressed: list[str] = []
        self.imports: list[int] = []

    @initialize()
    def begin(self) -> None:
        """Begin with two readers who had a letter each, and an address that nobody knows."""
        tables = self._sql(_TABLES)[0][0]
        with self.container.engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
            connection.execute(text(one_request()))
        self.import_list(ADDRESSES[:2], "")
        for email in ADDRESSES[:2]:
            self.get_a_letter(email)

    # What operators do.

    @rule(emails=st.lists(who, min_size=1, unique=True), topics=st.sampled_from(["", "chips"]))
    def import_list(self, emails: list[str], topics: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "list.csv"
            path.write_text("\n".join(["email,topics", *(f"{e},{topics}" for e in emails)]))
            report = self.container.lists.import_list(
                path,
                SLUG,
                known_topics=self.newsletter.topic_slugs,
                default_zone="UTC",
                consent_source="test",
                now=self.clock.now(),
            )
        assert report.adds_up
        if report.import_id:
            self.imports.append(report.import_id)

    @precondition(lambda self: self.imports)
    @rule(n=which)
    def undo(self, n: int) -> None:
        self.container.lists.undo(
            self.imports[n % len(self.imports)], now=self.clock.now(), actor="test"
        )

    @rule(keep=who, other=who)
    def merge(self, keep: str, other: str) -> None:
        if keep == other:
            return
        records, kept, gone = self.container.records, self._holder(keep), self._holder(other)
        with suppress(NoSuchSubscriber, NotMerged):
            ids = records.id_of(keep), records.id_of(other)
            records.merge(*ids, actor="test", now=self.clock.now())
            if gone in self.left:
                self.left.add(kept)

    @rule(email=who)
    def lift(self, email: str) -> None:
        with suppress(SuppressionNotLifted, NoSuchSuppression):
            self.container.suppression_sync.lift(email, because="test", by="test")

    @rule(email=who, reason=st.sampled_from(list(SuppressionReason)))
    def sync(self, email: str, reason: SuppressionReason) -> None:
        said = Suppression(email=email, reason=reason, source="list", since=self.clock.now())
        self.container.suppression_sync.sync(Lists(said), by="clock")
        if reason in (SuppressionReason.UNSUBSCRIBE, SuppressionReason.COMPLAINT):
            self.left.add(email)

    # What SendGrid tells.

    @precondition(lambda self: self.letters)
    @rule(n=which, word=st.sampled_from(UNSUBSCRIBES + OTHER_NEWS))
    def receive(self, n: int, word: str) -> None:
        email, place = self.letters[n % len(self.letters)]
        event = {
            "email": email,
            "event": word,
            "nl_installation": self.container.installations.current().id,
            "nl_issue": "1",
            "nl_delivery": str(place),
            "nl_attempt": "one-1",
            "sg_event_id": f"event-{next(_serial)}",
            "timestamp": int(self.clock.now().timestamp()),
            "type": "bounce",
        }
        body = body_of(event)
        self.container.event_intake.receive(body, self.seal.headers(body))
        if word in UNSUBSCRIBES:
            self._has_left(email)

    # What subscribers do.

    @rule(email=who)
    def get_a_letter(self, email: str) -> None:
        """Keep the links of a letter that is written to an address, if one may be."""
        if email not in self._mailable():
            return
        [one] = [o for o in self.container.subscriptions.by_email(email) if o.newsletter == SLUG]
        token = make_token(Purpose.UNSUBSCRIBE, one.id, one.link_key)
        if (token, email) not in self.links:
            self.links.append((token, email))
        values = {"place": next(_serial), "subscriber": one.subscriber_id, "subscription": one.id}
        self.letters.append((email, self._sql(_LETTER, **values)[0][0]))

    @precondition(lambda self: self.links)
    @rule(n=which, way=st.sampled_from(["one click", "mailto"]))
    def unsubscribe(self, n: int, way: str) -> None:
        token, email = self.links[n % len(self.links)]
        if way == "mailto":
            self.container.unsubscribe_by_mail.receive(_mail("x@example.net", token), trusted=True)
        else:
            newsletters = self.container.settings.newsletters
            self.container.subscriptions.unsubscribe_by_link(
                token, newsletters, now=self.clock.now(), source="test"
            )
        self._has_left(email)

    @rule(email=who)
    def write_that_it_is_enough(self, email: str) -> None:
        result = self.container.unsubscribe_by_mail.receive(
            _mail(email, "Unsubscribe"), trusted=True
        )
        if result is UnsubscribeMailResult.ADDRESS:
            self._has_left(email)

    @precondition(lambda self: self.links)
    @rule(n=which)
    def come_back_by_the_page(self, n: int) -> None:
        token, email = self.links[n % len(self.links)]
        found = self.container.subscriptions.by_token(Purpose.UNSUBSCRIBE, token)
        self.container.subscriptions.resubscribe(found.id, now=self.clock.now(), source="test")
        self._is_back(email)

    @precondition(lambda self: self.links)
    @rule(n=which, days=st.integers(1, 3))
    def pause_or_go_on(self, n: int, days: int) -> None:
        token, _ = self.links[n % len(self.links)]
        found, now = (
            self.container.subscriptions.by_token(Purpose.UNSUBSCRIBE, token),
            self.clock.now(),
        )
        if found.paused_at is None:
            until = now.date().replace(day=1, year=now.year + 1) if days == 1 else now.date()
            with suppress(ValueError):
                self.container.subscriptions.pause(found, until, now=now, actor="test")
        else:
            self.container.subscriptions.unpause(found.id, now=now, actor="test")

    @rule(email=who)
    def ask_for_letters(self, email: str) -> None:
        ip = f"10.{next(_serial) % 250}.{next(_serial) % 250}.1"
        evidence = ConsentProof(via="sign-up page", ip=ip)
        assert not self.container.signing_up.request(
            self.newsletter, SignUpForm(email=email), evidence
        )
        for signup_id, link_key in self._sql(_ASKED, email=email):
            self.asked[make_token(Purpose.CONFIRM, signup_id, bytes(link_key))] = email

    @precondition(lambda self: self.asked)
    @rule(n=which)
    def confirm(self, n: int) -> None:
        token = list(self.asked)[n % len(self.asked)]
        email = self.asked.pop(token)
        with suppress(InvalidLink):
            self.container.signing_up.confirm(token, ConsentProof(via="confirmation link"))
            self.pressed.append(token)
            self._is_back(email)

    @precondition(lambda self: self.pressed)
    @rule(n=which)
    def press_an_old_confirmation_again(self, n: int) -> None:
        with suppress(InvalidLink):
            token = self.pressed[n % len(self.pressed)]
            self.container.signing_up.confirm(token, ConsentProof(via="confirmation link"))

    @rule(email=who)
    def erase(self, email: str) -> None:
        """Erase a person, with every address that was merged into theirs."""
        holder = self._holder(email)
        own = {one for one in ADDRESSES if self._holder(one) == holder}
        try:
            self.container.people.erase_address(email, actor="test")
        except NoSuchSubscriber:
            return
        self.left |= own
        self.links = [one for one in self.links if one[1] not in own]
        self.letters = [one for one in self.letters if one[0] not in own]

    @rule(days=st.sampled_from([0.01, 1, 5]))
    def wait(self, days: float) -> None:
        self.clock.pass_time(days=days)
        self.container.subscriptions.end_expired_pauses(self.clock.now())

    @invariant()
    def nobody_who_left_is_written_to(self) -> None:
        self.clock.pass_time(minutes=11)
        assert self._mailable().isdisjoint(self.left)

    def _has_left(self, email: str) -> None:
        self.left |= {email, self._holder(email)}

    def _is_back(self, email: str) -> None:
        self.left -= {email, self._holder(email)}

    def _holder(self, email: str) -> str:
        """Return whose address this is now: another one's, once two were merged."""
        found = self._sql(_HOLDER, email=email)
        return found[0][0] if found else email

    def _mailable(self) -> set[str]:
        return {email for (email,) in self._sql(_MAILABLE)}

    def _sql(self, query: str, **values: object) -> list[tuple]:
        with self.container.engine.begin() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]


def _mail(sender: str, subject: str) -> UnsubscribeMail:
    return UnsubscribeMail(
        sender=sender,
        recipients=(MAILBOX,),
        subject=subject,
        text="",
        proven=frozenset({"example.com"}),
        automatic=False,
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def seal() -> Seal:
    return Seal()


@pytest.fixture
def whole_container(
    database_url: str, tmp_path: Path, clock: FakeClock, seal: Seal
) -> Iterator[Container]:
    """Every service, as it is served, but for the clock."""
    chosen = load_settings(shipped("config"))
    environment = chosen.environment.model_copy(
        update={
            "database_url": SecretStr(database_url),
            "sendgrid_webhook_key": seal.public_key,
            "var": tmp_path,
        }
    )
    with closing(Container(replace(chosen, environment=environment))) as container:
        vars(container)["clock"] = clock
        yield container


LEAN = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_in_no_order_of_things_is_anybody_written_to_who_left(whole_container, clock, seal):
    run_state_machine_as_test(lambda: Lives(whole_container, clock, seal), settings=LEAN)
