"""A process killed at any instant around an event: it is posted all the same, under one id."""

import multiprocessing
import os
import signal
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, event

from newsletter.core.webhook import CHOICES, NewEndpoint
from newsletter.core.webhook_delivery import WebhookDeliveryState
from newsletter.stores.database import make_engine
from tests.container import TODAY, TestContainer, open_container
from tests.webhook_endpoint import Endpoint

pytestmark = pytest.mark.postgres

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.torture.preloaded", "tests.container"])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def approve_and_post(url: str, instant: str) -> None:
    """Approve today's draft and post what is due, and be killed at an instant of that."""
    container = open_container(make_engine(url))
    sending = container.webhook_sending
    draft = container.publishing.issue(container.newsletter, TODAY)
    if instant == "before the commit":
        event.listen(container.engine, "commit", lambda _: die())
    container.issues.approve(draft.id, draft.content_hash or "", "somebody", container.clock.now())
    if instant == "after the commit":
        die()
    if instant == "claimed":
        sending.post = lambda *_: die()
    post: Callable[..., object] = sending.post
    if instant == "posted":
        sending.post = lambda *sent: (post(*sent), die())
    sending.send_due()
    die()  # recorded


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return open_container(engine)


@pytest.mark.parametrize(
    ("instant", "approved", "posts"),
    [
        ("before the commit", False, 0),
        ("after the commit", True, 1),
        ("claimed", True, 1),
        ("posted", True, 2),
        ("recorded", True, 1),
    ],
)
def test_nothing_is_lost_at_any_instant(
    container: TestContainer, database_url: str, endpoint: Endpoint,
    instant: str, approved: bool, posts: int,
):  # fmt: skip
    container.receive("chips")
    container.publishing.assemble(container.newsletter, TODAY)
    container.publishing.withdraw(container.newsletter, TODAY, actor="ada", because="to look")
    wanted = NewEndpoint(name="one", url=endpoint.url, events=frozenset(CHOICES))
    container.webhooks.add(wanted, actor="test")

    process = _context.Process(target=approve_and_post, args=(database_url, instant))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    state = container.publishing.issue(container.newsletter, TODAY).state
    assert (state.value == "approved") == approved

    container.webhook_sending.send_due()  # what is claimed waits for its lease
    container.clock.pass_time(minutes=2)
    container.webhook_sending.send_due()
    assert endpoint.kinds == ["issue.approved"] * posts
    assert len({one.headers["webhook-id"] for one in endpoint.posted}) == bool(posts)
    [number] = [one.id for one in container.webhooks.endpoints()]
    states = [one.state for one in container.webhooks.deliveries(number)]
    assert states == [WebhookDeliveryState.DELIVERED] * approved
