"""Unknown batches without events: reconciled by what Email Logs show; absence alone is weak."""

import json
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from newsletter.core.delivery import Unknown
from newsletter.core.reconciliation import (
    Absent,
    Probe,
    Reconciliation,
    ReconciliationEvidence,
    ReconciliationMeans,
    Shown,
    Sighting,
    Unavailable,
)
from newsletter.core.stored import IssueStatus
from newsletter.services.reconciliation import Reconciling
from newsletter.settings import Settings
from tests.cli.conftest import cli, one_sandbox, sandbox, sending_cli  # noqa: F401  # fixtures
from tests.container import TODAY, TestContainer, open_container
from tests.settings import settings_for

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(9)}
LOST = Unknown(reason="the line went dead")
HOUR = timedelta(hours=1)


@dataclass
class FakeLogs:
    """Email Logs that show the attempts they were given, and remember what they were asked."""

    shown: set[str] = field(default_factory=set)
    trouble: str | None = None
    asked: list[Probe] = field(default_factory=list)

    def seek(self, probe: Probe) -> Sighting:
        self.asked.append(probe)
        if self.trouble:
            return Unavailable(self.trouble)
        found = probe.attempt_ids & self.shown
        return Shown(min(found)) if found else Absent()

    def obstacle(self) -> str | None:
        return self.trouble


@dataclass
class WithoutEvents:
    """A service that receives no event, where the first of three batches got no answer."""

    container: TestContainer
    logs: FakeLogs
    reconciling: Reconciling

    @property
    def sums(self):
        container = self.container
        return container.deliveries.totals(container.issues.find("technology", TODAY).id).sums

    def look(self, **later: float) -> int:
        """Let time pass, ask, and let a worker go on."""
        self.container.clock.pass_time(**later)
        reconciled = self.reconciling.by_logs()
        self.container.recovery.recover()
        self.container.queue.work(until_empty=True)
        return reconciled

    def asked_of(self, batch: int) -> int:
        return sum(probe.batch_id == batch for probe in self.logs.asked)


@pytest.fixture
def without_events(engine: Engine, tmp_path) -> WithoutEvents:
    logs = FakeLogs()
    container = open_container(engine, settings=settings_with(events=False), email_logs=logs)
    container.receive("chips")
    container.subscribe(tmp_path, READERS)
    container.mailer.answers = [LOST]
    container.send_issue()
    return WithoutEvents(container, logs, container.reconciling)


def settings_with(
    *, events: bool, absence_minutes: float = 60, confirmed_minutes: float = 0
) -> Settings:
    """Return settings of a service that receives events, or receives none."""
    environment = {} if events else {"sendgrid_webhook_key": None}
    minutes = {"absence_minutes": absence_minutes, "confirmed_minutes": confirmed_minutes}
    return settings_for(**minutes, environment=environment)


def lose_all(without_events: WithoutEvents) -> None:
    with without_events.container.engine.begin() as connection:
        for table, column in (("batch", "state"), ("attempt", "outcome")):
            connection.execute(text(f"UPDATE {table} SET {column} = 'unknown'"))


def attempts(container: TestContainer) -> dict[str, tuple[str, str]]:
    with container.engine.begin() as connection:
        rows = connection.execute(text("SELECT id, outcome, reason FROM attempt ORDER BY id"))
        return {row.id: (row.outcome, row.reason) for row in rows}


def test_what_they_show_proves_the_whole_batch_at_once(without_events: WithoutEvents):
    [(batch, _)] = without_events.reconciling.unknown_batches()
    without_events.logs.shown = {"attempt-1"}
    assert without_events.look(seconds=1) == 1

    assert (without_events.sums.unknown, without_events.sums.accepted) == (0, 9)
    assert without_events.container.issues.find("technology", TODAY).state is IssueStatus.SENT
    words = ("accepted", "the line went dead; Email Logs show that it was accepted")
    assert attempts(without_events.container)["attempt-1"] == words
    [probe] = without_events.logs.asked
    assert (probe.batch_id, probe.attempt_ids) == (batch.batch_id, {"attempt-1"})
    assert set(probe.emails) <= set(READERS)
    assert len(without_events.container.mailer.asked) == 3


def test_absence_permits_one_resend_once_others_are_shown(without_events: WithoutEvents):
    without_events.logs.shown = {"attempt-2"}
    assert without_events.look(minutes=59) == 0
    assert without_events.sums.unknown == 3
    assert without_events.look(minutes=1) == 1

    assert (without_events.sums.unknown, without_events.sums.accepted) == (0, 9)
    assert len(without_events.container.mailer.asked) == 4
    [decision] = without_events.container.sending_limits.decisions.about(
        f"batch {without_events.logs.asked[0].batch_id}"
    )
    assert (decision.actor, decision.verb) == ("reconciliation by Email Logs", "resolve")


