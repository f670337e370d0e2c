"""The own page of each story that was printed."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.core.printed_story import PrintedStory, StoryState
from newsletter.core.publication import Newsletter
from newsletter.web.conditional import conditional
from newsletter.web.dependencies import NamedNewsletter, Services, WebServices
from newsletter.web.headers import PUBLIC, showing
from newsletter.web.pages import READ

#: A brief's number, and words of its headline, which may be wrong or missing.
StoryName = Annotated[str, Path(pattern=r"^[1-9][0-9]{0,17}(-.*)?$", max_length=400)]

router = APIRouter(default_response_class=HTMLResponse)


@router.api_route("/{slug}/briefs/{story}", methods=READ)
def story_page(
    newsletter: NamedNewsletter, story: StoryName, request: Request, services: Services
) -> Response:
    """Show a story that was printed, with its corrections; its number finds it by any words."""
    found = services.public_pages.story(newsletter, int(story.partition("-")[0]))
    if request.scope["path"] != found.path:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(found.path + query, status_code=301, headers=_CACHED)
    body = services.pages.text("story", **_shown(services, newsletter, found)).encode()
    headers = _headers(services, found)
    return conditional(request, body, "text/html; charset=utf-8", found.changed_at, headers)


_CACHED = {"Cache-Control": PUBLIC["Cache-Control"]}


def _headers(services: WebServices, story: PrintedStory) -> dict[str, str]:
    listed = story.state is not StoryState.WITHDRAWN
    pictures = [story.picture.url] if listed and story.picture else []
    return {
        **showing(pictures),
        "Link": f'<{services.public_url}{story.path}>; rel="canonical"',
        "X-Robots-Tag": PUBLIC["X-Robots-Tag"] if listed else "noindex",
    }


def _shown(services: WebServices, newsletter: Newsletter, story: PrintedStory) -> dict[str, Any]:
    home = services.newsletters[newsletter.readers.newsletter]
    return {
        "story": story,
        "newsletter": home,
        "newsletters": services.newsletters,
        "state": story.state.value,
        "url": services.public_url + story.path,
        "description": re.sub(r"\s+", " ", story.text),
        "about": dict(_about(services, home, story)),
    }


def _about(
    services: WebServices, newsletter: Newsletter, story: PrintedStory
) -> Iterator[tuple[str, object]]:
    """Yield what search engines are told of a story, by the names of schema.org."""
    yield "@context", "https://schema.org"
    yield "@type", "NewsArticle"
    yield "url", services.public_url + story.path
    yield "headline", story.title
    yield "description", story.text
    yield "inLanguage", newsletter.language
    yield "datePublished", story.printings[0].planned_at.isoformat()
    yield "dateModified", story.changed_at.isoformat()
    yield "publisher", {"@type": "Organization", "name": newsletter.sender.name}
    yield "author", {"@type": "Organization", "name": newsletter.sender.name}
    if story.source_url:
        yield (
            "isBasedOn",
            {"@type": "CreativeWork", "url": story.source_url, "publisher": story.source},
        )
    if story.picture:
        yield "image", story.picture.url
    if story.corrections:
        yield "correction", [_corrected(one.on.isoformat(), one.text) for one in story.corrections]


def _corrected(on: str, text: str) -> dict[str, str]:
    return {"@type": "CorrectionComment", "datePublished": on, "text": text}
