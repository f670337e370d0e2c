"""Over the API an issue leaves as it was looked at; to stop it takes one call, and a reason."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.core.api_token import Scope
from newsletter.core.publication import ApprovalPolicy
from newsletter.errors import OwnChange, UndeclaredLogin
from tests.container import TODAY, TestContainer, brief
from tests.web.api.asking import ApiClient, kind_of, make_token, pointers
from tests.web.api.issue_day import BECAUSE, ISSUE, approved, issue_day, status

pytestmark = pytest.mark.postgres

ACTS = ("withdraw", "pause", "resume", "cancel")


@pytest.fixture
def container(engine: Engine, tmp_path: Path) -> TestContainer:
    return issue_day(engine, tmp_path)


def leaving(api: ApiClient, container: TestContainer) -> None:
    """Approve the issue, plan it, and send its first batch."""
    approved(api)
    container.plan_issue()
    batch = next(iter(container.queue.jobs))
    container.queue.jobs.pop(batch)
    container.sending.send_batches([batch])


def test_exactly_what_was_looked_at_is_approved(api: ApiClient, container: TestContainer):
    digest = api.get(ISSUE).json()["hash"]
    other = api.post(f"{ISSUE}/approve", {"hash": "0" * 64})
    assert (other.status_code, kind_of(other)) == (409, "stale")
    unseen = api.post(f"{ISSUE}/approve", {"hash": digest})
    assert (kind_of(unseen), status(api)) == ("conflict", "draft")
    assert "Look at this first" in unseen.json()["detail"]
    done = approved(api).json()
    assert (done["status"], done["approval"]["hash"]) == ("approved", digest)
    assert done["approval"]["by"] == "token:test (1)"
    assert [one.verb for one in container.decisions.about("issue 1")] == ["approve"]
    assert api.post(f"{ISSUE}/approve", {"hash": digest}).status_code == 200


def test_what_would_be_set_otherwise_now_is_not_approved(api: ApiClient, container: TestContainer):
    digest = api.get(ISSUE).json()["hash"]
    container.intake.receive(brief("software"))
    stale = api.post(f"{ISSUE}/approve", {"hash": digest})
    assert (kind_of(stale), status(api)) == ("stale", "draft")
    assert kind_of(approved(api)) == "stale"
    api.post(f"{ISSUE}/assemble")
    assert approved(api).status_code == 200


@pytest.mark.parametrize("act", ACTS)
def test_every_act_needs_a_reason(api: ApiClient, act: str):
    for given in (None, {}, {"because": " \n"}, {"because": None}):
        refused = api.post(f"{ISSUE}/{act}", given)
        assert refused.status_code == 422
        assert pointers(refused) == ["#" if given is None else "#/because"]
    conflict = api.post(f"{ISSUE}/{act}", BECAUSE)
    assert (conflict.status_code, kind_of(conflict), status(api)) == (409, "conflict", "draft")


def test_an_approval_is_taken_back(api: ApiClient, container: TestContainer):
    approved(api)
    taken = api.post(f"{ISSUE}/withdraw", BECAUSE).json()
    assert (taken["status"], taken["withdrawn_by"]) == ("draft", "token:test (1)")
    assert "a slip in the lead" in taken["reason"]
    assert container.decisions.about("issue 1")[-1].detail["because"] == "a slip in the lead"


def test_what_leaves_is_paused_resumed_and_cancelled(api: ApiClient, container: TestContainer):
    leaving(api, container)
    for _ in range(2):
        paused = api.post(f"{ISSUE}/pause", BECAUSE).json()
        assert (paused["status"], paused["paused_by"]) == ("paused", "token:test (1)")
    container.queue.work(until_empty=True)
    assert api.get(ISSUE).json()["counts"]["to_go"] > 0
    assert api.post(f"{ISSUE}/resume", BECAUSE).json()["status"] == "sending"
    assert kind_of(api.post(f"{ISSUE}/resume", BECAUSE)) == "conflict"
    cancelled = api.post(f"{ISSUE}/cancel", BECAUSE).json()
    counts = cancelled["counts"]
    assert (cancelled["status"], counts["to_go"], counts["adds_up"]) == ("cancelled", 0, True)
    assert kind_of(api.post(f"{ISSUE}/pause", BECAUSE)) == "conflict"
    verbs = [one.verb for one in container.decisions.about("issue 1")]
    assert verbs == ["approve", "pause", "resume", "cancel"]


def test_a_pause_takes_back_what_waits_to_leave(api: ApiClient):
    approved(api)
    for _ in range(2):
        stopped = api.post(f"{ISSUE}/pause", BECAUSE)
        assert (stopped.status_code, stopped.json()["status"]) == (200, "draft")


def test_sending_by_hand_has_its_guards(api: ApiClient, container: TestContainer):
    container.sending_by_hand.grace = timedelta(minutes=5)
    digest = approved(api).json()["approval"]["hash"]
    readers = api.get(f"{ISSUE}/forecast").json()["readers"]
    other = api.post(f"{ISSUE}/send", {"hash": "0" * 64, "readers": readers})
    assert kind_of(other) == "stale"
    assert kind_of(api.post(f"{ISSUE}/send", {"hash": digest, "readers": 60})) == "conflict"
    sent = api.post(f"{ISSUE}/send", {"hash": digest, "readers": readers}).json()
    assert (sent["status"], sent["leaves_by"]) == ("approved", "token:test (1)")
    assert api.post(f"{ISSUE}/pause", BECAUSE).json()["leaves_at"] is None
    container.clock.pass_time(minutes=5)
    container.sending_by_hand.run_due()
    assert (status(api), container.rows()["batch"]) == ("draft", 0)


def test_whoever_may_approve_may_stop(
    api: ApiClient, anonymous: ApiClient, container: TestContainer
):
    leaving(api, container)
    approver = anonymous.with_token(make_token(container, Scope.ISSUES_APPROVE))
    assert approver.post(f"{ISSUE}/pause", BECAUSE).json()["status"] == "paused"
    editor = anonymous.with_token(make_token(container, Scope.ISSUES_EDIT))
    assert editor.post(f"{ISSUE}/resume", BECAUSE).status_code == 403
    assert editor.post(f"{ISSUE}/cancel", BECAUSE).status_code == 403


@pytest.fixture
def four_eyes(engine: Engine, tmp_path: Path) -> TestContainer:
    made = issue_day(engine, tmp_path, ApprovalPolicy.FOUR_EYES)
    made.approvals.practice = False
    return made


@pytest.mark.parametrize("name", ["test", "anna@example.org"])
def test_where_two_people_are_needed_a_token_is_nobody(
    four_eyes: TestContainer, anonymous: ApiClient, name: str
):
    api = ApiClient(four_eyes.api, anonymous.portal, make_token(four_eyes, name=name))
    refused = approved(api)
    assert (refused.status_code, kind_of(refused), status(api)) == (403, "forbidden", "draft")
    assert "a token is none of them" in refused.json()["detail"]
    four_eyes.editing.pin(
        four_eyes.editing.seen(four_eyes.newsletter, TODAY, actor="ben@example.org"), 2
    )
    assert approved(api).status_code == 403


def test_what_a_token_changed_is_its_makers_change(four_eyes: TestContainer, anonymous: ApiClient):
    for maker, error in (("anna@example.org", OwnChange), ("root", UndeclaredLogin)):
        made = four_eyes.api_tokens.create("x@y.org", tuple(Scope), by=maker)
        api = ApiClient(four_eyes.api, anonymous.portal, made.text)
        etag = api.get(ISSUE).headers["ETag"]
        assert api.patch(ISSUE, {"note": maker}, headers={"If-Match": etag}).status_code == 200
        with pytest.raises(error):
            four_eyes.publishing.approve(four_eyes.newsletter, TODAY, actor="anna@example.org")
        if maker == "anna@example.org":
            four_eyes.publishing.refuse_own_change(
                four_eyes.newsletter,
                four_eyes.publishing.issue(four_eyes.newsletter, TODAY),
                "ben@example.org",
            )
