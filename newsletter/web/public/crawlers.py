"""What search engines ask for first: robots.txt, and maps of what anybody may read.

The map is an index (sitemaps.org): one file of the pages that are always there, and one for each
newsletter and month, so that none grows with the years and old ones need not be fetched again.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Annotated
from xml.etree.ElementTree import Element, SubElement, tostring  # it only writes

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import PlainTextResponse

from newsletter.core.printed_story import story_path
from newsletter.core.publication import Newsletter
from newsletter.errors import NotFound
from newsletter.web.conditional import conditional
from newsletter.web.dependencies import NamedNewsletter, Services, WebServices
from newsletter.web.headers import PUBLIC
from newsletter.web.pages import READ

_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_FOR_MACHINES = {"Cache-Control": PUBLIC["Cache-Control"]}
_Page = tuple[str, datetime | None]  #: an address, and when its content changed last, if known

Month = Annotated[str, Path(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]

router = APIRouter()


@router.api_route("/robots.txt", methods=READ, response_class=PlainTextResponse)
def robots(services: Services) -> PlainTextResponse:
    """Let everything be read.

    A page that is not to be listed says so itself, and a crawler must be able to read that.
    """
    text = f"User-agent: *\nDisallow: /webhooks/\n\nSitemap: {services.public_url}/sitemap.xml\n"
    return PlainTextResponse(text, headers=_FOR_MACHINES)


@router.api_route("/sitemap.xml", methods=READ, response_class=Response)
def sitemap_index(request: Request, services: Services) -> Response:
    """List the maps: of the pages that are always there, and of each month with issues."""
    return _map(request, "sitemapindex", "sitemap", _maps(services))


@router.api_route("/sitemap-pages.xml", methods=READ, response_class=Response)
def sitemap_of_pages(request: Request, services: Services) -> Response:
    """List the front page and the archives."""
    paths = ["/", *(f"/{slug}" for slug in services.newsletters)]
    return _map(request, "urlset", "url", ((services.public_url + one, None) for one in paths))


@router.api_route("/{slug}/sitemap-{month}.xml", methods=READ, response_class=Response)
def sitemap_of_month(
    newsletter: NamedNewsletter, month: Month, request: Request, services: Services
) -> Response:
    """List the issues of a month that are out, and the stories that they printed."""
    pages = _pages_of(services, newsletter, _first_day(month))
    return _map(request, "urlset", "url", pages)


def _first_day(month: str) -> date:
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:  # the year 0000
        raise NotFound(f"there is no month {month}") from None


def _maps(services: WebServices) -> Iterator[_Page]:
    yield f"{services.public_url}/sitemap-pages.xml", None
    for newsletter in services.newsletters.values():
        for one in services.public_pages.months(newsletter):
            name = f"sitemap-{one.month:%Y-%m}.xml"
            yield f"{services.public_url}/{newsletter.slug}/{name}", one.changed


def _pages_of(services: WebServices, newsletter: Newsletter, month: date) -> Iterator[_Page]:
    site, slug = services.public_url, newsletter.slug
    for issue in services.public_pages.issues_of(newsletter, month):
        yield f"{site}/{slug}/{issue.date}", issue.changed
    for story in services.public_pages.stories_of(newsletter, month):
        yield site + story_path(slug, story.brief_id, story.title), story.changed


def _map(request: Request, kind: str, entry: str, pages: Iterable[_Page]) -> Response:
    root, newest = Element(kind, xmlns=_SITEMAP), list[datetime]()
    for url, changed in pages:
        found = SubElement(root, entry)
        SubElement(found, "loc").text = url
        if changed:
            newest.append(changed)
            at = changed.astimezone(UTC).isoformat(timespec="seconds")
            SubElement(found, "lastmod").text = at
    body = tostring(root, "utf-8", xml_declaration=True)
    return conditional(request, body, "application/xml", max(newest, default=None))
