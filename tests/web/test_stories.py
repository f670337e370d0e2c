"""Each printed story has a page of its own; what is not out has none."""

import json
import re

import pytest
from sqlalchemy import event

from newsletter.core.brief import Picture, Verification
from tests.container import TODAY, brief
from tests.settings import BASE_URL

pytestmark = pytest.mark.postgres

WORDS = "a-foundry-halves-the-water-it-needs-for-a-wafer"
STORY = f"/technology/briefs/1-{WORDS}"
ISSUE = f"/technology/{TODAY}"
THIRD = f"It saves a third, not a half. {'So it is. ' * 5}"


def test_a_printed_story_has_a_page_that_says_what_was_printed_and_where(client, container):
    container.send_issue()
    page = client.get(STORY)

    assert page.status_code == 200
    for said in (
        '<h1 dir="auto">A foundry halves the water it needs for a wafer</h1>',
        "What happened around chips today",
        "Verified</b>",
        "23 November 2026",
        "https://example.org/a-foundry-halves",
        "Example Wire",
        f'<a href="{ISSUE}">',
        "No. 1",
    ):
        assert said in page.text, said
    assert "Corrected" not in page.text
    assert "-nl_" not in page.text


def test_nothing_is_found_that_no_issue_printed_that_is_out(client, container):
    container.receive("robotics")
    container.intake.hold(4, actor="ed")
    container.publishing.assemble(container.newsletter, TODAY)  # approved, and not out yet
    unknown = client.get("/technology/briefs/9999").text
    for path in (STORY, "/technology/briefs/1", "/technology-weekly/briefs/1"):
        draft = client.get(path)
        assert (draft.status_code, draft.text) == (404, unknown)
    container.send_issue()
    for path in (
        "/technology/briefs/4",
        "/technology/briefs/0",
        "/technology/briefs/01",
        "/technology/briefs/1x",
        "/technology/briefs/-1",
        "/technology/briefs/",
        "/technology/briefs",
        f"/technology/briefs/{'9' * 18}",
        f"/technology/briefs/{'9' * 30}",
        f"{STORY}/more",
        "/astrology/briefs/1",
    ):
        assert client.get(path).status_code == 404, path


