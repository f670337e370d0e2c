"""Unknown batches where no event comes: settled by what Email Logs show; absence alone is weak."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, text

from newsletter.core.delivery import Unknown
from newsletter.core.reconciliation import (
    Absent,
    Evidence,
    Means,
    Probe,
    Settlement,
    Shown,
    Sighting,
    Unavailable,
)
from newsletter.core.stored import IssueState
from newsletter.services.reconciliation import Settling
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.unknown_batches import Unknowns
from newsletter.stores.unknown_issues import unknown_issues
from tests.cli.conftest import desk, sandbox, sending_desk, stand_in  # noqa: F401  # fixtures
from tests.house import TODAY, TestHouse, open_house

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(9)}
LOST = Unknown(reason="the line went dead")
HOUR = timedelta(hours=1)


@dataclass
class FakeLogs:
    """Email Logs that show the attempts they were told of, and remember what they were asked."""

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
class Deaf:
    """A house that hears no event, where the first of three batches got no answer."""

    house: TestHouse
    logs: FakeLogs
    settling: Settling

    @property
    def sums(self):
        house = self.house
        return house.inquiry.account(house.issues.find("technology", TODAY)).sums

    def look(self, **later: float) -> int:
        """Let time pass, ask, and let a worker go on."""
        self.house.clock.pass_time(**later)
        settled = self.settling.by_logs()
        self.house.dispatch.recover()
        self.house.queue.work(until_empty=True)
        return settled

    def asked_of(self, batch: int) -> int:
        return sum(probe.batch_id == batch for probe in self.logs.asked)


@pytest.fixture
def deaf(engine: Engine, tmp_path) -> Deaf:
    house = open_house(engine)
    house.settling._hears_events = False
    house.receive("chips")
    house.subscribe(tmp_path, READERS)
    house.mailer.answers = [LOST]
    house.post()
    return Deaf(house, logs := FakeLogs(), desk_of(house, logs))


def desk_of(house: TestHouse, logs: FakeLogs, *, hears: bool = False, absence=HOUR) -> Settling:
    return Settling(
        unknowns=Unknowns(house.engine),
        decisions=DecisionLog(house.engine, house.clock),
        clock=house.clock,
        quiet=timedelta(minutes=15),
        hears_events=hears,
        logs=logs,
        absence=absence,
    )


def lose_all(deaf: Deaf) -> None:
    with deaf.house.engine.begin() as connection:
        for table, column in (("batch", "state"), ("attempt", "outcome")):
            connection.execute(text(f"UPDATE {table} SET {column} = 'unknown'"))


def attempts(house: TestHouse) -> dict[str, tuple[str, str]]:
    with house.engine.begin() as connection:
        rows = connection.execute(text("SELECT id, outcome, reason FROM attempt ORDER BY id"))
        return {row.id: (row.outcome, row.reason) for row in rows}


def test_what_they_show_proves_the_whole_batch_at_once(deaf: Deaf):
    [(batch, _)] = deaf.settling.listed()
    deaf.logs.shown = {"attempt-1"}
    assert deaf.look(seconds=1) == 1

    assert (deaf.sums.unknown, deaf.sums.accepted) == (0, 9)
    assert deaf.house.issues.find("technology", TODAY).state is IssueState.SENT
    told = ("accepted", "the line went dead; Email Logs show that it was accepted")
    assert attempts(deaf.house)["attempt-1"] == told
    [probe] = deaf.logs.asked
    assert (probe.batch_id, probe.attempt_ids) == (batch.batch_id, {"attempt-1"})
    assert set(probe.emails) <= set(READERS)
    assert len(deaf.house.mailer.asked) == 3


def test_absence_permits_one_resend_once_others_are_shown(deaf: Deaf):
    deaf.logs.shown = {"attempt-2"}
    assert deaf.look(minutes=59) == 0
    assert deaf.sums.unknown == 3
    assert deaf.look(minutes=1) == 1

    assert (deaf.sums.unknown, deaf.sums.accepted) == (0, 9)
    assert len(deaf.house.mailer.asked) == 4
    [decision] = deaf.house.braking._decisions.about(f"batch {deaf.logs.asked[0].batch_id}")
    assert (decision.actor, decision.verb) == ("settlement by Email Logs", "settle")


def test_absence_of_everybody_permits_nothing(deaf: Deaf):
    for _ in range(9):
        assert deaf.look(hours=1) == 0
    assert len(deaf.house.mailer.asked) == 3
    assert [found for _, found in deaf.settling.listed()] == [Settlement.PERSON]


def test_absence_permits_nothing_where_the_settings_say_so(deaf: Deaf):
    deaf.logs.shown = {"attempt-2"}
    deaf.settling = desk_of(deaf.house, deaf.logs, absence=timedelta(0))
    assert deaf.look(days=1) == 0
    assert [found for _, found in deaf.settling.listed()] == [Settlement.PERSON]


def test_lost_twice_and_absent_waits_for_a_person_but_is_still_looked_for(deaf: Deaf):
    deaf.logs.shown = {"attempt-2"}
    deaf.house.mailer.answers = [LOST]
    assert deaf.look(hours=1) == 1
    assert deaf.look(hours=2) == 0
    assert [found for _, found in deaf.settling.listed()] == [Settlement.PERSON]
    assert len(deaf.house.mailer.asked) == 4

    deaf.logs.shown.add("attempt-1")  # the first one had been taken after all
    assert deaf.look(hours=3) == 1
    assert (deaf.sums.unknown, deaf.sums.accepted) == (0, 9)


def test_they_are_asked_ever_more_seldom(deaf: Deaf):
    [(batch, _)] = deaf.settling.listed()
    for _ in range(24 * 120):  # a day, as the clock turns
        deaf.house.clock.pass_time(seconds=30)
        deaf.settling.by_logs()
    assert deaf.asked_of(batch.batch_id) < 40


def test_trouble_ends_the_round_and_the_next_ones_come_later(deaf: Deaf, caplog):
    lose_all(deaf)
    deaf.logs.trouble = "SendGrid answered 429: too many requests"
    assert deaf.look(seconds=1) == 0
    assert len(deaf.logs.asked) == 1
    for _ in range(120):
        deaf.look(seconds=30)
    assert len(deaf.logs.asked) < 20
    assert [record.getMessage() for record in caplog.records if "429" in record.getMessage()] == [
        "not settled by Email Logs: SendGrid answered 429: too many requests"
    ]

    deaf.logs.trouble, deaf.logs.shown = None, {"attempt-1", "attempt-2", "attempt-3"}
    deaf.look(minutes=10)
    assert deaf.sums.unknown == 0


def test_one_batch_that_cannot_be_asked_about_keeps_no_other_one_waiting(
    deaf: Deaf, monkeypatch: pytest.MonkeyPatch
):
    lose_all(deaf)
    deaf.logs.shown = {"attempt-2", "attempt-3"}
    seek = deaf.logs.seek

    def odd(probe: Probe) -> Sighting:
        if "attempt-1" in probe.attempt_ids:
            return Unavailable("it has no address that can be asked about", at_all=False)
        return seek(probe)

    monkeypatch.setattr(deaf.logs, "seek", odd)
    assert deaf.look(hours=1) == 2
    assert deaf.sums.unknown == 3


def test_where_events_are_heard_they_are_asked_before_a_person_and_permit_no_resend(deaf: Deaf):
    deaf.settling = desk_of(deaf.house, deaf.logs, hears=True)
    assert deaf.look(minutes=14) == 0
    assert deaf.logs.asked == []  # an event is the better evidence, and may still come

    deaf.logs.shown = {"attempt-2"}
    assert deaf.look(hours=2) == 0
    assert len(deaf.logs.asked) == 1
    assert deaf.sums.unknown == 3

    deaf.logs.shown = {"attempt-1"}
    assert deaf.look(hours=2) == 1
    assert deaf.sums.unknown == 0


def test_events_heard_once_permit_nothing_where_none_is_heard_now(deaf: Deaf):
    with deaf.house.engine.begin() as connection:
        connection.execute(text("UPDATE delivery SET state = 30 WHERE batch_id > 1"))
    deaf.settling.listen()
    deaf.house.clock.pass_time(hours=2)
    assert deaf.settling.by_silence() == 0


def test_operators_are_told_once_the_logs_had_their_time(deaf: Deaf):
    assert deaf.settling.patience == HOUR
    asked = partial(unknown_issues, deaf.house.engine)
    assert asked(deaf.house.clock.now() - deaf.settling.patience) == ()
    deaf.house.clock.pass_time(hours=1, seconds=1)
    assert asked(deaf.house.clock.now() - deaf.settling.patience) == (("technology", TODAY),)


def test_it_can_be_said_how_unknown_batches_are_settled(deaf: Deaf):
    assert deaf.settling.means() == Means(evidence=Evidence.LOGS)
    deaf.logs.trouble = "403: access forbidden"
    assert deaf.settling.means() == Means(evidence=Evidence.NONE, obstacle="403: access forbidden")
    hearing = desk_of(deaf.house, deaf.logs, hears=True)
    assert hearing.means() == Means(evidence=Evidence.EVENTS)


def test_a_lost_answer_is_found_in_the_stand_ins_logs(sending_desk, sandbox):  # noqa: F811
    sandbox.fail({"kind": "close_after_accept", "times": 1})
    sending_desk.run("issue", "send", "--wait")
    [batch] = sending_desk.done("batches", "list")
    assert (batch["next"], batch["evidence"]) == ("wait", "logs")
    said = sending_desk.run("batches", "list").out
    assert "Email Logs may still show it" in " ".join(said.split())
    [answer] = [one for one in sending_desk.done("check") if one["question"] == "unknowns"]
    assert "by SendGrid's Email Logs" in answer["sentence"]

    assert settle_by_logs(sending_desk) == 1
    assert sending_desk.done("batches", "list") == []
    assert len(sandbox.messages()) == 1


def settle_by_logs(at_desk) -> int:
    """Let the clock turn once, as `serve` does."""
    from contextlib import closing

    from newsletter.bootstrap import House
    from newsletter.settings import load_settings

    with closing(House(load_settings())) as house:
        assert [chore.name for chore in house._chores() if chore.name == "look up"]
        return house.settling.by_logs()


def test_check_says_why_only_a_person_can_settle(sending_desk):  # noqa: F811
    sending_desk.environment(SENDGRID_API_KEY="SG.wrong")
    said = sending_desk.run("check").out
    assert "by hand only" in said

    sending_desk.environment(SENDGRID_API_KEY="")
    assert "there is no key to ask Email Logs with" in " ".join(
        sending_desk.run("check").out.split()
    )


@pytest.mark.parametrize(
    "pace, fine, told",
    [
        ("per_minute = 1", True, "2 readers can be written to while an issue is fresh"),
        ("per_day = 1", False, "1 of 2 readers can be written to while an issue is fresh"),
        ('warm_up = { "2026-01-01" = 1 }', True, "the rest is left out, for the sake of the"),
    ],
)
def test_check_says_whether_the_list_fits_the_pace(sending_desk, pace, fine, told):  # noqa: F811
    path = sending_desk.config / "service.toml"
    name = pace.partition(" ")[0]
    lines = [pace if line.startswith(name) else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    said = json.loads(sending_desk.run("check", "--json").out)
    [answer] = [one for one in said if one["question"] == "pace"]
    assert (answer["fine"], told in answer["sentence"]) == (fine, True), answer
