"""What search engines may list is what anybody may read; nothing personal, and no form."""

from datetime import datetime
from xml.etree import ElementTree as ET

import pytest

from tests.container import TODAY
from tests.settings import BASE_URL
from tests.web.conftest import choices_path, leave_path
from tests.web.test_issues import views

pytestmark = pytest.mark.postgres

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


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


def listed(client, path: str) -> dict[str, datetime | None]:
    """Return the addresses of a map, each with the moment of its last change."""
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/xml")
    found = {}
    for one in ET.fromstring(answer.content):
        changed = one.findtext(f"{MAP}lastmod")
        found[one.findtext(f"{MAP}loc")] = datetime.fromisoformat(changed) if changed else None
    return found


def everything_listed(client) -> dict[str, datetime | None]:
    """Return what a crawler finds that follows the index."""
    found = dict[str, datetime | None]()
    for url in listed(client, "/sitemap.xml"):
        assert url.startswith(BASE_URL)
        found |= listed(client, url.removeprefix(BASE_URL))
    return found


def test_the_sitemap_lists_what_is_out(client, container):
    container.publishing.assemble(container.newsletter, TODAY)
    always = {f"{BASE_URL}/", f"{BASE_URL}/technology", f"{BASE_URL}/technology-weekly"}
    assert set(everything_listed(client)) == always
    container.send_issue()
    found = everything_listed(client)
    assert len(found) == len(always) + 1 + 3
    assert found[f"{BASE_URL}/technology/{TODAY}"] == container.clock.now().replace(microsecond=0)
    for url in found:
        assert client.get(url.removeprefix(BASE_URL)).status_code == 200, url


def test_a_month_is_as_new_as_what_was_changed_in_it_last(client, container):
    container.send_issue()
    index = listed(client, "/sitemap.xml")
    container.clock.pass_time(days=1)
    container.intake.edit(1, {"title": "A foundry saves a third of its water"}, actor="ed")
    now = container.clock.now().replace(microsecond=0)

    month = f"{BASE_URL}/technology/sitemap-2026-11.xml"
    assert index[month] < now == listed(client, "/sitemap.xml")[month]
    pages = listed(client, "/technology/sitemap-2026-11.xml")
    changed = [url.rpartition("/")[2] for url, at in pages.items() if at == now]
    assert changed == [str(TODAY), "1-a-foundry-halves-the-water-it-needs-for-a-wafer"]


def test_a_map_is_not_sent_twice_and_one_of_nothing_is_not_there(client, container):
    container.send_issue()
    for path in ("/sitemap.xml", "/sitemap-pages.xml", "/technology/sitemap-2026-11.xml"):
        known = {"If-None-Match": client.get(path).headers["ETag"]}
        assert client.ask("GET", path, headers=known).status_code == 304
    for name in ("2026-10", "2026-13", "0000-01", "9999-12", "now", "2026-11-01"):
        assert client.get(f"/technology/sitemap-{name}.xml").status_code == 404, name
    assert client.get("/astrology/sitemap-2026-11.xml").status_code == 404


def test_a_slash_too_many_leads_to_the_page(client):
    for path in ("/technology", "/technology/subscribe"):
        answer = client.get(path + "/")
        assert (answer.status_code, answer.headers["Location"]) == (308, path)
    for path in ("//example.com/", "/%2Fexample.com/", "/astrology/"):
        assert client.get(path).status_code == 404
