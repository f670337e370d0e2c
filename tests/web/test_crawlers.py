"""What search engines may list is what anybody may read; nothing personal, and no form."""

from xml.etree import ElementTree as ET

import pytest

from tests.container import TODAY
from tests.settings import BASE_URL
from tests.web.conftest import choices_path, leave_path
from tests.web.test_issues import views

pytestmark = pytest.mark.postgres


def test_the_archive_may_be_listed_under_one_address(client, container):
    container.send_issue()
    for path in ("/", "/technology", f"/technology/{TODAY}"):
        page = client.get(path)
        assert page.headers["X-Robots-Tag"] == "all"
        assert "noindex" not in page.text
        assert page.headers["Cache-Control"] == "public, max-age=300"
        canonical = page.headers.get("Link", "") + page.text
        assert f"{BASE_URL}{path}" in canonical
        assert 'rel="canonical"' in canonical


def test_an_edition_is_listed_as_the_whole_issue(client, container):
    container.send_issue()
    for path in views(container).values():
        page = client.get(path)
        if path.count("/") > 2:
            assert page.headers["X-Robots-Tag"] == "noindex"
        assert page.headers["Link"] == f'<{BASE_URL}/technology/{TODAY}>; rel="canonical"'


def test_nothing_personal_is_listed_or_kept(client, reader):
    paths = [leave_path(reader), choices_path(reader), "/u/x", "/new-link", "/technology/subscribe"]
    for path in paths:
        page = client.get(path)
        assert page.headers["X-Robots-Tag"] == "noindex"
        assert page.headers["Cache-Control"] == "no-store"
        assert '<meta name="robots" content="noindex">' in page.text


def test_a_crawler_may_read_what_says_that_it_is_not_to_be_listed(client):
    robots = client.get("/robots.txt")
    assert robots.headers["Content-Type"].startswith("text/plain")
    assert f"Sitemap: {BASE_URL}/sitemap.xml" in robots.text
    assert not any(f"/{one}/" in robots.text for one in "upcak")


def test_the_sitemap_lists_what_is_out(client, container):
    container.publishing.assemble(container.newsletter, TODAY)
    issue = f"{BASE_URL}/technology/{TODAY}"
    assert issue not in client.get("/sitemap.xml").text
    container.send_issue()
    tree = ET.fromstring(client.get("/sitemap.xml").content)
    listed = [one.text for one in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert {f"{BASE_URL}/", f"{BASE_URL}/technology", issue} <= set(listed)


def test_a_slash_too_many_leads_to_the_page(client):
    for path in ("/technology", "/technology/subscribe"):
        answer = client.get(path + "/")
        assert (answer.status_code, answer.headers["Location"]) == (308, path)
    for path in ("//example.com/", "/%2Fexample.com/", "/astrology/"):
        assert client.get(path).status_code == 404
