"""What search engines ask for first: robots.txt, and the map of what anybody may read."""

from xml.etree.ElementTree import Element, SubElement, tostring  # it only writes

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from newsletter.web.dependencies import Services
from newsletter.web.headers import PUBLIC
from newsletter.web.pages import READ

_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_FOR_MACHINES = {"Cache-Control": PUBLIC["Cache-Control"]}

router = APIRouter()


@router.api_route("/robots.txt", methods=READ, response_class=PlainTextResponse)
def robots(services: Services) -> PlainTextResponse:
    """Let everything be read.

    A page that is not to be listed says so itself, and a crawler must be able to read that.
    """
    text = f"User-agent: *\nDisallow: /webhooks/\n\nSitemap: {services.public_url}/sitemap.xml\n"
    return PlainTextResponse(text, headers=_FOR_MACHINES)


@router.api_route("/sitemap.xml", methods=READ, response_class=Response)
def sitemap(services: Services) -> Response:
    """List the archives, and the issues that are out."""
    root = Element("urlset", xmlns=_SITEMAP)
    _add(root, services.public_url + "/")
    for slug in services.newsletters:
        _add(root, f"{services.public_url}/{slug}")
        for stored in services.publishing.issues.published(slug):
            out = stored.planned_at.date().isoformat() if stored.planned_at else ""
            _add(root, f"{services.public_url}/{slug}/{stored.issue.date}", out)
    body = tostring(root, "utf-8", xml_declaration=True)
    return Response(body, media_type="application/xml", headers=_FOR_MACHINES)


def _add(root: Element, url: str, changed: str = "") -> None:
    entry = SubElement(root, "url")
    SubElement(entry, "loc").text = url
    if changed:
        SubElement(entry, "lastmod").text = changed
