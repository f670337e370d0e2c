"""What the log tells of a day: an action and ids in each line, and nobody's address."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from newsletter.adapters.journal import (
    JournaledBriefs,
    JournaledDeliveries,
    JournaledEvents,
    JournaledIssues,
)
from newsletter.adapters.logs import configure_logging
from newsletter.core.brief import Verification
from newsletter.core.delivery import Refused, Remedy, Unknown
from newsletter.core.events import DeliveryEvent, EventKind
from tests.house import TestHouse, brief, open_house

pytestmark = pytest.mark.postgres


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure_logging(stream=(stream := io.StringIO()))
    yield stream
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture
def house(engine: Engine) -> TestHouse:
    """A house that keeps a journal."""
    made = open_house(engine)
    made.dispatch._deliveries = made.deliveries = JournaledDeliveries(engine)
    made.dispatch._issues = made.publishing._issues = made.issues = JournaledIssues(engine)
    made.publishing._briefs = made.intake._briefs = JournaledBriefs(engine)
    return made


def told(out: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def actions(out: io.StringIO) -> list[str]:
    return [line["action"] for line in told(out)]


def test_a_day_is_told_step_by_step(house: TestHouse, out: io.StringIO, tmp_path) -> None:
    house.receive("chips")
    house.intake.receive(brief("policy", verification=Verification.UNVERIFIED))
    house.subscribe(tmp_path, {f"reader-{n}@example.com": "" for n in range(4)})
    filed = house.post()
    assert actions(out) == [
        "brief.accepted",
        "brief.rejected",
        "issue.assembled",
        "issue.approved",
        "issue.planned",
        "batch.accepted",
        "batch.accepted",
    ]
    last = told(out)[-1]
    assert (last["issue"], last["level"], last["state"]) == (filed.id, "info", "accepted")
    assert {line["recipients"] for line in told(out)[-2:]} == {3, 1}
    assert last["batch"]
    assert last["attempt"].startswith("attempt-")


def test_what_goes_wrong_is_a_warning_with_its_reason_and_no_address(
    house: TestHouse, out: io.StringIO, tmp_path
) -> None:
    house.receive("chips")
    house.subscribe(tmp_path, {f"reader-{n}@example.com": "" for n in range(4)})
    house.mailer.answers = [
        Unknown(reason="silence about reader-1@example.com"),
        Refused(reason="401", remedy=Remedy.PAUSE),
    ]
    house.post()
    warnings = [line for line in told(out) if line["level"] == "warning"]
    assert [line["action"] for line in warnings] == [
        "batch.unknown",
        "batch.refused",
        "issue.paused",
    ]
    assert warnings[0]["event"] == "silence about [address]"
    assert "@" not in out.getvalue()


def test_a_post_of_events_is_one_line(house: TestHouse, out: io.StringIO) -> None:
    event = DeliveryEvent(
        event_id="e",
        kind=EventKind.DELIVERED,
        delivery_id=None,
        attempt_id=None,
        at=house.clock.now(),
        reason="",
        raw={"email": "reader@example.com"},
    )
    JournaledEvents(house.engine).keep([event, event], house.clock.now())
    [line] = told(out)
    assert (line["action"], line["new"], line["repeated"]) == ("events.kept", 1, 1)


def test_a_verb_that_answers_a_person_prints_no_log(
    house: TestHouse, capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    house.receive("chips")
    house.subscribe(tmp_path, {"reader@example.com": ""})
    house.mailer.answers = [Unknown(reason="silence")]
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []  # as it is in a process that set up no log
    house.post()
    root.handlers = handlers
    assert capsys.readouterr().err == ""
