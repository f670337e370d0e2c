"""An editor asks for approval; whoever may approve sends the draft back with a note."""

import re
import socket
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from newsletter.core.delivery import Accepted, Outcome, Refused, Remedy
from newsletter.core.operator_alert import unknown_batch_alert
from newsletter.core.publication import ApprovalPolicy
from newsletter.core.transactional import TransactionalMessage
from newsletter.errors import NotAllowed
from tests.container import TODAY, TestContainer
from tests.settings import TECHNOLOGY
from tests.staff import SHELL
from tests.web.console.serving import GRANTS, OWN_SLUG, ConsoleClient, console_container, url_of

pytestmark = pytest.mark.postgres

ISSUE = f"/{OWN_SLUG}/issues/{TODAY}"
TODAYS = f"/{OWN_SLUG}/today?count=1"


class OneRefused:
    """SendGrid takes every letter to staff but those to one address."""

    def __init__(self, refused: str) -> None:
        self.refused = refused

    def send_test(self, message: TransactionalMessage) -> Outcome:
        if message.email == self.refused:
            return Refused(reason="no such address", remedy=Remedy.EJECT)
        return Accepted(message_id="m-1")


@pytest.fixture
def container(engine: Engine, listener: socket.socket) -> TestContainer:
    by_person = replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON)
    made = console_container(engine, url_of(listener), newsletter=by_person)
    made.receive("chips", "security", "policy")
    made.publishing.assemble(made.newsletter, TODAY)
    return made


def test_a_draft_is_asked_for_sent_back_and_asked_for_again(
    container: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    editor, approver = members["edit"], members["approve"]
    assert "Ask for approval</button>" in editor.get(f"{ISSUE}?count=1").text
    asked = editor.post(f"{ISSUE}/ask", form_key="a", note="The lead is new.")
    assert asked.headers["location"] == f"{ISSUE}#approval"
    for page in (f"{ISSUE}?count=1", TODAYS):
        seen = approver.get(page).text
        assert "edit@example.org asks for approval" in seen
        assert "“The lead is new.”" in seen
    assert approver.post(f"{ISSUE}/send-back", form_key="b", note=" ").status_code == 422
    approver.post(f"{ISSUE}/send-back", form_key="c", note="Mend the subject.")
    for page in (f"{ISSUE}?count=1", TODAYS):
        seen = editor.get(page).text
        assert "approve@example.org sent it back" in seen
        assert "“Mend the subject.”" in seen
    editor.post(f"{ISSUE}/ask", form_key="d")
    assert "Mend the subject." not in editor.get(TODAYS).text
    stored = container.publishing.issue(container.newsletter, TODAY)
    verbs = [one.verb for one in container.decisions.about(f"issue {stored.id}")]
    assert verbs == ["ask for approval", "send back", "ask for approval"]


def test_the_page_says_who_was_written_to_and_what_became_of_it(
    container: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    container.staff_mailer = OneRefused("own@example.org")
    container.staff_accounts.invite("new@example.org", GRANTS["approve"], by=SHELL)
    seen = members["edit"].get(f"{ISSUE}?count=1").text
    assert "These may: approve, own." in seen
    members["edit"].post(f"{ISSUE}/ask", form_key="a", note="")
    for page in (f"{ISSUE}?count=1", TODAYS):
        assert "Letters to approve and own are leaving." in members["edit"].get(page).text
    container.approval_letters.send_waiting()
    for page in (f"{ISSUE}?count=1", TODAYS):
        seen = members["edit"].get(page).text
        assert "approve was told by a letter. No letter went to own: no such address." in " ".join(
            re.sub(r"<.*?>", " ", seen).split()
        )


def test_the_page_says_that_nobody_was_written_to(
    container: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    members["approve"].post(f"{ISSUE}/send-back", form_key="a", note="Mend the subject.")
    assert "No letter went to anybody: say it" in members["edit"].get(f"{ISSUE}?count=1").text


def test_an_approval_answers_what_was_asked_for_good(container: TestContainer) -> None:
    newsletter, requests = container.newsletter, container.approval_requests
    requests.ask(newsletter, TODAY, actor="edit@example.org", note="")
    stored = container.publishing.approve(newsletter, TODAY, actor="approve@example.org")
    assert requests.of(stored) is None
    with pytest.raises(NotAllowed, match="is approved: approval is asked for a draft"):
        requests.ask(newsletter, TODAY, actor="edit@example.org", note="")
    taken = container.publishing.withdraw(
        newsletter, TODAY, actor="a@example.org", because="a slip"
    )
    assert requests.of(taken) is None


def test_whoever_edits_does_not_send_back(members: dict[str, ConsoleClient]) -> None:
    refused = members["edit"].post(f"{ISSUE}/send-back", form_key="a", note="No")
    assert refused.status_code == 403


def test_a_draft_that_changed_since_it_was_asked_for_says_so(
    container: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    members["edit"].post(f"{ISSUE}/ask", form_key="a", note="")
    draft = container.editing.seen(container.newsletter, TODAY, actor="bo@example.org")
    container.editing.word(draft, subject="Another subject")
    assert "The draft changed since." in members["approve"].get(f"{ISSUE}?count=1").text


def test_an_alert_says_through_which_channels_it_went(
    container: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    store, alert = container.schedule_store, unknown_batch_alert(OWN_SLUG, TODAY)
    store.queue_alert(alert, container.clock.now())
    number = store.alert_number(alert)
    assert number

    def said() -> str:
        return members["see"].get(f"/{OWN_SLUG}/alerts/{number}").text

    assert "No channel has taken it yet." in said()
    store.mark_notified(alert, "Slack (no. 1)")
    assert "It went out through Slack (no. 1); another channel failed" in said()
    store.mark_notified(alert, "E-Mail (no. 2)")
    store.mark_sent(number, container.clock.now())
    assert "It went out through E-Mail (no. 2) and Slack (no. 1)." in said()
