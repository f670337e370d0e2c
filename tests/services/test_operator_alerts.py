"""Alerts that need somebody: each is open while its cause is there, and one person takes it."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from newsletter.core.alert_state import OLD, AlertCause, is_there
from newsletter.core.delivery import Unknown
from newsletter.core.operator_alert import (
    OperatorAlert,
    OperatorAlertKind,
    account_alert,
    source_down_alert,
    unknown_batch_alert,
)
from newsletter.core.reconciliation import Resolution
from newsletter.core.stored import IssueStatus
from newsletter.errors import NotAllowed, NotFound
from tests.container import TODAY, TestContainer, open_container

pytestmark = pytest.mark.postgres

NOTHING = AlertCause(
    state=None, unreached=False, unknown=0, source_down=False, reactivated=False, repeated=False
)


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = open_container(engine)
    container.receive("chips")
    container.subscribe(tmp_path, {f"r{n}@example.com": "" for n in range(6)})
    return container


def kinds(container: TestContainer) -> list[str]:
    return [one.alert.kind for one in container.operator_alerts.open(container.newsletter)]


def test_the_alert_about_a_pause_is_over_once_the_issue_goes_on(container) -> None:
    stored, limits = container.plan_issue(), container.sending_limits
    for _ in range(2):
        limits.pause(stored, actor="ana", because="a look")
        assert kinds(container) == ["paused"]
        stored = limits.resume(container.issues.get(stored.id), actor="ana", because="fine")
        assert kinds(container) == []


def test_the_alert_about_unknown_batches_is_over_once_all_are_known(container) -> None:
    container.mailer.answers = [Unknown(reason="lost")] * 2
    container.send_issue()
    alert = unknown_batch_alert("technology", TODAY)
    container.schedule_store.queue_alert(alert, container.clock.now())
    for batch in container.unknown_batches.unknown():
        assert kinds(container) == ["unknown batch"]
        container.unknown_batches.resolve(batch.batch_id, Resolution.ACCEPTED, "it is there")
    assert kinds(container) == []


def test_an_alert_about_a_source_is_over_once_it_is_read(container) -> None:
    now = container.clock.now()
    for source in ("wire", "wire-2"):
        alert = source_down_alert("technology", source, now)
        container.schedule_store.queue_alert(alert, now)
    container.query(
        "INSERT INTO polled_source (newsletter, source, validators, failing_since, tally, refused,"
        " baseline, longest_gap)"
        " VALUES ('technology', 'wire', '{}', now(), '{}', '[]', '[]', '\"PT0S\"')"
    )
    [found] = container.operator_alerts.open(container.newsletter)
    assert found.alert.sentence.startswith("the source wire has")
    container.query("UPDATE polled_source SET failing_since = NULL")
    assert kinds(container) == []


def test_an_account_is_suspended_until_sendgrid_lets_it_go_on(container) -> None:
    now = container.clock.now()
    container.schedule_store.queue_account_alert(account_alert("compliance_suspend", now), now)
    assert kinds(container) == ["account changed"]
    later = now + timedelta(minutes=5)
    container.schedule_store.queue_account_alert(account_alert("reactivate", later), later)
    assert kinds(container) == ["account reactivated"]


def test_one_person_takes_an_alert_and_it_can_be_closed_with_a_reason(container) -> None:
    alerts, stored = container.operator_alerts, container.plan_issue()
    container.sending_limits.pause(stored, actor="ana", because="a look")
    [alert] = alerts.open(container.newsletter)

    for _ in range(2):
        taken = alerts.acknowledge(alert.id, "ana")
        assert (taken.acknowledged_by, taken.acknowledged_at) == ("ana", container.clock.now())
    with pytest.raises(NotAllowed, match="ana has taken care of this alert"):
        alerts.acknowledge(alert.id, "ben")
    assert kinds(container) == ["paused"]

    with pytest.raises(NotAllowed, match="a reason is needed"):
        alerts.close(alert.id, actor="ana", because="")
    for actor in ("ana", "ben"):
        closed = alerts.close(alert.id, actor=actor, because="looked into it")
        assert closed.closed_by == "ana"
    assert kinds(container) == []
    decided = container.decisions.about(f"alert {alert.id}")
    assert [(one.actor, one.verb) for one in decided] == [("ana", "acknowledge"), ("ana", "close")]
    assert {one.newsletter for one in decided} == {"technology"}
    with pytest.raises(NotFound, match="there is no alert 99"):
        alerts.alert(99)


def test_what_has_no_cause_to_go_is_over_by_time_or_by_a_person() -> None:
    missed = AlertCause(**vars(NOTHING) | {"state": IssueStatus.MISSED})
    assert is_there(OperatorAlertKind.MISSED_DAY, missed, OLD)
    assert not is_there(OperatorAlertKind.MISSED_DAY, missed, OLD + timedelta(seconds=1))
    assert is_there(OperatorAlertKind.SENT_TWICE, NOTHING, 5 * OLD)


def test_another_newsletters_alerts_are_not_shown(container) -> None:
    about = {"newsletter": "energy", "date": TODAY, "sentence": "twice"}
    alert = OperatorAlert(kind=OperatorAlertKind.SENT_TWICE, **about)
    container.schedule_store.queue_alert(alert, container.clock.now())
    assert kinds(container) == []
