"""The form of a brief has every field of a brief's file, and the gate answers for each."""

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from newsletter.core.brief import Picture
from tests.container import TestContainer
from tests.web.console.serving import GRANTS, OURS, OWN_SLUG, ConsoleClient, give_session, sign_in

pytestmark = pytest.mark.postgres

BRIEFS = f"/{OWN_SLUG}/briefs"
MORE = {
    "short": "Boats are heard",
    "line": "Microphones under the quay tell engines apart.",
    "unconfirmed": "How many boats there are.",
    "picture": "https://example.org/quay.jpg",
    "picture_alt": "A quay with five boats in the morning",
    "picture_width": "1200",
}
FIELDS = {
    "title": "A harbour counts its boats by sound",
    "summary": "Microphones under the quay tell sixty kinds of engines apart, day and night.",
    "source_name": "Example Wire",
    "source_url": "https://example.org/boats",
    "topics": "robotics",
}
LABEL = {"verification": "partial", "minutes": "2"}


def test_every_field_is_written_shown_and_mended(
    container: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    editor = members["edit"]
    led = editor.post(f"{BRIEFS}/new", **FIELDS, **LABEL, **MORE).headers["location"]
    brief = container.briefs.get(int(led.rsplit("/", 1)[1])).brief
    assert (brief.short, brief.line, brief.unconfirmed) == tuple(MORE.values())[:3]
    assert brief.picture == Picture(
        url=MORE["picture"], alt=MORE["picture_alt"], width=int(MORE["picture_width"])
    )
    shown = editor.get(led).text
    assert all(text in shown for text in MORE.values())
    assert re.search(r'<details class="field" open>', shown)
    mended = MORE | {"short": "Boats are counted", "picture_width": "900"}
    editor.post(led, **FIELDS, **mended, revision="1")
    words = re.sub(r"<[^>]*>", " ", editor.get(led).text.partition('id="revisions"')[2])
    assert "short line Boats are heard counted" in " ".join(words.split())
    assert "picture width 1200 900" in " ".join(words.split())
    editor.post(led, **FIELDS, revision="2")
    emptied = container.briefs.get(brief_id := int(led.rsplit("/", 1)[1])).brief
    assert (emptied.short, emptied.picture, brief_id) == ("", Picture(), brief_id)


def test_the_gate_answers_for_them_as_one_types(members: dict[str, ConsoleClient]) -> None:
    typed = FIELDS | LABEL | {"short": "x" * 61, "picture": "http://example.org/quay.jpg"}
    answer = members["edit"].ask(
        "POST", f"{BRIEFS}/new", data=typed, headers=OURS | {"HX-Request": "true"}
    )
    assert "Its short line has 61 characters; 60 fit." in answer.text
    assert "its address does not begin with https://" in answer.text


def test_the_gate_answers_while_one_mends_and_the_focus_stays(
    container: TestContainer, context: BrowserContext, served_console: str
) -> None:
    give_session(context, served_console, sign_in(container, "ada@example.org", *GRANTS["own"]))
    page = context.new_page()
    page.goto(f"{served_console}{BRIEFS}/new")
    page.get_by_label("Title").press_sequentially("A harbour counts its boats")
    expect(page.locator("#answer")).to_contain_text("The title has 26 characters.")
    expect(page.get_by_label("Title")).to_be_focused()  # though the summary is still to come
    page.goto(f"{served_console}{BRIEFS}/1")
    page.get_by_label("Short subject line").press_sequentially("x" * 61)
    expect(page.locator("#answer")).to_contain_text("Its short line has 61 characters; 60 fit.")
    expect(page.get_by_label("Short subject line")).to_be_focused()
    assert container.briefs.get(1).revision == 1


def test_what_is_rarely_used_is_closed(members: dict[str, ConsoleClient]) -> None:
    assert '<details class="field"><summary>' in members["edit"].get(f"{BRIEFS}/new").text
