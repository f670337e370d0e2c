"""Test letters: to staff only, marked, with nobody's links, and in no issue's sums."""

import pytest
from sqlalchemy import Engine

from newsletter.adapters.sendgrid.payload import staff_send
from newsletter.core.delivery import Accepted, Outcome, Unknown
from newsletter.core.staff_letter import StaffLetterStatus
from newsletter.core.transactional import TransactionalMessage
from newsletter.errors import NotAllowed
from newsletter.services.preview import ReaderLinks
from tests.container import TODAY, TestContainer, open_container
from tests.settings import TECHNOLOGY

pytestmark = pytest.mark.postgres

READER, STAFF = "reader@example.com", "Ada@staff.example"


class FakeStaffMailer:
    """Records what it is to send, and accepts it unless it is to answer otherwise."""

    def __init__(self) -> None:
        self.asked: list[TransactionalMessage] = []
        self.answer: Outcome = Accepted(message_id="m-1")

    def send_test(self, message: TransactionalMessage) -> Outcome:
        self.asked.append(message)
        return self.answer


@pytest.fixture
def mailer() -> FakeStaffMailer:
    return FakeStaffMailer()


@pytest.fixture
def container(engine: Engine, tmp_path, mailer) -> TestContainer:
    addresses = [STAFF, "bob@staff.example"]
    container = open_container(engine, staff_mailer=mailer, staff_addresses=lambda: addresses)
    container.receive("chips", "policy")
    container.subscribe(tmp_path, {READER: "chips", "b@example.com": ""})
    return container


def send(container: TestContainer, to: str = STAFF, links=ReaderLinks.NONE):
    preview = container.previews.for_email(TECHNOLOGY, TODAY, READER, links=links)
    letters = container.test_letters
    return letters.send(TECHNOLOGY, TODAY, preview, to=to, shown_as="a reader", actor="ada")


def test_a_test_letter_is_marked_and_holds_no_link_of_the_reader(container, mailer):
    sent = send(container, to=" ada@STAFF.example", links=ReaderLinks.OWN)
    [message] = mailer.asked
    assert message.email == STAFF
    assert message.letter.subject.startswith("[Test] ")
    own = container.previews.for_email(TECHNOLOGY, TODAY, READER, links=ReaderLinks.OWN).headers
    token = own["List-Unsubscribe"].partition(">")[0].rpartition("/")[2]
    assert token
    assert token not in message.letter.html + message.letter.text + str(message.headers)
    assert READER not in message.letter.html
    assert "-nl_" not in message.letter.html + message.letter.text
    assert (sent.state, sent.message_id) == (StaffLetterStatus.ACCEPTED, "m-1")
    assert container.test_letters.last(TECHNOLOGY) == (sent,)


@pytest.mark.parametrize("to", [READER, "b@example.com", "", "ada@staff.example.com"])
def test_no_other_address_is_ever_asked_for(container, mailer, to):
    with pytest.raises(NotAllowed, match="only to confirmed"):
        send(container, to=to)
    assert (mailer.asked, container.test_letters.last(TECHNOLOGY)) == ([], ())


def test_a_test_letter_counts_nowhere(container):
    before = container.rows()
    send(container)
    assert container.rows() == before
    stored = container.send_issue()
    assert container.deliveries.totals(stored.id).sums.audience == 2


def test_its_ids_name_no_delivery_and_no_email_to_a_reader(container, mailer):
    send(container)
    [addressed] = staff_send(mailer.asked[0])["personalizations"]
    assert addressed["to"] == [{"email": STAFF}]
    assert addressed["custom_args"].keys() == {"nl_installation", "nl_issue"}


def test_twenty_a_day_for_each_address(container, mailer):
    for _ in range(20):
        send(container)
    with pytest.raises(NotAllowed, match="within a day"):
        send(container)
    send(container, to="bob@staff.example")
    container.clock.pass_time(hours=25)
    assert len(mailer.asked) == 21


def test_a_lost_answer_is_recorded_and_not_asked_again(container, mailer):
    mailer.answer = Unknown(reason="the answer was lost")
    sent = send(container)
    assert (sent.state, sent.reason) == (StaffLetterStatus.UNKNOWN, "the answer was lost")
    assert len(mailer.asked) == 1
