"""Sessions at the console against a model of them, and forms that are answered once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from newsletter.core.sign_in import secret_hash
from newsletter.core.staff import FRESH, IDLE, LONGEST
from newsletter.errors import NotAllowed
from newsletter.stores.database import make_engine
from newsletter.stores.duties import CONSOLE
from newsletter.stores.staff_sessions import TOUCH
from newsletter.stores.staff_tokens import FormKeyStore
from subscribers.db.transaction import scalar, transaction
from tests.container import TestContainer
from tests.staff import EDIT, HERE, joined, staff_container

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return staff_container(engine)


@dataclass
class Known:
    """What the model knows of a session."""

    staff_id: int
    began: datetime
    used: datetime
    fresh: datetime


#: Seconds that pass; among them those around the limits.
_WAITS = [0, 1, 29, 30, 31, 600, 899, 900, 3000, 3569, 3601, 11 * 3600]

steps = st.lists(
    st.tuples(
        st.sampled_from(["start", "use", "use", "confirm", "end", "end one", "end all", "wait"]),
        st.integers(0, 5),
        st.sampled_from(_WAITS),
    ),
    min_size=5,
    max_size=25,
)


class Model:
    """Sessions as the documentation has them, beside those of the database."""

    def __init__(self, container: TestContainer, people: list) -> None:
        self.container, self.people = container, people
        self.sessions: dict[str, Known] = {}
        self.dead: set[str] = set()

    @property
    def now(self) -> datetime:
        return self.container.clock.now()

    def step(self, act: str, number: int, seconds: int) -> None:
        tokens = list(self.sessions)
        token = tokens[number % len(tokens)] if tokens else ""
        match act:
            case "wait":
                self.container.clock.pass_time(seconds=seconds)
            case "start":
                self._start(self.people[number % 2])
            case _ if not token:
                return
            case "use":
                self._use(token)
            case "confirm":
                self._confirm(token)
            case "end":
                self.container.staff_sessions.end(token)
                self._drop(token)
            case "end one":
                self._end_one(token)
            case "end all":
                staff_id = self.sessions[token].staff_id
                self.container.staff_sessions.end_all(staff_id)
                for one in [t for t, known in self.sessions.items() if known.staff_id == staff_id]:
                    self._drop(one)

    def _start(self, member) -> None:
        token = self.container.staff_sessions.start(member, address=HERE, device="a  browser\n")
        assert token not in self.dead | self.sessions.keys()
        self.sessions[token] = Known(member.id, self.now, self.now, self.now)

    def _use(self, token: str) -> None:
        known, found = self.sessions[token], self.container.staff_sessions.find(token, self.now)
        idle = self.now - known.used
        if self.now - known.began >= LONGEST or idle >= IDLE:
            assert found is None
            self._drop(token)
        elif found is None:
            assert idle > IDLE - TOUCH  # uses within half a minute count as one
            self._drop(token)
        else:
            assert (found.member.id, found.device) == (known.staff_id, "a browser")
            assert found.is_fresh(self.now) == (self.now - known.fresh < FRESH)
            known.used = self.now

    def _confirm(self, token: str) -> None:
        try:
            renewed = self.container.staff_sessions.confirm(token)
        except NotAllowed:
            assert self.container.staff_sessions.find(token, self.now) is None
            return
        known = self.sessions.pop(token)
        self.dead.add(token)
        known.fresh = known.used = self.now
        self.sessions[renewed] = known

    def _end_one(self, token: str) -> None:
        found = self.container.staff_sessions.find(token, self.now)
        if found is None:
            return
        [stranger] = [one for one in self.people if one.id != found.member.id]
        assert not self.container.staff_sessions.end_one(stranger.id, found.id)
        assert self.container.staff_sessions.end_one(found.member.id, found.id)
        self._drop(token)

    def _drop(self, token: str) -> None:
        del self.sessions[token]
        self.dead.add(token)

    def check(self) -> None:
        for token in self.dead:
            assert self.container.staff_sessions.find(token, self.now) is None
        listed = sum(len(self.container.staff_sessions.listed(one.id)) for one in self.people)
        assert listed <= len(self.sessions)


@given(steps)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_sessions_live_and_end_as_their_model_does(container, steps):
    container.query("DELETE FROM staff_session")
    emails = ("a@example.org", "b@example.org")
    members = container.staff_accounts.members() or [
        joined(container, email).member for email in emails
    ]
    container.query("DELETE FROM staff_session")
    model = Model(container, list(members))
    for step in steps:
        model.step(*step)
    model.check()


def test_a_token_is_stored_as_a_digest_alone_and_has_256_bits(container):
    member = joined(container).member
    token = container.staff_sessions.start(member, address=HERE, device="x" * 1000)
    [(stored, device)] = container.query(
        "SELECT token_hash, device FROM staff_session ORDER BY id DESC LIMIT 1"
    )
    assert stored == secret_hash(token)
    assert len(token) == 43
    assert len(device) == 200


def test_what_is_of_no_use_any_more_is_deleted_and_the_rest_is_not(container):
    joined(container, "old@example.org", EDIT)
    container.clock.pass_time(hours=13)
    new = joined(container)
    container.signing_in.passkey_options()
    container.staff_accounts.delete_expired()
    assert container.query("SELECT id FROM staff_session") == [(new.id,)]
    assert len(container.query("SELECT 1 FROM staff_token")) == 1
    container.clock.pass_time(minutes=5)
    assert container.staff_accounts.delete_expired() == 1


def test_a_form_posted_again_gets_the_first_answer_and_acts_once(container):
    signed_in, done = joined(container), []

    def act() -> str:
        done.append(1)
        return f"/issue/{len(done)}"

    post = container.staff_sessions.once
    assert [post(signed_in, "key", act) for _ in range(3)] == ["/issue/1"] * 3
    assert post(signed_in, "another", act) == "/issue/2"
    assert post(joined(container, "b@example.org"), "key", act) == "/issue/3"


def test_of_two_presses_at_once_the_second_waits_for_the_firsts_answer(container):
    signed_in, begun, go = joined(container), Event(), Event()

    def slow() -> str:
        begun.set()
        assert go.wait(30)
        return "/first"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(container.staff_sessions.once, signed_in, "key", slow)
        assert begun.wait(30)
        second = pool.submit(container.staff_sessions.once, signed_in, "key", lambda: "/second")
        go.set()
        assert (first.result(30), second.result(30)) == ("/first", "/first")


def test_an_act_may_take_longer_than_the_console_waits_for_the_database(
    container: TestContainer, database_url: str
):
    brief = replace(CONSOLE, locks=0.1, statement=0.2, idle=0.2)
    signed_in, begun = joined(container), Event()
    engine = make_engine(database_url, brief)
    forms = FormKeyStore(engine)

    def slow() -> str:
        begun.set()
        with transaction(container.engine) as session:
            scalar(session, "SELECT pg_sleep(0.6)")
        return "/first"

    now = container.clock.now()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(forms.once, signed_in.id, "key", slow, now)
        assert begun.wait(30)
        second = pool.submit(forms.once, signed_in.id, "key", lambda: "/second", now)
        assert (first.result(30), second.result(30)) == ("/first", "/first")
    engine.dispose()


def test_a_form_whose_act_failed_may_be_posted_again(container):
    signed_in = joined(container)

    def fail() -> str:
        raise NotAllowed("not now")

    with pytest.raises(NotAllowed):
        container.staff_sessions.once(signed_in, "key", fail)
    assert container.staff_sessions.once(signed_in, "key", lambda: "/done") == "/done"


def test_whoever_was_removed_gets_no_session(container):
    owner, other = joined(container), joined(container, "b@example.org", EDIT)
    container.staff_accounts.remove(other.member.id, by=owner)
    with pytest.raises(NotAllowed):
        container.staff_sessions.start(other.member, address=HERE, device="")
