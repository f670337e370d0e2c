"""A letter to staff, followed until its events are back; and one that SendGrid only checks."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from newsletter.core.delivery import Claim, Refused, Remedy
from newsletter.core.edition import Letter
from newsletter.core.mailing import Envelope
from newsletter.core.setup_finding import SetupGrade
from newsletter.errors import NotAllowed
from newsletter.services.setup_letters import SetupLetters
from tests.container import TestContainer, open_container
from tests.services.test_staff_letters import STAFF, FakeStaffMailer
from tests.settings import TECHNOLOGY

pytestmark = pytest.mark.postgres


@pytest.fixture
def mailer() -> FakeStaffMailer:
    return FakeStaffMailer()


@pytest.fixture
def container(engine: Engine, mailer: FakeStaffMailer) -> TestContainer:
    return open_container(engine, staff_mailer=mailer, staff_addresses=lambda: [STAFF])


def letters(container: TestContainer, arrive: Callable[[int], object] = id) -> SetupLetters:
    """Return the service; in each second that it waits, `arrive` says what happens."""
    seconds = iter(range(10_000))

    def pause(step: float) -> None:
        container.clock.pass_time(seconds=step)
        arrive(next(seconds))

    return replace(container.setup_letters, pause=pause)


def events_of(container: TestContainer, mailer: FakeStaffMailer, *kinds: str) -> None:
    """Receive events of the last letter, as SendGrid posts them."""
    sent = mailer.asked[-1]
    ids = {"nl_installation": sent.installation_id, "nl_issue": f"test-{sent.id}"}
    now = int(container.clock.now().timestamp())
    container.receive_events(
        *(
            {"event": kind, "sg_event_id": f"{kind}-{sent.id}", "email": STAFF, "timestamp": now}
            | ids
            for kind in kinds
        )
    )


def send(made: SetupLetters, to: str = STAFF):
    return made.send(TECHNOLOGY, to=to, actor="ada", longest=timedelta(seconds=20))


def test_the_whole_way_is_proven_by_the_letters_own_events(container, mailer) -> None:
    def arrive(second: int) -> None:
        if second == 3:
            events_of(container, mailer, "processed", "delivered")

    begun = container.clock.now()
    found = send(letters(container, arrive))
    assert [one.grade for one in found] == [SetupGrade.OK] * 2
    assert container.clock.now() - begun == timedelta(seconds=4)  # no longer than needed
    assert container.rows() == dict.fromkeys(container.rows(), 0)  # it is of no issue


def test_another_letters_events_prove_nothing(container, mailer) -> None:
    def arrive(second: int) -> None:
        if second == 3:
            mailer.asked[-1] = replace(mailer.asked[-1], id=mailer.asked[-1].id + 1)
            events_of(container, mailer, "delivered")

    found = send(letters(container, arrive))
    assert "no event of it came back within 20 seconds" in found[-1].sentence
    assert found[-1].grade is SetupGrade.FAIL


def test_a_letter_that_is_refused_is_not_waited_for(container, mailer) -> None:
    mailer.answer = Refused(reason="403: no verified sender", remedy=Remedy.PAUSE)
    begun = container.clock.now()
    [found] = send(letters(container))
    assert "403: no verified sender" in found.sentence
    assert container.clock.now() == begun


def test_nobody_but_staff_gets_one(container, mailer) -> None:
    with pytest.raises(NotAllowed):
        send(letters(container), to="reader@example.com")
    assert mailer.asked == []


@pytest.mark.parametrize("briefs", [[], ["chips"]])
def test_the_letter_of_today_or_a_sample_is_rehearsed(container, briefs) -> None:
    asked: list[tuple[Envelope, Letter, Claim]] = []

    class FakeRehearsal:
        def rehearse(self, envelope: Envelope, letter: Letter, claim: Claim) -> str | None:
            asked.append((envelope, letter, claim))
            return "SendGrid answered 403"

    container.receive(*briefs)
    made = replace(letters(container), rehearsal=FakeRehearsal)
    said = made.rehearse(TECHNOLOGY)
    [(envelope, letter, claim)] = asked
    assert said == (
        "the issue of 2026-11-23" if briefs else "a sample issue",
        "SendGrid answered 403",
    )
    assert [one.email for one in claim.recipients] == [TECHNOLOGY.sender.email]
    assert envelope.sender == TECHNOLOGY.sender
    assert letter.html
    assert container.rows() == dict.fromkeys(container.rows(), 0)
