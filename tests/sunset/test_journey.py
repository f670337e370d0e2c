"""The question as it arrives, over real HTTP, and where its button leads."""

import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import Engine

from newsletter.sandbox.server import Sandbox, SandboxConfig
from tests.signing import Seal
from tests.signup.place import links, open_signups
from tests.sunset.place import DAY, NEWSLETTER, open_place
from tests.web.conftest import Client, make_app

pytestmark = pytest.mark.postgres

SILENT = "silent@example.com"


@pytest.mark.parametrize("answer", ["pauses", "keeps", "reads"])
def test_a_question_that_is_answered_before_it_leaves_does_not_leave(
    engine: Engine, tmp_path, answer: str
):
    with Sandbox(SandboxConfig(data=tmp_path / "sandbox")) as sandbox:
        desks = open_signups(engine, sandbox, NEWSLETTER)
        place = open_place(engine, desks.house)
        place.house.subscribe(tmp_path, {SILENT: ""})
        silent = place.reader(SILENT)
        place.joined(silent, 120)
        place.letters(silent, 5)
        place.go()
        match answer:
            case "pauses":
                until = place.now.date() + 30 * DAY
                place.house.subscriptions.pause(silent, until, now=place.now, actor="subscriber")
            case "keeps":
                place.sunsets.keep(silent.id, now=place.now)
            case _:
                place.engaged(silent, place.now.date())

        assert desks.deliver(SILENT) == []


def test_the_question_arrives_once_and_its_button_takes_the_pause_back(engine: Engine, tmp_path):
    with Sandbox(SandboxConfig(data=tmp_path / "sandbox")) as sandbox:
        desks = open_signups(engine, sandbox, NEWSLETTER)
        place = open_place(engine, desks.house)
        place.house.subscribe(tmp_path, {SILENT: ""})
        place.joined(place.reader(SILENT), 120)
        place.letters(place.reader(SILENT), 5)

        place.go()
        [letter] = desks.deliver(SILENT)
        assert letter["subject"] == "Do you still want Technology Daily?"
        button = links(letter)[0]
        place.house.clock.time += 14 * DAY
        assert place.go() == (0, 1)
        assert desks.mailable() == []
        assert len(desks.deliver(SILENT)) == 1

    app = make_app(place.house, Seal(), NEWSLETTER, sunsets=place.sunsets)
    with start_blocking_portal() as portal:
        assert "keeps coming to you" in Client(app, portal).post(button).text
    assert desks.mailable() == [SILENT]
    assert place.go() == (0, 0)