def test_other_words_lead_to_the_right_ones_for_good(client, container):
    container.send_issue()
    for path in ("/technology/briefs/1", "/technology/briefs/1-wrong", "/technology/briefs/1-%0d"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (301, STORY)
    assert client.get("/technology-weekly/briefs/1-x").headers["Location"] == STORY
    marked = client.get("/technology/briefs/1-x?utm_source=a&b=1").headers["Location"]
    assert marked == f"{STORY}?utm_source=a&b=1"
    assert client.ask("HEAD", STORY).status_code == 200


def test_a_corrections_date_and_words_are_shown_and_the_address_stays(client, container):
    container.send_issue()
    container.intake.edit(1, {"summary": THIRD}, actor="ed")
    container.clock.pass_time(days=1)
    container.intake.edit(1, {"title": "A foundry saves a third of its water"}, actor="ed")

    page = client.get(STORY)
    assert page.status_code == 200
    assert "What happened around chips" in page.text  # as it was printed
    notes = re.findall(r'<p class="note".*?</p>', page.text, re.DOTALL)
    assert [bool("23 November" in one) for one in notes] == [True, False]
    assert "It saves a third" in notes[0]
    assert "24 November 2026" in notes[1]
    assert "The headline is now: A foundry saves a third of its water." in notes[1]


def test_a_text_that_was_never_accepted_is_shown_to_nobody(client, container):
    container.send_issue()
    container.intake.edit(1, {"summary": "Secret."}, actor="ed")
    page = client.get(STORY).text
    assert "Secret" not in page
    assert "a later version of this story waits to be checked" in page
    container.clock.pass_time(days=1)
    container.intake.edit(1, {"summary": THIRD}, actor="ed")
    page = client.get(STORY).text
    assert "Secret" not in page
    assert "waits to be checked" not in page
    assert 'Corrected on <time datetime="2026-11-24">' in page


def test_a_text_that_a_person_accepts_later_corrects_from_then_on(client, container):
    container.send_issue()
    container.intake.edit(1, {"summary": "It saves a third of the water."}, actor="ed")
    container.clock.pass_time(days=1)
    container.intake.accept(1, actor="ed")
    assert 'Corrected on <time datetime="2026-11-24">' in client.get(STORY).text
    assert "Corrected on 24 November 2026. It saves a third" in client.get(ISSUE).text


def withdraw_by_hold(container):
    container.intake.hold(1, actor="Ed Editor")


def withdraw_by_label(container):
    container.intake.receive(brief("chips", verification=Verification.UNVERIFIED))


@pytest.mark.parametrize("withdraw", [withdraw_by_hold, withdraw_by_label])
def test_a_story_that_is_held_after_print_is_withdrawn_everywhere(client, container, withdraw):
    container.send_issue()
    container.clock.pass_time(days=1)
    withdraw(container)

    page = client.get(STORY)
    assert page.status_code == 200
    assert 'Withdrawn on <time datetime="2026-11-24">24 November 2026</time>.' in page.text
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in page.text
    issue = client.get(ISSUE).text
    assert "“A foundry halves the water it needs for a wafer” was withdrawn on 24 November" in issue
    feeds = [client.get(f"/technology/feed.{one}").text for one in ("xml", "json")]
    for shown in (page.text, issue, *feeds):
        for gone in ("What happened around chips", "example.org/a-foundry", "Ed Editor"):
            assert gone not in shown
        assert "A court asks for reasons" in shown or shown is page.text
    assert STORY not in client.get("/technology/sitemap-2026-11.xml").text

    container.intake.edit(1, {"verification": Verification.VERIFIED, "why": "So."}, actor="ed")
    container.intake.accept(1, actor="ed")
    assert "What happened around chips" in client.get(STORY).text
    assert "What happened around chips" in client.get(ISSUE).text


def test_an_issue_on_the_web_leads_to_the_page_of_each_story_and_a_letter_does_not(
    client, container
):
    container.send_issue()
    found = re.findall(r'href="(/technology/briefs/[^"]+)"', client.get(ISSUE).text)
    assert len(found) == 3
    assert STORY in found
    assert {client.get(one).status_code for one in found} == {200}
    assert [asked for asked in container.mailer.asked if "/briefs/" in asked[1].html] == []


def test_a_feed_leads_to_each_storys_page_and_its_items_stay_who_they_were(client, container):
    container.send_issue()
    [item] = client.get("/technology/feed.json").json()["items"]
    assert item["id"] == item["url"] == BASE_URL + ISSUE
    assert f'<a href="{BASE_URL}{STORY}">' in item["content_html"]


def test_nothing_is_sent_twice_and_what_changed_is_sent_anew(client, container):
    container.send_issue()
    first = client.get(STORY)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert first.headers["X-Robots-Tag"] == "all"
    assert first.headers["Link"] == f'<{BASE_URL}{STORY}>; rel="canonical"'
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.ask("GET", STORY, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert client.ask("GET", STORY, headers=since).status_code == 304
    container.clock.pass_time(minutes=1)
    container.intake.hold(1, actor="ed")
    for headers in (known, since):
        assert client.ask("GET", STORY, headers=headers).status_code == 200


def test_search_engines_read_what_the_page_says(client, container):
    container.send_issue()
    container.intake.edit(1, {"summary": f"</script><b>{THIRD}"}, actor="ed")
    page = client.get(STORY).text
    [script] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    data = json.loads(script)
    assert data["@type"] == "NewsArticle"
    assert data["headline"] == "A foundry halves the water it needs for a wafer"
    assert data["url"] == BASE_URL + STORY
    assert data["isBasedOn"]["url"].startswith("https://example.org/")
    assert data["correction"][0]["datePublished"] == "2026-11-23"
    assert f'<meta property="og:url" content="{BASE_URL}{STORY}">' in page


def test_a_picture_is_let_in_from_its_own_host_only(client, container):
    shown = Picture(url="https://img.example.org/a.png", alt="A hall of machines", width=800)
    container.intake.receive(brief("chips", picture=shown))
    container.send_issue()
    for path in (STORY, ISSUE):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "img-src 'self' data: https://img.example.org;" in policy
    plain = client.get("/technology/briefs/2")
    other = client.get(plain.headers["Location"]).headers["Content-Security-Policy"]
    assert "img-src 'self' data:;" in other


def test_a_page_of_stories_asks_as_often_for_many_as_for_one(client, container, services):
    def statements(path):
        asked = []
        engine = services.public_pages.stories._engine

        def count(*given):
            asked.append(given[2])

        event.listen(engine, "before_cursor_execute", count)
        try:
            assert client.get(path).status_code == 200
        finally:
            event.remove(engine, "before_cursor_execute", count)
        return len(asked)

    container.send_issue()
    paths = ("/technology", "/technology/feed.xml", ISSUE, STORY)
    before = [statements(path) for path in paths]
    for day in range(1, 3):
        container.clock.pass_time(days=day)
        container.intake.receive(brief("robotics", title=f"Robots wait for people, day {day}"))
        container.planning.hand_over(container.newsletter, container.clock.now().date())
    assert client.get("/technology").text.count("No. ") == 3
    assert [statements(path) for path in paths] == before
