"""What the stores log of a day: an action and ids in each line, and nobody's address."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from newsletter.adapters.logs import configure_logging
from newsletter.core.brief import Verification
from newsletter.core.delivery import Refused, Remedy, Unknown
from newsletter.core.events import DeliveryEvent, EventKind
from tests.container import TestContainer, brief, open_container

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
def container(engine: Engine) -> TestContainer:
    return open_container(engine)


def lines(out: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def actions(out: io.StringIO) -> list[str]:
    return [line["action"] for line in lines(out)]


def test_a_day_is_logged_step_by_step(container: TestContainer, out: io.StringIO, tmp_path) -> None:
    container.receive("chips")
    container.intake.receive(brief("policy", verification=Verification.UNVERIFIED))
    container.subscribe(tmp_path, {f"reader-{n}@example.com": "" for n in range(4)})
    stored = container.send_issue()
    assert actions(out) == [
        "brief.accepted",
        "brief.rejected",
        "issue.assembled",
        "issue.approved",
        "issue.planned",
        "batch.accepted",
        "batch.accepted",
    ]
    last = lines(out)[-1]
    assert (last["issue"], last["level"], last["state"]) == (stored.id, "info", "accepted")
    assert {line["recipients"] for line in lines(out)[-2:]} == {3, 1}
    assert last["batch"]
    assert last["attempt"].startswith("attempt-")


def test_what_goes_wrong_is_a_warning_with_its_reason_and_no_address(
    container: TestContainer, out: io.StringIO, tmp_path
) -> None:
    container.receive("chips")
    container.subscribe(tmp_path, {f"reader-{n}@example.com": "" for n in range(4)})
    container.mailer.answers = [
        Unknown(reason="no answer about reader-1@example.com"),
        Refused(reason="401", remedy=Remedy.PAUSE),
    ]
    container.send_issue()
    warnings = [line for line in lines(out) if line["level"] == "warning"]
    assert [line["action"] for line in warnings] == [
        "batch.unknown",
        "batch.refused",
        "issue.paused",
    ]
    assert warnings[0]["event"] == "no answer about [address]"
    assert "@" not in out.getvalue()


def test_a_post_of_events_is_one_line(container: TestContainer, out: io.StringIO) -> None:
    event = DeliveryEvent(
        event_id="e",
        kind=EventKind.DELIVERED,
        delivery=None,
        attempt_id=None,
        installation_id=None,
        at=container.clock.now(),
        reason="",
        raw={"email": "reader@example.com"},
    )
    known = container.events.known_ids([event])
    container.events.record([event, event], known, container.clock.now())
    [line] = lines(out)
    assert (line["action"], line["new"], line["repeated"]) == ("events.recorded", 1, 1)


def test_a_verb_that_answers_a_person_prints_no_log(
    container: TestContainer, capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    container.receive("chips")
    container.subscribe(tmp_path, {"reader@example.com": ""})
    container.mailer.answers = [Unknown(reason="no answer")]
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []  # as it is in a process that set up no log
    container.send_issue()
    root.handlers = handlers
    assert capsys.readouterr().err == ""
