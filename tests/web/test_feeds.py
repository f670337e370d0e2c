"""The archive as feeds: valid, the same for everybody, and not fetched twice."""

from datetime import UTC, datetime

import feedparser
import pytest

from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.web.public.feed_formats import ArchiveFeed, FeedItem, FeedSite, json_feed, rss
from tests.container import TODAY, brief
from tests.settings import BASE_URL

pytestmark = pytest.mark.postgres

RSS, JSON = "/technology/feed.xml", "/technology/feed.json"


def test_a_feed_reader_finds_the_issues_by_the_archive(client, container):
    container.send_issue()
    archive = client.get("/technology").text
    for path in (RSS, JSON, "/technology/topics/chips/feed.xml"):
        assert f'href="{path}"' in archive

    feed = feedparser.parse(client.get(RSS).content)

    assert not feed.bozo
    assert (feed.version, feed.feed.link) == ("rss20", f"{BASE_URL}/technology")
    [item] = feed.entries
    assert item.link == item.id == f"{BASE_URL}/technology/{TODAY}"
    assert item.title == "A foundry halves the water it needs for a wafer"
    assert item.published_parsed
    assert "A court asks for reasons" in item.summary
    assert "Example Wire" in item.summary


def test_a_topics_feed_has_its_stories_only(client, container):
    container.send_issue()
    [item] = feedparser.parse(client.get("/technology/topics/policy/feed.xml").content).entries
    assert item.title == "A court asks for reasons behind an automated refusal"
    assert "foundry" not in item.summary
    assert (
        feedparser.parse(client.get("/technology/topics/robotics/feed.xml").content).entries == []
    )
    for missing in ("/technology/topics/astrology/feed.xml", "/astrology/feed.json"):
        assert client.get(missing).status_code == 404


def test_the_json_feed_has_what_its_version_asks_for(client, container):
    container.send_issue()
    for path in (JSON, "/technology/topics/chips/feed.json"):
        response = client.get(path)
        feed = response.json()
        assert response.headers["Content-Type"] == "application/feed+json"
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed["feed_url"] == BASE_URL + path
        assert feed["home_page_url"] == f"{BASE_URL}/technology"
        assert {type(author["name"]) for author in feed["authors"]} == {str}
        [item] = feed["items"]
        assert {"id", "url", "title", "content_html", "date_published"} == item.keys()
        assert datetime.fromisoformat(item["date_published"]).tzinfo


def test_nothing_is_sent_twice_to_who_has_it(client, container):
    container.send_issue()
    for path in (RSS, JSON):
        first = client.get(path)
        assert first.headers["Cache-Control"] == "public, max-age=300"
        tag, changed = first.headers["ETag"], first.headers["Last-Modified"]
        same = [
            {"If-None-Match": tag},
            {"If-None-Match": f'"other", W/{tag}'},
            {"If-Modified-Since": changed},
        ]
        other = [
            {"If-None-Match": '"other"', "If-Modified-Since": changed},  # the tag decides
            {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
            {"If-Modified-Since": "some day\x7f"},
        ]
        got = [client.ask("GET", path, headers=one).status_code for one in same + other]
        assert got == [304] * 3 + [200] * 3
        assert client.ask("HEAD", path).headers["ETag"] == tag


def test_a_story_of_strangers_breaks_no_feed():
    odd = "Ranges <b>&amp; \x0b end ]]> in \u4e2d\u6587 \U0001f600 \ufffe"
    entry = IssueEntry(brief_id=1, revision=1, brief=brief(title=odd), topics=("chips",))
    issue = Issue(newsletter="technology", date=TODAY, number=1, entries=(entry,))
    now = datetime(2026, 11, 23, tzinfo=UTC)
    stored = StoredIssue(
        id=1, issue=issue, state=IssueStatus.SENT, galley=None, content_hash=None, planned_at=now
    )
    item = FeedItem.of(stored, FeedSite(url=BASE_URL, newsletter="technology"))
    assert item
    feed = ArchiveFeed(
        title="Odd", description="", home=BASE_URL, url=BASE_URL, author="", items=(item,)
    )

    read = feedparser.parse(rss(feed))

    assert not read.bozo
    assert "\x0b" not in read.entries[0].title
    assert "<b>&amp;amp;" not in json_feed(feed).decode()
    assert "&lt;b&gt;&amp;amp;" in item.html
