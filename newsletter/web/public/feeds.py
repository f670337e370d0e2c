"""The archive as a feed, for each newsletter and each topic: RSS 2.0 and JSON Feed 1.1."""

from fastapi import APIRouter, Request, Response

from newsletter.core.publication import Newsletter, Topic
from newsletter.web.conditional import conditional
from newsletter.web.dependencies import NamedNewsletter, Services, WebServices
from newsletter.web.pages import READ
from newsletter.web.public.feed_formats import ArchiveFeed, FeedItem, FeedSite, json_feed, rss

_ISSUES = 30  #: in a feed
_FORMATS = {
    "feed.xml": (rss, "application/rss+xml"),
    "feed.json": (json_feed, "application/feed+json"),
}

router = APIRouter()


@router.api_route("/{slug}/feed.xml", methods=READ, response_class=Response)
def issues_as_rss(newsletter: NamedNewsletter, request: Request, services: Services) -> Response:
    """Return the newest issues as RSS."""
    return _answer(request, services, newsletter, None, "feed.xml")


@router.api_route("/{slug}/feed.json", methods=READ, response_class=Response)
def issues_as_json(newsletter: NamedNewsletter, request: Request, services: Services) -> Response:
    """Return the newest issues as a JSON Feed."""
    return _answer(request, services, newsletter, None, "feed.json")


@router.api_route("/{slug}/topics/{topic}/feed.xml", methods=READ, response_class=Response)
def topic_as_rss(
    newsletter: NamedNewsletter, topic: str, request: Request, services: Services
) -> Response:
    """Return the newest issues' stories on one topic as RSS."""
    return _answer(request, services, newsletter, newsletter.topic(topic), "feed.xml")


@router.api_route("/{slug}/topics/{topic}/feed.json", methods=READ, response_class=Response)
def topic_as_json(
    newsletter: NamedNewsletter, topic: str, request: Request, services: Services
) -> Response:
    """Return the newest issues' stories on one topic as a JSON Feed."""
    return _answer(request, services, newsletter, newsletter.topic(topic), "feed.json")


def _answer(
    request: Request,
    services: WebServices,
    newsletter: Newsletter,
    topic: Topic | None,
    name: str,
) -> Response:
    feed = _feed(services, newsletter, topic, name)
    write, media_type = _FORMATS[name]
    changed = max((one.published for one in feed.items), default=None)
    return conditional(request, write(feed), media_type, changed)


def _feed(
    services: WebServices, newsletter: Newsletter, topic: Topic | None, name: str
) -> ArchiveFeed:
    home = f"{services.public_url}/{newsletter.slug}"
    published = services.public_pages.published(newsletter, _ISSUES)
    site = FeedSite(
        url=services.public_url,
        newsletter=newsletter.readers.newsletter,
        withdrawn=services.public_pages.withdrawn(published),
    )
    items = (FeedItem.of(stored, site, topic.slug if topic else None) for stored in published)
    return ArchiveFeed(
        title=f"{newsletter.name}: {topic.title}" if topic else newsletter.name,
        description=topic.blurb if topic else newsletter.tagline,
        home=home,
        url=f"{home}/topics/{topic.slug}/{name}" if topic else f"{home}/{name}",
        author=newsletter.sender.name,
        items=tuple(one for one in items if one is not None),
    )
