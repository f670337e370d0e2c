"""The question as it arrives, over real HTTP, and where its button leads."""

import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import Engine

from newsletter.sandbox.server import Sandbox, SandboxConfig
from newsletter.web.app import create_app
from tests.subscribers.sunset.audience import DAY, NEWSLETTER, open_audience
from tests.web.conftest import Client
from tests.web.signup.helpers import links, open_signups

pytestmark = pytest.mark.postgres

INACTIVE = "inactive@example.com"


@pytest.mark.parametrize("answer", ["pauses", "keeps", "reads"])
def test_a_question_that_is_answered_before_it_leaves_does_not_leave(
    engine: Engine, tmp_path, answer: str
):
    with Sandbox(SandboxConfig(data=tmp_path / "sandbox")) as sandbox:
        signups = open_signups(engine, sandbox, NEWSLETTER)
        audience = open_audience(engine, signups)
        audience.container.subscribe(tmp_path, {INACTIVE: ""})
        inactive = audience.reader(INACTIVE)
        audience.joined(inactive, 120)
        audience.letters(inactive, 5)
        audience.ask_inactive()
        match answer:
            case "pauses":
                until = audience.now.date() + 30 * DAY
                audience.container.subscriptions.pause(
                    inactive, until, now=audience.now, actor="subscriber"
                )
            case "keeps":
                audience.container.sunsets.record_still_wanted(inactive.id, now=audience.now)
            case _:
                audience.engaged(inactive, audience.now.date())

        assert signups.deliver(INACTIVE) == []


def test_the_question_arrives_once_and_its_button_takes_the_pause_back(engine: Engine, tmp_path):
    with Sandbox(SandboxConfig(data=tmp_path / "sandbox")) as sandbox:
        signups = open_signups(engine, sandbox, NEWSLETTER)
        audience = open_audience(engine, signups)
        audience.container.subscribe(tmp_path, {INACTIVE: ""})
        audience.joined(audience.reader(INACTIVE), 120)
        audience.letters(audience.reader(INACTIVE), 5)

        audience.ask_inactive()
        [letter] = signups.deliver(INACTIVE)
        assert letter["subject"] == "Do you still want Technology Daily?"
        button = links(letter)[0]
        audience.container.clock.time += 14 * DAY
        assert audience.ask_inactive() == (0, 1)
        assert signups.mailable() == []
        assert len(signups.deliver(INACTIVE)) == 1

    app = create_app(audience.container.web_services)
    with start_blocking_portal() as portal:
        assert "keeps coming to you" in Client(app, portal).post(button).text
    assert signups.mailable() == [INACTIVE]
    assert audience.ask_inactive() == (0, 0)
