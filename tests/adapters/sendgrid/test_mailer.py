"""What each way to go wrong is called: the same table for the real mailer and for its double."""

import json
import logging
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any, Protocol

import pytest

from newsletter.adapters.sendgrid.mailer import SendGridMailer
from newsletter.core.delivery import Accepted, Outcome, Refused, Remedy, Unknown
from newsletter.core.edition import Letter
from newsletter.core.mailing import Envelope
from newsletter.errors import ConfigurationError
from newsletter.ports import Mailer
from newsletter.sandbox.server import Sandbox
from tests.adapters.sendgrid.canned import answer, answering
from tests.adapters.sendgrid.conftest import KEY, claim_for
from tests.fakes import FakeClock, FakeMailer

MakeMailer = Callable[..., SendGridMailer]
Send = Callable[..., Outcome]
ALL, NOBODY = 3, 0


def refused(remedy: Remedy, *offenders: int) -> Refused:
    return Refused(reason="any", remedy=remedy, offenders=offenders)


UNKNOWN = Unknown(reason="any")


@dataclass(frozen=True)
class Case:
    """A fault of SendGrid's, the answer it must be taken for, and whom the letter reached."""

    fault: dict[str, Any]
    outcome: Refused | Unknown
    reached: int
    large: bool = False  #: a body that is still on its way when the fault strikes

    def __str__(self) -> str:
        words = [str(value) for value in self.fault.values()]
        return "-".join([*words, "large"] if self.large else words)


def fault(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, **more}


CASES = [
    Case(fault("bad_address", pattern=r"reader-2@.*"), refused(Remedy.EJECT, 1), NOBODY),
    Case(fault("bad_address", pattern=r"reader-[13]@.*"), refused(Remedy.EJECT, 0, 2), NOBODY),
    Case(fault("status_401_credits"), refused(Remedy.PAUSE), NOBODY),
    Case(fault("status_403"), refused(Remedy.PAUSE), NOBODY),
    Case(fault("early_413"), refused(Remedy.SPLIT), NOBODY),
    Case(fault("early_413"), refused(Remedy.RETRY), NOBODY, large=True),
    Case(fault("status_429"), refused(Remedy.WAIT), NOBODY),
    Case(fault("status_429", headers=False), refused(Remedy.WAIT), NOBODY),
    Case(fault("reset"), refused(Remedy.RETRY), NOBODY, large=True),
    Case(fault("close_before_read"), refused(Remedy.RETRY), NOBODY, large=True),
    Case(fault("close_before_read"), UNKNOWN, NOBODY),
    Case(fault("reset"), UNKNOWN, NOBODY),
    Case(fault("redirect"), UNKNOWN, NOBODY),
    Case(fault("hang"), UNKNOWN, ALL),
    Case(fault("hang", accept=False), UNKNOWN, NOBODY),
    Case(fault("close_after_accept"), UNKNOWN, ALL),
    Case(fault("truncate_202"), UNKNOWN, ALL),
    Case(fault("garbage"), UNKNOWN, ALL),
    *(Case(fault(f"status_{n}"), UNKNOWN, NOBODY) for n in (500, 502, 503, 504)),
    *(Case(fault(f"status_{n}", accept=True), UNKNOWN, ALL) for n in (500, 502, 503, 504)),
]


class MailerUnderTest(Protocol):
    """A mailer, and the world behind it."""

    mailer: Mailer

    def befall(self, case: Case | None) -> None:
        """Let this go wrong with the next request; nothing, if None."""

    @property
    def asked(self) -> int:
        """How many requests were made."""

    @property
    def reached(self) -> int:
        """How many recipients get a letter."""


@dataclass
class SandboxPeer:
    """The real mailer; what befalls it happens on a real connection."""

    mailer: Mailer
    sandbox: Sandbox

    def befall(self, case: Case | None) -> None:
        self.sandbox.fail(*([case.fault] if case else []))

    @property
    def asked(self) -> int:
        return self.sandbox.stats()["requests"]

    @property
    def reached(self) -> int:
        return self.sandbox.stats()["accepted_recipients"]