def test_absence_of_everybody_permits_nothing(without_events: WithoutEvents):
    for _ in range(9):
        assert without_events.look(hours=1) == 0
    assert len(without_events.container.mailer.asked) == 3
    assert [found for _, found in without_events.reconciling.unknown_batches()] == [
        Reconciliation.PERSON
    ]


def test_absence_permits_nothing_where_the_settings_say_so(without_events: WithoutEvents):
    without_events.logs.shown = {"attempt-2"}
    settings = settings_with(events=False, absence_minutes=0)
    without_events.reconciling = without_events.container.restarted(settings=settings).reconciling
    assert without_events.look(days=1) == 0
    assert [found for _, found in without_events.reconciling.unknown_batches()] == [
        Reconciliation.PERSON
    ]


def test_lost_twice_and_absent_waits_for_a_person_but_is_still_looked_for(
    without_events: WithoutEvents,
):
    without_events.logs.shown = {"attempt-2"}
    without_events.container.mailer.answers = [LOST]
    assert without_events.look(hours=1) == 1
    assert without_events.look(hours=2) == 0
    assert [found for _, found in without_events.reconciling.unknown_batches()] == [
        Reconciliation.PERSON
    ]
    assert len(without_events.container.mailer.asked) == 4

    without_events.logs.shown.add("attempt-1")  # the first one had been taken after all
    assert without_events.look(hours=3) == 1
    assert (without_events.sums.unknown, without_events.sums.accepted) == (0, 9)


def test_they_are_asked_ever_more_seldom(without_events: WithoutEvents):
    [(batch, _)] = without_events.reconciling.unknown_batches()
    for _ in range(24 * 120):  # a day, as the clock turns
        without_events.container.clock.pass_time(seconds=30)
        without_events.reconciling.by_logs()
    assert without_events.asked_of(batch.batch_id) < 40


def test_trouble_ends_the_round_and_the_next_ones_come_later(without_events: WithoutEvents, caplog):
    lose_all(without_events)
    without_events.logs.trouble = "SendGrid answered 429: too many requests"
    assert without_events.look(seconds=1) == 0
    assert len(without_events.logs.asked) == 1
    for _ in range(120):
        without_events.look(seconds=30)
    assert len(without_events.logs.asked) < 20
    assert [record.getMessage() for record in caplog.records if "429" in record.getMessage()] == [
        "Email Logs cannot be searched: SendGrid answered 429: too many requests"
    ]

    without_events.logs.trouble, without_events.logs.shown = (
        None,
        {"attempt-1", "attempt-2", "attempt-3"},
    )
    without_events.look(minutes=10)
    assert without_events.sums.unknown == 0


def test_one_batch_that_cannot_be_asked_about_keeps_no_other_one_waiting(
    without_events: WithoutEvents, monkeypatch: pytest.MonkeyPatch
):
    lose_all(without_events)
    without_events.logs.shown = {"attempt-2", "attempt-3"}
    seek = without_events.logs.seek

    def odd(probe: Probe) -> Sighting:
        if "attempt-1" in probe.attempt_ids:
            return Unavailable("it has no address that can be searched for", at_all=False)
        return seek(probe)

    monkeypatch.setattr(without_events.logs, "seek", odd)
    assert without_events.look(hours=1) == 2
    assert without_events.sums.unknown == 3


def test_where_events_are_received_they_are_asked_before_a_person_and_permit_no_resend(
    without_events: WithoutEvents,
):
    without_events.reconciling = without_events.container.restarted(
        settings=settings_with(events=True)
    ).reconciling
    assert without_events.look(minutes=14) == 0
    assert without_events.logs.asked == []  # an event is the better evidence, and may still come

    without_events.logs.shown = {"attempt-2"}
    assert without_events.look(hours=2) == 0
    assert len(without_events.logs.asked) == 1
    assert without_events.sums.unknown == 3

    without_events.logs.shown = {"attempt-1"}
    assert without_events.look(hours=2) == 1
    assert without_events.sums.unknown == 0


def confirm_by_both(without_events: WithoutEvents, *, minutes: int) -> TestContainer:
    """Receive events of the other batches for so long, and look at both each minute."""
    settings = settings_with(events=True, confirmed_minutes=5)
    container = without_events.container.restarted(settings=settings)
    without_events.container, without_events.reconciling = container, container.reconciling
    container.reconciling.start_receiving()
    container.query(
        "UPDATE delivery SET state = 30 FROM batch WHERE batch.id = 1 AND place > last_place"
    )
    for _ in range(minutes * 2):
        container.reconciling.record_receiving()
        container.webhook_line.record_post(["attempt-2"], container.clock.now())
        without_events.look(seconds=30)
    return container


