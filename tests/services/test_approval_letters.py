"""Staff are told by a letter whose turn it is with a draft: by a path that knows no reader."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from newsletter.adapters.sendgrid.payload import staff_send
from newsletter.core.delivery import Accepted, Outcome, Unknown
from newsletter.core.publication import ApprovalPolicy
from newsletter.core.staff import Grant, LoginName, Permission
from newsletter.core.transactional import TransactionalMessage
from newsletter.errors import ConfigurationError
from tests.container import TODAY, TestContainer, open_container
from tests.settings import TECHNOLOGY, settings_for
from tests.staff import SHELL

pytestmark = pytest.mark.postgres

NEWSLETTER = replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON)
ADA, BEA, CARL = "Ada@staff.example", "bea@staff.example", "carl@staff.example"
CONSOLE = "https://console.example.org"


class StaffMailerDouble:
    def __init__(self) -> None:
        self.asked: list[TransactionalMessage] = []
        self.answer: Outcome = Accepted(message_id="m-1")

    def send_test(self, message: TransactionalMessage) -> Outcome:
        self.asked.append(message)
        return self.answer

    @property
    def to(self) -> list[str]:
        return [one.email for one in self.asked]


@pytest.fixture
def mailer() -> StaffMailerDouble:
    return StaffMailerDouble()


def opened(engine: Engine, console_url: str | None, mailer: StaffMailerDouble) -> TestContainer:
    settings = settings_for((NEWSLETTER,))
    web = settings.service.web.model_copy(update={"console_url": console_url})
    service = settings.service.model_copy(update={"web": web})
    return open_container(engine, settings=replace(settings, service=service), staff_mailer=mailer)


@pytest.fixture
def container(engine: Engine, mailer: StaffMailerDouble) -> TestContainer:
    """Ada may do all, Bea approves, Carl edits; others may approve elsewhere, or did not accept."""
    made = opened(engine, CONSOLE, mailer)
    here, elsewhere = NEWSLETTER.slug, "science"
    member(made, ADA, Permission.OWN)
    member(made, BEA, Permission.APPROVE, here)
    member(made, CARL, Permission.EDIT, here)
    member(made, "dot@staff.example", Permission.APPROVE, elsewhere)
    invited = Grant(permission=Permission.APPROVE, newsletter=here)
    made.staff_accounts.invite("eve@staff.example", [invited], by=SHELL)
    made.receive("chips")
    made.publishing.assemble(NEWSLETTER, TODAY)
    return made


def member(
    container: TestContainer, email: str, role: Permission, where: str | None = None
) -> None:
    accounts = container.staff_accounts
    grant = Grant(permission=role, newsletter=where if role is not Permission.OWN else None)
    container.staff_accounts.newsletters = (NEWSLETTER.slug, "science")
    accounts.accept(accounts.invite(email, [grant], by=SHELL), email)


def ask(container: TestContainer, actor: str, note: str = "") -> None:
    container.clock.pass_time(seconds=1)
    container.approval_requests.ask(NEWSLETTER, TODAY, actor=actor, note=note)


def send_back(container: TestContainer, actor: str, note: str) -> None:
    container.clock.pass_time(seconds=1)
    container.approval_requests.send_back(NEWSLETTER, TODAY, actor=actor, note=note)


def test_who_may_approve_gets_one_letter_for_each_asking(
    container: TestContainer, mailer: StaffMailerDouble
) -> None:
    before = container.rows()
    ask(container, CARL, note="The <lead> is new.")
    assert mailer.asked == []
    assert (container.approval_letters.send_waiting(), sorted(mailer.to)) == (2, [ADA, BEA])
    assert container.approval_letters.send_waiting() == 0
    letter = mailer.asked[0].letter
    assert letter.subject == f"To approve: {NEWSLETTER.name}, Monday, 23 November"
    for part in (letter.text, letter.html):
        assert f"{CARL} asks for your approval" in part
        assert f"{CONSOLE}/{NEWSLETTER.slug}/issues/{TODAY}" in part
    assert "“The <lead> is new.”" in letter.text
    assert "“The &lt;lead&gt; is new.”" in letter.html
    [addressed] = staff_send(mailer.asked[0])["personalizations"]
    assert addressed["custom_args"].keys() == {"nl_installation", "nl_issue"}
    assert container.rows() == before
    assert container.test_letters.last(NEWSLETTER) == ()


def test_whoever_asks_gets_none_and_the_one_that_sends_it_back(
    container: TestContainer, mailer: StaffMailerDouble
) -> None:
    ask(container, ADA)
    container.approval_letters.send_waiting()
    send_back(container, BEA, note="Mend the subject.")
    container.approval_letters.send_waiting()
    assert mailer.to == [BEA, ADA]
    back = mailer.asked[1].letter
    assert back.subject.startswith("Sent back: ")
    assert "“Mend the subject.”" in back.text
    send_back(container, BEA, note="And the second story.")  # nobody asked since
    ask(container, LoginName("root"))  # nobody of the staff declared it
    send_back(container, BEA, note="Who are you?")
    container.approval_letters.send_waiting()
    assert mailer.to == [BEA, ADA]


def test_what_was_answered_before_it_left_does_not_leave(
    container: TestContainer, mailer: StaffMailerDouble
) -> None:
    ask(container, CARL)
    container.publishing.approve(NEWSLETTER, TODAY, actor=BEA)
    container.approval_letters.send_waiting()
    assert mailer.asked == []


def test_whoever_is_no_longer_of_the_staff_gets_none(
    container: TestContainer, mailer: StaffMailerDouble
) -> None:
    ask(container, CARL)
    [bea] = [one for one in container.staff_accounts.members() if one.email == BEA]
    container.staff_accounts.remove(bea.id, by=SHELL)
    container.approval_letters.send_waiting()
    assert mailer.to == [ADA]


def test_what_cannot_be_sent_refuses_nobody_and_is_not_sent_again(
    container: TestContainer, mailer: StaffMailerDouble
) -> None:
    mailer.answer = Unknown(reason="the answer was lost")
    ask(container, CARL)
    assert [container.approval_letters.send_waiting() for _ in "ab"] == [2, 0]

    def no_key() -> StaffMailerDouble:
        raise ConfigurationError("there is no key")

    container.approval_letters.mailer = no_key
    ask(container, CARL)
    with pytest.raises(ConfigurationError):
        container.approval_letters.send_waiting()
    container.approval_letters.mailer = lambda: mailer
    assert container.approval_letters.send_waiting() == 2
    found = container.query("SELECT state, reason FROM staff_letter")
    assert found == [("unknown", "the answer was lost")] * 4


def test_of_a_console_on_this_machine_only_there_is_no_link(
    engine: Engine, container: TestContainer, mailer: StaffMailerDouble
) -> None:
    alone = opened(engine, None, mailer)
    ask(alone, CARL)
    alone.approval_letters.send_waiting()
    assert "http" not in mailer.asked[0].letter.text + mailer.asked[0].letter.html
