"""A feed of issues, and how RSS 2.0 and JSON Feed 1.1 write it."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Self
from xml.etree.ElementTree import Element, SubElement, tostring  # it only writes

from newsletter.core.issue import IssueEntry
from newsletter.core.printed_story import story_path
from newsletter.core.stored import StoredIssue

_ATOM = "http://www.w3.org/2005/Atom"
#: What XML 1.0 cannot hold, not even as a reference (section 2.2).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, kw_only=True)
class FeedSite:
    """The pages that a feed leads to."""

    url: str  #: the public address, without a slash at its end
    newsletter: str  #: slug of the newsletter whose stories have pages; not of its digest
    withdrawn: frozenset[int] = frozenset()  #: briefs that are not shown any more


@dataclass(frozen=True, kw_only=True)
class FeedItem:
    """An issue, or its stories on one topic."""

    url: str
    title: str
    html: str
    published: datetime

    @classmethod
    def of(cls, stored: StoredIssue, site: FeedSite, topic: str | None = None) -> Self | None:
        """Return what a feed says of an issue; None where it has nothing on the topic."""
        entries = [
            one
            for one in stored.issue.entries
            if (topic is None or topic in one.topics) and one.brief_id not in site.withdrawn
        ]
        if not entries or stored.planned_at is None:
            return None
        return cls(
            url=f"{site.url}/{stored.issue.newsletter}/{stored.issue.date}",
            title=_plain(entries[0].brief.title),
            html=f"<ul>{''.join(_story(one, site) for one in entries)}</ul>",
            published=stored.planned_at,
        )


@dataclass(frozen=True, kw_only=True)
class ArchiveFeed:
    """A feed of a newsletter's issues, the newest first."""

    title: str
    description: str
    home: str
    url: str  #: its own
    author: str
    items: tuple[FeedItem, ...]


def rss(feed: ArchiveFeed) -> bytes:
    root = Element("rss", {"version": "2.0", "xmlns:atom": _ATOM})
    channel = SubElement(root, "channel")
    _texts(channel, title=feed.title, link=feed.home, description=feed.description, language="en")
    own = {"href": feed.url, "rel": "self", "type": "application/rss+xml"}
    SubElement(channel, "atom:link", own)
    for one in feed.items:
        item = SubElement(channel, "item")
        at = format_datetime(one.published)
        _texts(item, title=one.title, link=one.url, guid=one.url, pubDate=at, description=one.html)
    return tostring(root, "utf-8", xml_declaration=True)


def json_feed(feed: ArchiveFeed) -> bytes:
    content = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.description,
        "home_page_url": feed.home,
        "feed_url": feed.url,
        "language": "en",
        "authors": [{"name": feed.author}],
        "items": [
            {
                "id": one.url,
                "url": one.url,
                "title": one.title,
                "content_html": one.html,
                "date_published": one.published.isoformat(),
            }
            for one in feed.items
        ],
    }
    return json.dumps(content, ensure_ascii=False).encode()


def _texts(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text


def _story(entry: IssueEntry, site: FeedSite) -> str:
    brief = entry.brief
    page = escape(site.url + story_path(site.newsletter, entry.brief_id, brief.title))
    label = "Verified" if brief.verification.value == "verified" else "Partly verified"
    title = f'<a href="{page}">{escape(_plain(brief.title))}</a>'
    source = f'<a href="{escape(brief.source.url)}">{escape(_plain(brief.source.name))}</a>'
    return f"<li><b>{title}</b><br>{escape(_plain(brief.summary))}<br>{label} · {source}</li>"


def _plain(text: str) -> str:
    return _NOT_XML.sub("", text)
