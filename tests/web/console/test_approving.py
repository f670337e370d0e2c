"""An approval that is refused keeps its page; what leaves at once is what was looked at."""

import re
from copy import deepcopy

import pytest

from newsletter.core.staff import StaffActor
from newsletter.core.stored import IssueStatus
from newsletter.errors import FindingsUnseen, NotAllowed
from tests.container import TODAY, TestContainer
from tests.web.console.serving import OWN_SLUG, ConsoleClient

pytestmark = pytest.mark.postgres

ISSUE = f"/{OWN_SLUG}/issues/{TODAY}"


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def test_a_refused_approval_says_why_on_the_page_that_was_looked_at(
    container: TestContainer,
    members: dict[str, ConsoleClient],
    monkeypatch: pytest.MonkeyPatch,
):
    def refuse(*_: object, **__: object) -> None:
        raise NotAllowed("look at this first, and tick it: a link is dead.")

    digest = container.publishing.assemble(container.newsletter, TODAY).content_hash
    own = members["own"]
    monkeypatch.setattr(own.app.state.services.reviews, "approve", refuse)
    refused = own.post(f"{ISSUE}/approve", form_key="a", content_hash=digest, seen="x")
    assert refused.status_code == 409
    assert "Look at this first, and tick it: a link is dead. Nothing was" in refused.text
    assert 'id="stories"' in refused.text


def test_something_is_to_be_ticked_only_where_the_page_has_a_box_for_it(
    container: TestContainer,
    members: dict[str, ConsoleClient],
    monkeypatch: pytest.MonkeyPatch,
):
    def refuse(*_: object, **__: object) -> None:
        raise FindingsUnseen(("A link is dead.",))

    own = members["own"]
    monkeypatch.setattr(own.app.state.services.reviews, "approve", refuse)
    before = own.post(f"{ISSUE}/approve", form_key="a", content_hash="x")
    assert "Look at this first: A link is dead. Nothing was" in before.text
    container.publishing.assemble(container.newsletter, TODAY)
    container.publishing.withdraw(container.newsletter, TODAY, actor="root", because="a slip")
    draft = own.post(f"{ISSUE}/approve", form_key="b", content_hash="x")
    assert "Look at this first, and tick it: A link is dead. Nothing was" in draft.text


def test_an_address_nobody_reads_with_is_said_in_the_letters_place(
    container: TestContainer, members: dict[str, ConsoleClient]
):
    container.publishing.assemble(container.newsletter, TODAY)
    led = members["keep-list"].post(f"{ISSUE}/as-reader", address="nobody@example.com")
    assert led.headers["location"] == f"{ISSUE}?whom=reader:none"
    page = members["keep-list"].get(f"{ISSUE}?whom=reader:none&count=1")
    assert page.status_code == 200
    assert "there is no such reader" in page.text.casefold()


def test_what_was_approved_anew_does_not_leave_by_an_older_page(
    container: TestContainer, members: dict[str, ConsoleClient]
):
    newsletter = container.newsletter
    container.publishing.assemble(newsletter, TODAY)
    container.publishing.approve(newsletter, TODAY, actor="a@example.org")
    page = members["own"].get(f"{ISSUE}?count=1").text
    shown = {name: field(page, name) for name in ("people", "approved_hash")}
    container.publishing.withdraw(newsletter, TODAY, actor="b@example.org", because="a slip")
    draft = container.editing.seen(newsletter, TODAY, actor="b@example.org")
    container.editing.word(draft, subject="Another subject")
    for key in ("draft", "approved"):
        answer = members["own"].post(f"{ISSUE}/send-now", form_key=key, **shown)
        assert answer.status_code == 409
        assert "It is not what was approved when you looked" in answer.text
        container.publishing.approve(newsletter, TODAY, actor="a@example.org")
    assert container.publishing.issue(newsletter, TODAY).state is IssueStatus.APPROVED
    anew = field(members["own"].get(f"{ISSUE}?count=1").text, "approved_hash")
    answer = members["own"].post(
        f"{ISSUE}/send-now", form_key="b", **shown | {"approved_hash": anew}
    )
    assert "not what was approved" not in answer.text


def test_a_copy_of_an_actor_is_the_same_actor():
    actor = StaffActor("a@example.org", staff_id=1, session_id=2, address="192.0.2.1")
    copied = deepcopy(actor)
    assert (copied, copied.staff_id, copied.session_id) == (actor, 1, 2)
    assert copied.address == "192.0.2.1"