def test_absence_from_events_and_from_email_logs_permits_one_resend_sooner(
    without_events: WithoutEvents,
):
    without_events.logs.shown = {"attempt-2", "attempt-3"}

    container = confirm_by_both(without_events, minutes=4)
    assert without_events.sums.unknown == 3
    container = confirm_by_both(without_events, minutes=2)

    assert (without_events.sums.unknown, without_events.sums.accepted) == (0, 9)
    assert len(container.mailer.asked) == 4
    [batch_id] = {probe.batch_id for probe in without_events.logs.asked[:1]}
    [decision] = container.decisions.about(f"batch {batch_id}")
    assert decision.actor == "reconciliation by events and Email Logs"


def test_email_logs_that_show_nobody_confirm_no_absence(without_events: WithoutEvents):
    container = confirm_by_both(without_events, minutes=10)
    assert without_events.sums.unknown == 3
    assert len(container.mailer.asked) == 3


def test_email_logs_prove_a_batch_within_minutes_although_events_are_received(
    without_events: WithoutEvents,
):
    without_events.logs.shown = {"attempt-1"}
    confirm_by_both(without_events, minutes=2)
    assert (without_events.sums.unknown, without_events.sums.accepted) == (0, 9)
    assert len(without_events.container.mailer.asked) == 3


def test_past_events_permit_nothing_where_none_is_received_now(without_events: WithoutEvents):
    with without_events.container.engine.begin() as connection:
        connection.execute(text("UPDATE delivery SET state = 30 WHERE place > 3"))
    without_events.reconciling.start_receiving()
    without_events.container.clock.pass_time(hours=2)
    assert without_events.reconciling.by_events() == 0


def test_operators_are_alerted_once_the_logs_had_their_time(without_events: WithoutEvents):
    assert without_events.reconciling.patience == HOUR
    asked = without_events.container.unknown_batches.unknown_issues
    assert asked(without_events.container.clock.now() - without_events.reconciling.patience) == ()
    without_events.container.clock.pass_time(hours=1, seconds=1)
    assert asked(without_events.container.clock.now() - without_events.reconciling.patience) == (
        ("technology", TODAY),
    )


def test_it_can_be_said_how_unknown_batches_are_reconciled(without_events: WithoutEvents):
    assert without_events.reconciling.means() == ReconciliationMeans(
        evidence=ReconciliationEvidence.LOGS
    )
    without_events.logs.trouble = "403: access forbidden"
    assert without_events.reconciling.means() == ReconciliationMeans(
        evidence=ReconciliationEvidence.NONE, obstacle="403: access forbidden"
    )
    hearing = without_events.container.restarted(settings=settings_with(events=True)).reconciling
    assert hearing.means() == ReconciliationMeans(evidence=ReconciliationEvidence.EVENTS)


def test_a_lost_answer_is_found_in_the_one_sandboxs_logs(sending_cli, sandbox):  # noqa: F811
    sandbox.fail({"kind": "close_after_accept", "times": 1})
    sending_cli.run("issue", "send", "--wait")
    [batch] = sending_cli.done("batches", "list")
    assert (batch["next"], batch["evidence"]) == ("wait", "logs")
    said = sending_cli.run("batches", "list").out
    assert "Email Logs may still prove it" in " ".join(said.split())
    [answer] = [one for one in sending_cli.done("check") if one["question"] == "unknowns"]
    assert "by SendGrid's Email Logs" in answer["sentence"]

    assert reconcile_by_logs(sending_cli) == 1
    assert sending_cli.done("batches", "list") == []
    assert len(sandbox.messages()) == 1


def reconcile_by_logs(where_logs_are_read) -> int:
    """Ask Email Logs once, as `serve` does."""
    from contextlib import closing

    from newsletter.container import Container
    from newsletter.settings import load_settings

    with closing(Container(load_settings())) as container:
        assert "email logs" in [job.name for job in container._recurring_jobs()]
        return container.reconciling.by_logs()


def test_check_says_why_only_a_person_can_resolve(sending_cli):  # noqa: F811
    sending_cli.environment(SENDGRID_API_KEY="SG.wrong")
    said = sending_cli.run("check").out
    assert "resolved by hand: no events are received" in " ".join(said.split())

    sending_cli.environment(SENDGRID_API_KEY="")
    assert "there is no key to ask Email Logs with" in " ".join(
        sending_cli.run("check").out.split()
    )


@pytest.mark.parametrize(
    "limit, fine, words",
    [
        ("per_minute = 1", True, "2 readers can be sent to while an issue is fresh"),
        ("per_day = 1", False, "1 of 2 readers can be sent to while an issue is fresh"),
        ('warm_up = { "2026-01-01" = 1 }', True, "the others get nothing, because of the warm-up"),
    ],
)
def test_check_says_whether_the_list_fits_the_rate_limit(sending_cli, limit, fine, words):  # noqa: F811
    path = sending_cli.config / "service.toml"
    name = limit.partition(" ")[0]
    lines = [limit if line.startswith(name) else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    said = json.loads(sending_cli.run("check", "--json").out)
    [answer] = [one for one in said if one["question"] == "limit"]
    assert (answer["fine"], words in answer["sentence"]) == (fine, True), answer