@dataclass
class InMemory:
    """The double; it is given the answer."""

    mailer: FakeMailer = field(default_factory=FakeMailer)
    case: Case | None = None

    def befall(self, case: Case | None) -> None:
        self.case = case
        self.mailer.answers = [case.outcome] if case else []

    @property
    def asked(self) -> int:
        return len(self.mailer.asked)

    @property
    def reached(self) -> int:
        return self.case.reached if self.case else len(self.mailer.addresses)


@pytest.fixture(params=["stand-in", "in memory"])
def tested(request: pytest.FixtureRequest, envelope: Envelope) -> MailerUnderTest:
    if request.param == "in memory":
        return InMemory()
    make_mailer: MakeMailer = request.getfixturevalue("make_mailer")
    return SandboxPeer(make_mailer(timeout=0.5), request.getfixturevalue("sandbox"))


def alike(one: Outcome, other: Outcome) -> bool:
    """Tell whether two outcomes call for the same."""
    if isinstance(one, Refused) and isinstance(other, Refused):
        return (one.remedy, one.offenders) == (other.remedy, other.offenders)
    return type(one) is type(other)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_fault_is_asked_once_and_reported_for_what_it_is(
    tested: MailerUnderTest,
    case: Case,
    envelope: Envelope,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    letter = request.getfixturevalue("large_letter" if case.large else "letter")
    tested.befall(case)

    outcome = tested.mailer.send(envelope, letter, claim_for())

    assert alike(outcome, case.outcome), outcome
    assert (tested.asked, tested.reached) == (1, case.reached)
    printed = f"{outcome} {caplog.text}"
    assert KEY not in printed
    assert "@" not in printed


def test_what_went_wrong_once_leaves_no_trace_in_the_next_request(
    tested: MailerUnderTest, envelope: Envelope, letter: Letter
) -> None:
    for case in (CASES[0], CASES[-1]):
        tested.befall(case)
        tested.mailer.send(envelope, letter, claim_for())
    tested.befall(None)

    assert isinstance(tested.mailer.send(envelope, letter, claim_for()), Accepted)


def test_an_accepted_batch_bears_the_name_sendgrid_gave_the_request(
    tested: MailerUnderTest, envelope: Envelope, letter: Letter
) -> None:
    outcomes = [tested.mailer.send(envelope, letter, claim_for()) for _ in range(2)]

    names = {outcome.message_id for outcome in outcomes if isinstance(outcome, Accepted)}
    assert len(names) == 2
    assert "" not in names


def test_a_mailer_that_may_send_has_no_obstacle(tested: MailerUnderTest) -> None:
    assert tested.mailer.obstacle() is None


def test_the_name_is_the_one_the_stand_in_filed_the_letters_under(
    send: Send, sandbox: Sandbox
) -> None:
    outcome = send()

    filed = sandbox.messages()
    assert {one["message_id"] for one in filed} == {outcome.message_id}
    assert {one["custom_args"]["nl_attempt"] for one in filed} == {"attempt-of-the-test"}
    assert sorted(one["to"] for one in filed) == [f"reader-{n}@example.com" for n in (1, 2, 3)]


def test_a_letter_arrives_filled_in_for_its_recipient(
    send: Send, sandbox: Sandbox, envelope: Envelope
) -> None:
    claim = claim_for("o'hara&co@example.com")
    send(claim)

    [filed] = sandbox.messages()
    got = sandbox.message(filed["id"])
    url = envelope.links.unsubscribe(claim.recipients[0])
    assert f'href="{url}"' in got["html"]
    assert "<p>o&#x27;hara&amp;co@example.com</p>" in got["html"]
    assert "To: o'hara&co@example.com" in got["text"]
    assert "-nl_" not in got["html"] + got["text"]


def test_a_request_that_is_wrong_for_everyone_pauses_instead_of_ejecting(
    send: Send, letter: Letter
) -> None:
    outcome = send(letter=replace(letter, subject=""))

    assert alike(outcome, refused(Remedy.PAUSE))
    assert "(subject)" in outcome.reason


def test_a_wrong_key_pauses_and_is_not_repeated_in_the_reason(send: Send) -> None:
    outcome = send(api_key="SG.wrong")

    assert alike(outcome, refused(Remedy.PAUSE))
    assert outcome.reason.startswith("401: The provided authorization grant is invalid")
    assert "SG.wrong" not in outcome.reason


def test_a_port_where_nobody_listens_means_not_sent(
    make_mailer: MakeMailer, envelope: Envelope, letter: Letter
) -> None:
    mailer = make_mailer(host=f"http://127.0.0.1:{unused_port()}")

    outcome = mailer.send(envelope, letter, claim_for())
    assert alike(outcome, refused(Remedy.RETRY))
    assert not outcome.reached
    assert "does not answer" in mailer.obstacle()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_an_answer_is_not_waited_for_longer_than_the_timeout(send: Send, sandbox: Sandbox) -> None:
    sandbox.fail({"kind": "hang", "seconds": 3})

    assert send(timeout=0.2).reason == "the answer was lost: TimeoutError: timed out"


def test_a_wait_lasts_until_the_limit_is_reset(
    send: Send, sandbox: Sandbox, clock: FakeClock
) -> None:
    clock.time = datetime.now(UTC)  # the sandbox reports its reset by the machine's clock
    sandbox.fail({"kind": "status_429", "seconds": 90})

    wait = send().wait

    assert timedelta(seconds=80) < wait <= timedelta(seconds=90)


@pytest.mark.parametrize(
    "after, wait",
    [(-3600, 1), (0, 1), (60, 60), (86_400, 900)],
    ids=["long past", "now", "soon", "tomorrow"],
)
def test_a_wait_is_at_least_a_second_and_at_most_a_quarter_of_an_hour(
    send: Send, clock: FakeClock, after: int, wait: int
) -> None:
    reset = str(int(clock.now().timestamp()) + after)
    with answering(answer("429 Too Many", X_RateLimit_Reset=reset)) as host:
        outcome = send(host=host)

    assert outcome.wait == timedelta(seconds=wait)


@pytest.mark.parametrize("reset", ["", "soon", "²", "9" * 30, "-1", "1.5"])
def test_a_reset_that_is_no_time_is_left_to_the_backoff(send: Send, reset: str) -> None:
    with answering(answer("429 Too Many", X_RateLimit_Reset=reset)) as host:
        outcome = send(host=host)

    assert alike(outcome, refused(Remedy.WAIT))
    assert outcome.wait is None


def errors(*problems: tuple[str, Any]) -> bytes:
    found = [{"message": words, "field": place, "help": None} for words, place in problems]
    return json.dumps({"errors": found}).encode()


DUPLICATE = (
    "Each email address in the personalization block should be unique between to, cc, and bcc. "
    "We found the first duplicate instance of [reader-1@example.com] in the personalizations.0.bcc "
    "field."
)
INVALID = "Does not contain a valid address."


@pytest.mark.parametrize(
    "status, body, expected",
    [
        ("400 Bad", errors((DUPLICATE, "personalizations.0")), refused(Remedy.EJECT, 0)),
        ("400 Bad", errors((INVALID, "personalizations.2.to")), refused(Remedy.EJECT, 2)),
        (
            "400 Bad",
            errors((INVALID, "personalizations.2.to.0.email"), ("no", "from"), (INVALID, None)),
            refused(Remedy.EJECT, 2),
        ),
        # What is wrong with headers or values is our own doing, and so for everyone.
        ("400 Bad", errors(("no", "personalizations.0.headers")), refused(Remedy.PAUSE)),
        ("400 Bad", errors(("no", "personalizations.0.substitutions")), refused(Remedy.PAUSE)),
        ("400 Bad", errors(("no", "personalizations.one")), refused(Remedy.PAUSE)),
        ("400 Bad", errors(("no", "personalizations." + "9" * 5000)), refused(Remedy.PAUSE)),
        ("400 Bad", errors(("Bad Request", None)), refused(Remedy.PAUSE)),
        ("400 Bad", b"<html>a proxy's page</html>", refused(Remedy.PAUSE)),
        ("400 Bad", b'{"errors": null}', refused(Remedy.PAUSE)),
        ("400 Bad", b'{"errors": ["no"]}', refused(Remedy.PAUSE)),
        ("400 Bad", b"[" * 100_000, refused(Remedy.PAUSE)),
        ("404 Gone", b"", refused(Remedy.PAUSE)),
        ("405 Not that way", b"", refused(Remedy.PAUSE)),
        ("413 Large", b"<html></html>", refused(Remedy.SPLIT)),
        ("415 Type", b"", refused(Remedy.PAUSE)),
        ("418 Teapot", b"", UNKNOWN),
        ("520 Odd", b"<html></html>", UNKNOWN),
        ("307 Moved", b"", UNKNOWN),
        ("200 OK", b"{}", UNKNOWN),  # only a request in sandbox mode is answered so
        ("204 Nothing", b"", UNKNOWN),
        ("202 Accepted", b"", Accepted(message_id="")),  # accepted, even without a name
    ],
    ids=lambda value: str(value)[:30],
)
def test_each_answer_has_its_name(send: Send, status: str, body: bytes, expected: Outcome) -> None:
    with answering(answer(status, body)) as host:
        outcome = send(host=host)

    assert alike(outcome, expected), outcome
    assert "@" not in str(outcome)
    assert len(str(outcome)) < 700


def test_the_reason_keeps_sendgrids_sentence_without_the_address(send: Send) -> None:
    with answering(answer("400 Bad", errors((DUPLICATE, "personalizations.0")))) as host:
        outcome = send(host=host)

    assert "first duplicate instance of [(an address)]" in outcome.reason


def test_reasons_of_refused_recipients_group_and_hold_no_place_and_no_neighbours_error(
    send: Send,
) -> None:
    found = errors(
        (INVALID, "personalizations.0.to.0.email"),
        (INVALID, "personalizations.2.to.0.email"),
        (DUPLICATE, "personalizations.1"),
    )
    with answering(answer("400 Bad", found)) as host:
        outcome = send(host=host)

    invalid = "400: Does not contain a valid address. (personalizations.to.email)"
    assert outcome.offenders == (0, 1, 2)
    assert (outcome.reasons[0], outcome.reasons[2]) == (invalid, invalid)
    assert INVALID not in outcome.reasons[1]
    assert "personalizations.bcc field. (personalizations)" in outcome.reasons[1]
    assert outcome.reason.count(INVALID) == 1


def test_a_sentence_without_a_field_stands_alone(send: Send) -> None:
    with answering(answer("403 No", errors(("access forbidden", None)))) as host:
        assert send(host=host).reason == "403: access forbidden"


@pytest.mark.parametrize(
    "response, expected",
    [
        (answer("200 OK", b'{"scopes": ["mail.send"]}'), None),
        (answer("200 OK", b'{"scopes": ["alerts.read"]}'), "lacks the scope mail.send"),
        (answer("200 OK", b'{"scopes": null}'), "lacks the scope mail.send"),
        (answer("200 OK", b"<html></html>"), "lacks the scope mail.send"),
        (answer("401 No", errors(("no such key", None))), "401: no such key"),
        (answer("503 Busy", b"<html></html>"), "503: Busy"),
        (b"what is this\r\n\r\n", "does not answer"),
        (b"", "does not answer"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_an_obstacle_is_named_before_anything_is_asked(
    make_mailer: MakeMailer, response: bytes, expected: str | None
) -> None:
    with answering(response) as host:
        obstacle = make_mailer(host=host).obstacle()

    assert obstacle is expected is None or expected in obstacle


def test_a_wrong_key_is_an_obstacle(make_mailer: MakeMailer) -> None:
    obstacle = make_mailer(api_key="SG.wrong").obstacle()

    assert "401" in obstacle
    assert "SG.wrong" not in obstacle


@pytest.mark.parametrize("key", ["SG.secret\n", "SG. secret", "SG.\u200bsecret"])
def test_a_key_that_cannot_travel_in_a_header_is_refused_unquoted(
    make_mailer: MakeMailer, key: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_mailer(api_key=key)

    assert "secret" not in str(caught.value)


def test_threads_share_one_mailer_without_mixing_answers(
    make_mailer: MakeMailer, sandbox: Sandbox, envelope: Envelope, letter: Letter
) -> None:
    mailer = make_mailer()
    claims = [claim_for(f"r{n}@example.com") for n in range(16)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(mailer.send, repeat(envelope), repeat(letter), claims))

    named = {one["to"]: one["message_id"] for one in sandbox.messages()}
    asked = [claim.recipients[0].email for claim in claims]
    assert [outcome.message_id for outcome in outcomes] == [named[email] for email in asked]
