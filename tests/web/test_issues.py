"""What anyone may read: issues that are out, without a trace of whom they were sent to."""

from urllib.parse import urlsplit

import pytest

from tests.container import TODAY, TestContainer
from tests.settings import BASE_URL
from tests.web.conftest import OTHER, READER

pytestmark = pytest.mark.postgres

ISSUE = f"/technology/{TODAY}"


def test_the_front_page_names_every_newsletter(client):
    page = client.get("/").text

    assert '<a href="/technology">Technology Daily</a>' in page
    assert "Verified AI intelligence, daily." in page


def test_a_digests_pages_say_how_one_gets_it(client, container):
    [digest] = [one for one in container.settings.newsletters.values() if one.week_of]
    way = '<a href="/technology/subscribe">subscribe and choose “Weekly”</a>'
    assert way in client.get(f"/{digest.slug}").text
    assert client.get("/").text.count(way) == 1
    assert way not in client.get("/technology").text


def test_a_draft_is_nobodys_business(client, container):
    container.publishing.assemble(container.newsletter, TODAY)  # approved, and not out yet

    assert "No issue has been sent yet." in client.get("/technology").text
    assert client.get(ISSUE).status_code == 404


def test_an_issue_that_is_out_stands_in_the_archive(client, container):
    container.send_issue()

    archive = client.get("/technology").text
    assert f'<a href="{ISSUE}">A foundry halves the water it needs for a wafer</a>' in archive
    assert 'No. 1 · <time datetime="2026-11-23">23 November 2026</time> · 3 stories' in archive
    assert client.get(ISSUE).status_code == 200


def test_a_page_that_did_not_change_is_not_sent_again(client, container):
    container.send_issue()
    paths = ["/", "/technology", ISSUE, *views(container).values()]
    for path in paths:
        first = client.get(path)
        again = client.ask("GET", path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("Cache-Control", "X-Robots-Tag"):
            assert again.headers[name] == first.headers[name]
    known = {"If-None-Match": client.get(ISSUE).headers["ETag"]}
    container.intake.hold(1, actor="test")  # withdrawn
    assert client.ask("GET", ISSUE, headers=known).status_code == 200


def test_one_story_is_not_called_stories(client, container):
    for brief_id in (2, 3):
        container.intake.hold(brief_id, actor="test")
    container.send_issue()

    assert "· 1 story<" in client.get("/technology").text


def test_the_public_view_names_no_recipient_and_holds_no_tag(client, container):
    container.send_issue()
    pages = [client.get(path).text for path in (ISSUE, *views(container).values())]

    for page in pages:
        assert "A foundry halves the water" in page
        for private in ("-nl_", READER, OTHER, "/u/", "/p/", "You receive this letter", "[["):
            assert private not in page
    assert len(set(pages)) == 2  # who chose everything reads the whole issue


def test_a_letter_links_to_the_view_of_its_own_edition(client, container):
    container.send_issue()
    views_by_reader = views(container)

    assert "A court asks for reasons" not in client.get(views_by_reader[READER]).text
    assert "A court asks for reasons" in client.get(views_by_reader[OTHER]).text


def views(container: TestContainer) -> dict[str, str]:
    """Return the path of each reader's web view, as it is in the letter's text."""
    found = {}
    for _, letter, claim in container.mailer.asked:
        lines = letter.text.splitlines()
        url = lines[lines.index("Read on the web:") + 1]
        assert url.startswith(BASE_URL)
        found |= dict.fromkeys((one.email for one in claim.recipients), urlsplit(url).path)
    return found


def test_what_there_is_not_is_not_found(client, container):
    container.send_issue()
    key = views(container)[READER].rpartition("/")[2]
    missing = [
        "/astrology",
        f"/astrology/{TODAY}",
        "/technology/2026-11-22",
        "/technology/2026-13-45",
        "/technology/yesterday",
        "/technology/99999999999999999999",
        "/technology/0001-01-01",
        f"{ISSUE}/",
        f"{ISSUE}/{key[:-1]}",
        f"{ISSUE}/{key.upper()}",
        f"{ISSUE}/{'0' * 16}",
        f"{ISSUE}/%00",
        f"/technology/2026-11-22/{key}",
        f"{ISSUE}/{key}/more",
        "/%00",
        "/..%2f..%2fetc",
    ]
    for path in missing:
        response = client.get(path)
        assert response.status_code == 404, path
        assert "There is nothing here." in response.text, path


def test_a_correction_stands_below_its_story_on_the_web_with_its_date(client, container):
    container.send_issue()
    before = {path: client.get(path).text for path in (ISSUE, *views(container).values())}
    container.intake.edit(
        1, {"summary": f"It saves a third, not a half. {'So it is. ' * 5}"}, actor="ed"
    )

    for path, page in before.items():
        assert "Corrected on" not in page
        assert "Corrected on 23 November 2026. It saves a third" in client.get(path).text


def test_a_revision_that_is_held_corrects_nothing(client, container):
    container.send_issue()
    container.intake.edit(1, {"summary": "Too short."}, actor="ed")

    assert "Corrected on" not in client.get(ISSUE).text
