"""The posts of a WordPress site by its REST API, page by page, the last changed first."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import httpx

from newsletter.adapters.sources.fetching import Document, FetchFailed, loaded_json
from newsletter.adapters.sources.items import PROTECTED, Get, Item, KindReader
from newsletter.adapters.values import at, listed, mapping, moment, text_at
from newsletter.core.source import PolledSource

_PER_PAGE = 50  #: posts; the API allows 100, and hosts with little memory dislike that
_MOST_PAGES = 20  #: a thousand posts changed within days: a bulk edit
_ASKED_AT_ONCE = 100  #: ids in one request, the most that the API answers
_PUBLIC = ("publish", "")  #: "" where a site leaves the status out


def first_page(source: PolledSource, since: datetime) -> str:
    """Return the address of the posts changed since the beginning of that day.

    The day, not the moment: an unchanged address can be answered with 304.
    """
    day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    asked = {
        "per_page": str(_PER_PAGE),
        "orderby": "modified",
        "order": "desc",
        "modified_after": day.isoformat(),  # WordPress 5.7
        "_embed": "wp:term",
    }
    if source.categories:
        asked["categories"] = ",".join(map(str, source.categories))
    return str(_collection(source.url).copy_merge_params(asked))


def read_pages(first: Document, address: str, get: Get) -> Iterator[Item]:
    """Yield the posts of the first page and of those that follow it."""
    if _pages(first) > _MOST_PAGES:
        address = _published_since(address)
        first = get(address)
    document = first
    for number in range(1, _MOST_PAGES + 1):
        yield from map(_item, _posts(document))
        if number >= min(_pages(first), _MOST_PAGES):
            return
        document = get(str(httpx.URL(address).copy_merge_params({"page": str(number + 1)})))


def _published_since(address: str) -> str:
    """Return the address of the newest posts instead: old ones changed all at once are no news."""
    url = httpx.URL(address)
    since = url.params["modified_after"]
    return str(
        url.copy_remove_param("modified_after").copy_merge_params(
            {"orderby": "date", "after": since}
        )
    )


def still_shown(address: str, ids: Sequence[str], get: Get) -> set[str]:
    """Return which of these posts the site still shows; a trashed one is in no list."""
    url = httpx.URL(address)
    for name in ("modified_after", "orderby", "order", "_embed", "categories"):
        url = url.copy_remove_param(name)
    numbers = [one for one in ids if one.isascii() and one.isdigit()]
    shown: set[str] = set()
    for start in range(0, len(numbers), _ASKED_AT_ONCE):
        part = numbers[start : start + _ASKED_AT_ONCE]
        asked = {"include": ",".join(part), "per_page": str(_ASKED_AT_ONCE)}
        posts = _posts(get(str(url.copy_merge_params(asked))))
        shown |= {text_at(post, "id") for post in posts if not _withheld(post)}
    return shown & set(numbers)


def _collection(url: str) -> httpx.URL:
    """Return the collection's address: as configured, or the posts of the site configured."""
    address = httpx.URL(url)
    if "/wp-json/" in address.path or "rest_route" in address.params:
        return address
    return address.copy_with(path=f"{address.path.rstrip('/')}/wp-json/wp/v2/posts")


def _posts(document: Document) -> list[Mapping[str, object]]:
    posts = loaded_json(document.body.decode("utf-8-sig", "replace"))
    if isinstance(posts, list):
        return [mapping(post) for post in cast("list[object]", posts)]
    raise FetchFailed("it is no list of WordPress posts")


def _pages(document: Document) -> int:
    """Return the number of pages from the API's header; one without it."""
    total = document.headers.get("x-wp-totalpages", "")
    return int(total) if re.fullmatch("[0-9]{1,6}", total) else 1


def _item(post: Mapping[str, object]) -> Item:
    return Item(
        id=text_at(post, "id"),
        withheld=_withheld(post),
        title=text_at(post, "title", "rendered"),
        summary=text_at(post, "excerpt", "rendered"),
        content=text_at(post, "content", "rendered"),
        published=text_at(post, "date_gmt"),
        changed=moment(text_at(post, "modified_gmt")) or moment(text_at(post, "date_gmt")),
        link=text_at(post, "link"),
        fields={**post, "categories": _terms(post, "category"), "tags": _terms(post, "post_tag")},
    )


def _withheld(post: Mapping[str, object]) -> str:
    """Return why the site does not show this post to everybody; empty if it does."""
    if at(post, "content", "protected") is True or at(post, "excerpt", "protected") is True:
        return PROTECTED
    status = text_at(post, "status")
    return "" if status in _PUBLIC else f"its status is {status:.20}: it is not published"


def _terms(post: Mapping[str, object], taxonomy: str) -> list[str]:
    """Return the slugs of a post's terms, which `_embed=wp:term` adds to it."""
    groups = listed(at(post, "_embedded", "wp:term"))
    terms = [term for group in groups for term in listed(group)]
    slugs = (text_at(term, "slug") for term in terms if text_at(term, "taxonomy") == taxonomy)
    return [slug for slug in slugs if slug != "uncategorized"]  # WordPress's own word for none


WORDPRESS = KindReader(
    address=first_page,
    items=read_pages,
    paths=("acf.{}", "meta.{}"),
    more_paths={"topics": ("categories",)},
    still_shown=still_shown,
)
