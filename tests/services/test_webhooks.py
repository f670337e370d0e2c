"""What happens is posted to the endpoints that want it: signed, in order, at least once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine
from standardwebhooks import Webhook, WebhookVerificationError

from newsletter.core.brief import Source
from newsletter.core.delivery import Unknown
from newsletter.core.operator_alert import OperatorAlertKind
from newsletter.core.reconciliation import Resolution
from newsletter.core.signup import SignUpForm
from newsletter.core.webhook import CHOICES, NewEndpoint, WebhookEventKind
from newsletter.core.webhook_delivery import FAILURES, TRIES, WebhookDelivery, WebhookDeliveryState
from newsletter.errors import NotAllowed, NotFound
from subscribers.model import Purpose
from subscribers.records.model import NewSubscriber
from subscribers.signup.model import ConsentProof
from subscribers.tokens import make_token
from tests.container import TODAY, TestContainer, brief, open_container
from tests.webhook_endpoint import Endpoint, Endpoints, Posted

pytestmark = pytest.mark.postgres

READER = "reader@example.com"
KIND = WebhookEventKind


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return open_container(engine)


def add(
    container: TestContainer, endpoint: Endpoint, *events: WebhookEventKind, **more: object
) -> tuple[int, str]:
    """Add an endpoint for some events, or for all; return its number and its secret."""
    name = f"endpoint {endpoint.url[-1]}"
    wanted = NewEndpoint(name=name, url=endpoint.url, events=frozenset(events or CHOICES))
    added, secret = container.webhooks.add(replace(wanted, **more), actor="test")
    return added.id, secret


def add_reader(container: TestContainer, email: str = READER) -> int:
    new = NewSubscriber(email=email, newsletter="technology", statement="a test", zone="UTC")
    return container.records.add(new, actor="somebody@example.org", now=container.clock.now())


def unsubscribe(container: TestContainer, number: int, source: str = "unsubscribe link") -> None:
    container.subscriptions.unsubscribe([number], now=container.clock.now(), source=source)


def latest(container: TestContainer, endpoint_id: int) -> WebhookDelivery:
    return container.webhooks.deliveries(endpoint_id)[0]


def approve(container: TestContainer) -> None:
    container.receive("chips")
    container.publishing.assemble(container.newsletter, TODAY)  # and approves it, by its policy


def test_a_day_is_posted_from_its_briefs_to_its_end(
    container: TestContainer, endpoint: Endpoint, tmp_path: Path
):
    add(container, endpoint)
    container.intake.receive(brief(source=Source()))
    container.subscribe(tmp_path, {READER: "chips"})
    approve(container)
    container.send_issue()
    container.webhook_sending.send_due()

    held, drafted, approved, left = (one.data for one in endpoint.posted)
    assert endpoint.kinds == ["brief.held", "issue.drafted", "issue.approved", "issue.left"]
    assert held["data"]["newsletter"] == "technology"  # that prints its pillar
    assert held["data"]["held_by"] == "the gate"
    assert held["data"]["checks"]
    api = f"{container.settings.console_url}/api/v1"
    assert held["data"]["links"]["brief"] == f"{api}/briefs/{held['data']['brief']['id']}"
    assert drafted["data"]["content_hash"] == approved["data"]["content_hash"]
    assert approved["data"]["approved_by"] == "the policy"
    assert drafted["timestamp"] == approved["timestamp"] == "2026-11-23T10:00:00Z"
    assert left["data"] == {
        "newsletter": "technology",
        "issue": {"date": "2026-11-23", "number": 1},
        "audience": 1,
        "excluded": 0,
        "accepted": 1,
        "links": {
            "issue": f"{api}/issues/technology/2026-11-23",
            "page": "https://news.example.com/technology/2026-11-23",
        },
    }
    assert all(one["id"].startswith("evt_") for one in (held, drafted, approved, left))


def test_a_lost_answer_a_pause_and_a_doubling_are_posted(
    container: TestContainer, endpoint: Endpoint, tmp_path: Path
):
    add(container, endpoint, KIND.BATCH_UNKNOWN, KIND.ISSUE_PAUSED, KIND.DOUBLING_FOUND)
    container.subscribe(tmp_path, {f"reader{number}@example.com": "chips" for number in range(3)})
    approve(container)
    container.mailer.answers = [Unknown(reason="the connection broke")]
    stored = container.send_issue()
    [(batch_id, attempt_id)] = container.query(
        "SELECT batch_id, id FROM attempt WHERE outcome = 'unknown'"
    )
    container.reconciling.resolve(
        batch_id, Resolution.RESEND, actor="somebody", because="nothing shows it"
    )
    container.sending_limits.pause(
        container.issues.get(stored.id), actor="a@example.org", because=f"ask {READER} first"
    )
    container.sending_limits.resume(
        container.issues.get(stored.id), actor="somebody", because="asked"
    )
    container.sending.send_batches([batch_id])
    container.unknown_batches.record_accepted(attempt_id, container.clock.now())
    container.webhook_sending.send_due()

    unknown, paused, doubled = (one.data for one in endpoint.posted)
    assert unknown["type"] == "batch.unknown"
    assert (unknown["data"]["batch"], unknown["data"]["letters"]) == (batch_id, 3)
    assert paused["data"]["reason"] == "ask [address] first"
    assert paused["data"]["paused_by"] == "a person"
    assert doubled["type"] == "doubling.found"
    assert doubled["data"]["letters"] == 3


def test_a_person_s_hold_is_posted_and_a_brief_that_stays_held_is_not_again(
    container: TestContainer, endpoint: Endpoint
):
    add(container, endpoint, KIND.BRIEF_HELD)
    receipt = container.intake.receive(brief())
    container.intake.hold(receipt.stored.brief_id, actor="somebody")
    container.intake.hold(receipt.stored.brief_id, actor="somebody else")
    container.webhook_sending.send_due()
    [held] = endpoint.posted
    assert held.data["data"]["held_by"] == "a person"


def test_an_approval_taken_back_is_a_draft_again(container: TestContainer, endpoint: Endpoint):
    add(container, endpoint, KIND.ISSUE_DRAFTED)
    approve(container)
    container.publishing.withdraw(container.newsletter, TODAY, actor="ada", because="a slip")
    container.webhook_sending.send_due()
    assert endpoint.kinds == ["issue.drafted", "issue.drafted"]


def test_readers_who_join_leave_come_back_and_are_erased_are_posted_without_an_address(
    container: TestContainer, endpoint: Endpoint
):
    add(container, endpoint)
    number, now = add_reader(container), container.clock.now()
    unsubscribe(container, number)
    unsubscribe(container, number)  # twice is once
    container.subscriptions.resubscribe(number, now=now, source="preferences page")
    container.records.erase(READER, now=now)
    container.webhook_sending.send_due()

    assert endpoint.kinds == ["reader.joined", "reader.left"] * 2
    data = [one.data["data"] for one in endpoint.posted]
    assert [one.get("again") for one in data] == [False, None, True, None]
    assert [one.get("how") for one in data] == [None, "unsubscribe link", None, "erased"]
    assert len({one["reader"]["id"] for one in data}) == 1
    assert all(b"@" not in one.body for one in endpoint.posted)
    assert "@" not in str(container.query("SELECT * FROM webhook_event"))


def test_whoever_confirms_has_joined_and_whoever_only_asked_has_not(
    container: TestContainer, endpoint: Endpoint
):
    add(container, endpoint)
    typed = SignUpForm(email=READER, topics=("chips",))
    container.signing_up.request(container.newsletter, typed, ConsentProof(via="form"))
    container.webhook_sending.send_due()
    assert endpoint.posted == []
    [signup] = (container.signups.find(one) for (one,) in container.query("SELECT id FROM signup"))
    token = make_token(Purpose.CONFIRM, signup.id, signup.link_key)
    container.signing_up.confirm(token, ConsentProof(via="confirmation link"))
    container.webhook_sending.send_due()
    assert endpoint.kinds == ["reader.joined"]


def test_an_address_is_posted_only_where_it_was_asked_for_and_while_there_is_one(
    container: TestContainer, endpoints: Endpoints
):
    plain, knowing = endpoints.open(), endpoints.open()
    add(container, plain)
    add(container, knowing, addresses=True)
    knowing.answer = f"thank you, {READER}".encode()
    add_reader(container)
    container.webhook_sending.send_due()
    assert knowing.posted[0].data["data"]["reader"]["email"] == READER
    assert READER not in str(container.query("SELECT * FROM webhook_delivery, webhook_event"))

    container.records.erase(READER, now=container.clock.now())
    container.webhook_sending.send_due()
    assert "email" not in knowing.posted[1].data["data"]["reader"]
    assert all(b"@" not in one.body for one in plain.posted)


def test_an_import_and_its_undoing_write_no_event(
    container: TestContainer, endpoint: Endpoint, tmp_path: Path
):
    add(container, endpoint)
    container.subscribe(tmp_path, {f"reader{number}@example.com": "" for number in range(20)})
    listed = tmp_path / "left.csv"
    listed.write_text("email,status\nreader1@example.com,unsubscribed\n")
    container.lists.import_list(
        listed, "technology", known_topics=container.newsletter.topic_slugs, default_zone="UTC",
        consent_source="test", now=container.clock.now(),
    )  # fmt: skip
    [(ended,)] = container.query("SELECT count(*) FROM subscription WHERE status = 'ended'")
    assert ended == 1
    container.lists.undo(1, actor="somebody", now=container.clock.now())
    assert container.query("SELECT * FROM webhook_event") == []


def test_nothing_is_recorded_that_no_endpoint_wants(container: TestContainer, endpoint: Endpoint):
    add_reader(container)
    add(container, endpoint, KIND.ISSUE_LEFT)
    add_reader(container, "other@example.com")
    assert container.query("SELECT * FROM webhook_event") == []


def test_an_endpoint_gets_the_events_of_its_newsletters(
    container: TestContainer, endpoints: Endpoints
):
    ours, weekly = endpoints.open(), endpoints.open()
    add(container, ours, newsletters=frozenset({"technology"}))
    add(container, weekly, newsletters=frozenset({"technology-weekly"}))
    container.intake.hold(container.intake.receive(brief()).stored.brief_id, actor="somebody")
    add_reader(container)
    container.webhook_sending.send_due()
    assert ours.kinds == ["brief.held", "reader.joined"]
    assert weekly.posted == []
    assert container.query("SELECT DISTINCT endpoint_id FROM webhook_delivery") == [(1,)]


def test_signatures_hold_by_another_implementation_also_during_a_rotation(
    container: TestContainer, endpoint: Endpoint
):
    number, first = add(container, endpoint, KIND.READER_JOINED)
    container.clock.time = datetime.now(UTC)  # the specification's tolerance is of real time
    container.webhooks.test(number, actor="test")
    second = container.webhooks.rotate(number, actor="test")
    container.webhooks.test(number, actor="test")
    container.clock.pass_time(hours=25)
    container.webhooks.test(number, actor="test")

    alone, both, later = endpoint.posted
    assert holds(first, alone)
    assert holds(first, both)
    assert holds(second, both)
    assert not holds(second, alone)
    assert len(later.headers["webhook-signature"].split()) == 1
    assert not holds(first, replace(alone, body=alone.body + b" "))


def holds(secret: str, posted: Posted) -> bool:
    try:
        Webhook(secret).verify(posted.body, posted.headers)
    except WebhookVerificationError:
        return False
    return posted.data["id"] == posted.headers["webhook-id"]


def test_what_fails_is_tried_eight_times_in_a_day_under_one_id_and_then_operators_know(
    container: TestContainer, endpoint: Endpoint
):
    number, _ = add(container, endpoint, KIND.READER_JOINED)
    endpoint.status, endpoint.answer = 500, b"\x00no \xff" + b"x" * 3000
    add_reader(container)
    began, tries = container.clock.now(), list[datetime]()
    while latest(container, number).state is WebhookDeliveryState.WAITING:
        container.webhook_sending.send_due()
        tries.append(container.clock.now())
        container.webhook_sending.send_due()  # too soon
        container.clock.time = latest(container, number).due_at or container.clock.time
        assert len(endpoint.posted) == len(tries)

    assert len(tries) == TRIES == 8
    pauses = [later - sooner for sooner, later in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert timedelta(hours=20) < tries[-1] - began <= timedelta(hours=24)
    assert len({one.headers["webhook-id"] for one in endpoint.posted}) == 1
    assert len({one.headers["webhook-timestamp"] for one in endpoint.posted}) == 8
    given_up = latest(container, number)
    assert given_up.answer.status == 500
    assert given_up.answer.body.startswith("no �xxx")
    assert len(given_up.answer.body) == 500
    [alert] = [one for _, one in container.schedule_store.pending_alerts()]
    assert alert.kind is OperatorAlertKind.WEBHOOK_FAILED
    assert alert.sentence.endswith("does not take events: 127.0.0.1 answered 500")


@pytest.mark.parametrize("status", [200, 201, 299])
def test_any_2xx_is_success(container: TestContainer, endpoint: Endpoint, status: int):
    number, _ = add(container, endpoint)
    endpoint.status = status
    add_reader(container)
    container.webhook_sending.send_due()
    assert latest(container, number).state is WebhookDeliveryState.DELIVERED


def test_a_redirect_is_not_followed(container: TestContainer, endpoints: Endpoints):
    endpoint, elsewhere = endpoints.open(status=307), endpoints.open()
    endpoint.headers = {"Location": elsewhere.url}
    number, _ = add(container, endpoint)
    add_reader(container)
    container.webhook_sending.send_due()
    assert latest(container, number).answer.reason == "127.0.0.1 answered 307"
    assert elsewhere.posted == []


def test_an_endpoint_that_is_gone_is_paused_and_operators_know(
    container: TestContainer, endpoint: Endpoint
):
    number, _ = add(container, endpoint)
    endpoint.status = 410
    add_reader(container)
    container.webhook_sending.send_due()
    add_reader(container, "other@example.com")
    container.webhook_sending.send_due()
    assert len(endpoint.posted) == 1
    found = container.webhooks.endpoint(number)
    assert (found.is_active, found.reason) == (False, "127.0.0.1 answered 410")
    assert len(container.schedule_store.pending_alerts()) == 1


def test_what_happens_during_a_pause_waits_and_is_given_up_after_three_days(
    container: TestContainer, endpoint: Endpoint
):
    number, _ = add(container, endpoint, KIND.READER_JOINED)
    container.webhooks.pause(number, actor="ada", because="it moves")
    with pytest.raises(NotAllowed, match="paused already"):
        container.webhooks.pause(number, actor="ada", because="again")
    add_reader(container)
    container.webhook_sending.send_due()
    assert endpoint.posted == []
    container.webhooks.test(number, actor="ada")  # before it goes on
    assert endpoint.kinds == ["ping"]

    container.clock.pass_time(days=4)
    add_reader(container, "other@example.com")
    container.webhook_sending.delete_old()
    container.webhooks.resume(number, actor="ada")
    container.webhook_sending.send_due()
    states = Counter(one.state.value for one in container.webhooks.deliveries(number))
    assert states == {"given up": 1, "delivered": 2}
    assert endpoint.kinds == ["ping", "reader.joined"]
    verbs = [one.verb for one in container.decisions.about(f"webhook {number}")]
    assert verbs == ["add webhook", "pause", "test webhook", "resume"]


def test_events_of_one_issue_come_in_their_order_and_others_do_not_wait(
    container: TestContainer, endpoint: Endpoint
):
    number, _ = add(container, endpoint)
    refused = KIND.ISSUE_DRAFTED.value
    endpoint.status = lambda posted: 503 if posted.kind == refused else 204
    approve(container)
    add_reader(container)
    container.webhook_sending.send_due()
    assert sorted(endpoint.kinds) == ["issue.drafted", "reader.joined"]

    container.clock.pass_time(seconds=20)
    endpoint.status = 204
    container.webhook_sending.send_due()
    assert endpoint.kinds[2:] == ["issue.drafted", "issue.approved"]
    assert {one.state for one in container.webhooks.deliveries(number)} == {
        WebhookDeliveryState.DELIVERED
    }


def test_what_was_given_up_lets_the_later_events_of_its_issue_pass(
    container: TestContainer, endpoint: Endpoint
):
    add(container, endpoint)
    endpoint.status = lambda posted: 503 if posted.kind == "issue.drafted" else 204
    approve(container)
    for _ in range(TRIES + 1):  # after the last failure the endpoint rests, too
        container.webhook_sending.send_due()
        container.clock.pass_time(hours=13)
    assert endpoint.kinds == ["issue.drafted"] * TRIES + ["issue.approved"]


def test_a_slow_endpoint_holds_nobody_else(container: TestContainer, endpoints: Endpoints):
    slow, quick = endpoints.open(), endpoints.open()
    slow.gate.clear()
    add(container, slow)
    add(container, quick)
    for number in range(6):
        add_reader(container, f"reader{number}@example.com")
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(container.webhook_sending.send_due)
        quick.await_posts(6)
        assert len(slow.posted) == 2  # no more at once to one endpoint
        slow.gate.set()
        assert run.result(20) == 12
    assert len(slow.posted) == 6


def test_an_endpoint_that_takes_nothing_is_asked_for_one_event_at_a_time(
    container: TestContainer, endpoint: Endpoint
):
    number, _ = add(container, endpoint, KIND.READER_JOINED)
    endpoint.status = 500
    for reader in range(30):
        add_reader(container, f"reader{reader}@example.com")
    container.webhook_sending.send_due()
    assert FAILURES <= len(endpoint.posted) <= FAILURES + 1  # one was under way with the last
    for hours in range(1, 14):
        asked = len(endpoint.posted)
        container.clock.pass_time(hours=1)
        container.webhook_sending.send_due()
        assert len(endpoint.posted) == asked + 1
        assert len(container.schedule_store.pending_alerts()) == (hours >= 12)

    endpoint.status = 204
    container.clock.pass_time(hours=1)
    container.webhook_sending.send_due()
    states = {one.state.value for one in container.webhooks.deliveries(number)}
    assert "given up" not in states
    assert container.webhooks.endpoint(number).failing_since is None
    container.clock.pass_time(hours=13)
    container.webhook_sending.send_due()
    assert {one.state.value for one in container.webhooks.deliveries(number)} == {"delivered"}


def test_what_waits_three_days_for_an_endpoint_that_takes_nothing_is_given_up(
    container: TestContainer, endpoint: Endpoint
):
    number, _ = add(container, endpoint, KIND.READER_JOINED)
    endpoint.status = 500
    for reader in range(8):
        add_reader(container, f"reader{reader}@example.com")
    container.webhook_sending.send_due()
    container.clock.pass_time(days=4)
    add_reader(container)
    container.webhook_sending.delete_old()
    states = Counter(one.state.value for one in container.webhooks.deliveries(number))
    assert states == {"given up": 8, "waiting": 1}


def test_whoever_sends_again_by_hand_does_not_wait(container: TestContainer, endpoint: Endpoint):
    number, _ = add(container, endpoint, KIND.READER_JOINED)
    endpoint.status = 500
    for reader in range(8):
        add_reader(container, f"reader{reader}@example.com")
    container.webhook_sending.send_due()
    endpoint.status, again = 204, latest(container, number)
    asked = len(endpoint.posted)
    container.webhook_sending.send_due()
    assert len(endpoint.posted) == asked
    container.webhooks.send_again(number, again.id, actor="ada")
    container.webhook_sending.send_due()
    assert len(endpoint.posted) > asked


def test_a_delivery_is_sent_again_under_its_old_id(container: TestContainer, endpoint: Endpoint):
    number, _ = add(container, endpoint)
    add_reader(container)
    container.webhook_sending.send_due()
    delivery = latest(container, number)
    container.webhooks.send_again(number, delivery.id, actor="ada")
    container.webhook_sending.send_due()
    assert [one.data["id"] for one in endpoint.posted] == [delivery.event.id] * 2
    assert latest(container, number).tries == 1
    with pytest.raises(NotFound):
        container.webhooks.send_again(number, 999, actor="ada")


def test_the_last_hundred_deliveries_stay_and_what_waits(
    container: TestContainer, endpoint: Endpoint
):
    number, _ = add(container, endpoint, KIND.READER_JOINED)
    container.query("""
        SELECT record_webhook_event('reader.joined', 'technology', 'reader ' || n, now(), '{}')
          FROM generate_series(1, 130) AS n
    """)
    container.query("UPDATE webhook_delivery SET state = 'delivered' WHERE id <= 120")
    container.webhook_sending.delete_old()
    assert container.query("SELECT min(id), count(*) FROM webhook_delivery") == [(21, 110)]
    assert container.query("SELECT count(*) FROM webhook_event") == [(110,)]
    assert len(container.webhooks.deliveries(number)) == 100
    container.webhooks.remove(number, actor="ada")
    container.webhook_sending.delete_old()
    assert container.query("SELECT count(*) FROM webhook_event") == [(0,)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "http://hooks.example.com/x"}, "must begin with https"),
        ({"url": "https://user:sesame@hooks.example.com/"}, "user name or password"),
        ({"url": "ftp://hooks.example.com/"}, "not a web address"),
        ({"url": "https://hooks.example.com/#part"}, "after #"),
        ({"name": " "}, "1 to 60 characters"),
        ({"name": "endpoint 0"}, "already"),
        ({"events": frozenset()}, "choose from"),
        ({"events": frozenset({KIND.PING})}, "choose from"),
        ({"newsletters": frozenset({"sports"})}, "no sports"),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused(
    container: TestContainer, endpoint: Endpoint, changes: dict[str, object], said: str
):
    add(container, endpoint)
    wanted = NewEndpoint(name="new", url="https://hooks.example.com/", events=frozenset(CHOICES))
    with pytest.raises(NotAllowed, match=said) as refused:
        container.webhooks.add(replace(wanted, **changes), actor="test")
    assert "sesame" not in str(refused.value)
    assert len(container.webhooks.endpoints()) == 1
