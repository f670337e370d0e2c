"""Posts of a WordPress site become briefs, page by page, field by field."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from newsletter.adapters.sources.polling import HttpSourceReader
from newsletter.core.brief import Importance, Source, Verification
from newsletter.core.source import FieldDefaults, FieldMap
from newsletter.core.source_record import SourceReading, Unmodified, Validators
from tests.settings import TECHNOLOGY
from tests.sources import (
    NOW,
    SUMMARY,
    Canned,
    Site,
    ask,
    post,
    posts,
    read,
    trouble,
    wordpress,
)

PATH = "/wp-json/wp/v2/posts"


def asked(site: Site) -> list[dict[str, str]]:
    return [{k: v[0] for k, v in parse_qs(urlsplit(path).query).items()} for path, _ in site.asked]


def test_a_post_becomes_a_brief(site: Site, reader: HttpSourceReader) -> None:
    site.serve(PATH, posts(post()))
    [brief] = read(reader, wordpress(site.url)).briefs
    assert brief.key == "technology/hub/1"
    assert brief.title == "Foundry number 1 halves the water it needs"
    assert brief.summary == SUMMARY
    assert brief.body == ('It says <a href="https://e.example/">so</a>.',)
    assert (brief.verification, brief.importance) == (Verification.PARTIAL, Importance.HIGH)
    assert (brief.minutes, brief.why) == (4, "Water is scarce.")
    assert brief.source == Source(name="Example Wire", url="https://wire.example.org/1")
    assert (brief.topics, brief.pillar) == (("chips",), "Technology")
    assert brief.published == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_the_changed_posts_of_the_categories_are_asked_for_by_the_day(
    site: Site, reader: HttpSourceReader
) -> None:
    site.serve(PATH, posts())
    read(reader, wordpress(f"{site.url}/", categories=(12, 13)), NOW)
    [query] = asked(site)
    assert query["modified_after"] == "2026-11-23T00:00:00"
    assert (query["categories"], query["orderby"]) == ("12,13", "modified")


def test_every_page_is_read(site: Site, reader: HttpSourceReader) -> None:
    for number in (1, 2, 3):
        pages = posts(post(number), post(number + 1))  # a post slid to the next page meanwhile
        site.serve(PATH, pages, headers={"X-WP-TotalPages": "3"})
        if number == 1:
            first = site.pages.pop(PATH)
    site.pages[PATH] = first
    reading = read(reader, wordpress(site.url))
    assert [query.get("page") for query in asked(site)] == [None, "2", "3"]
    assert ([b.key for b in reading.briefs], reading.refused) == (
        ["technology/hub/1", "technology/hub/2"],
        (),
    )


def test_a_first_page_that_has_not_changed_is_all_that_is_asked_for(
    site: Site, reader: HttpSourceReader
) -> None:
    site.serve(PATH, posts(post()), headers={"X-WP-TotalPages": "2", "ETag": '"1"'})
    source = wordpress(site.url)
    first = read(reader, source, NOW)
    site.asked.clear()
    assert ask(reader, source, first.validators, NOW + timedelta(hours=13)) == Unmodified()
    assert len(site.asked) == 1
    tomorrow = ask(reader, source, first.validators, NOW + timedelta(hours=14))
    assert isinstance(tomorrow, SourceReading), "another day's address was never answered for"


def test_a_page_that_fails_leaves_nothing_half_read(site: Site, reader: HttpSourceReader) -> None:
    source = wordpress(f"{site.url}/?rest_route=/wp/v2/posts")
    site.serve("/", posts(post()), headers={"X-WP-TotalPages": "2"})
    plain = site.answer

    def second_fails(handler: Any) -> None:
        if "page=2" in handler.path:
            site.pages = {}
        plain(handler)

    site.answer = second_fails  # type: ignore[method-assign]
    assert trouble(reader, source) == "127.0.0.1 answered 404"
    assert asked(site)[0]["rest_route"] == "/wp/v2/posts"


def test_after_a_bulk_edit_the_newest_posts_are_taken(site: Site, reader: HttpSourceReader) -> None:
    site.serve(PATH, posts(post()), headers={"X-WP-TotalPages": "999"})
    assert len(read(reader, wordpress(site.url), NOW - timedelta(hours=10)).briefs) == 1
    changed, *published = asked(site)
    assert changed["modified_after"] == published[0]["after"] == "2026-11-23T00:00:00"
    assert {query["orderby"] for query in published} == {"date"}
    assert len(published) == 20, "and an endless number of pages ends"


@pytest.mark.parametrize(
    "hidden",
    [
        {"content": {"rendered": "", "protected": True}},
        {"status": "private"},
        {"content": {"rendered": '<form class="post-password-form" method="post"></form>'}},
    ],
)
def test_what_a_site_does_not_show_to_everybody_is_refused(
    site: Site, reader: HttpSourceReader, hidden: dict[str, Any]
) -> None:
    site.serve(PATH, posts(post(1, **hidden), post(2)))
    reading = read(reader, wordpress(site.url))
    assert [brief.key for brief in reading.briefs] == ["technology/hub/2"]
    assert [one.reason.split(":")[0] for one in reading.refused] in (
        ["it is protected by a password"],
        ["its status is private"],
    )
    assert reading.seen == {"technology/hub/2"}


def test_a_known_post_that_did_not_change_is_asked_for_by_its_id(
    site: Site, reader: HttpSourceReader
) -> None:
    def answer(handler: Any) -> None:
        included = "include=" in handler.path
        site.pages[PATH] = Canned(posts(post(2) if included else post(3)))
        plain(handler)

    plain, site.answer = site.answer, answer  # type: ignore[method-assign]
    known = [f"technology/hub/{number}" for number in (1, 2, 3)]
    reading = reader.read(TECHNOLOGY, wordpress(site.url), Validators(), NOW, known)
    assert isinstance(reading, SourceReading)
    assert reading.every
    assert reading.seen == {"technology/hub/2", "technology/hub/3"}
    assert asked(site)[-1] == {"include": "1,2", "per_page": "100"}


def test_another_collection_is_asked_where_it_is(site: Site, reader: HttpSourceReader) -> None:
    site.serve("/sub/wp-json/wp/v2/briefs", posts(post()))
    assert read(reader, wordpress(f"{site.url}/sub/wp-json/wp/v2/briefs")).briefs


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("Verified", Verification.VERIFIED),
        (["verified"], Verification.VERIFIED),
        ({"value": "verified", "label": "Checked twice"}, Verification.VERIFIED),
        ([{"value": "partial", "label": "In part"}], Verification.PARTIAL),
        (False, Verification.UNVERIFIED),
        (None, Verification.UNVERIFIED),
        ("", Verification.UNVERIFIED),
        ([], Verification.UNVERIFIED),
    ],
)
def test_a_label_is_read_however_the_form_wraps_it(
    site: Site, reader: HttpSourceReader, value: Any, label: Verification
) -> None:
    site.serve(PATH, posts(post(acf={"verification": value})))
    [brief] = read(reader, wordpress(site.url)).briefs
    assert brief.verification is label


def test_a_post_without_fields_has_no_source_and_is_unverified(
    site: Site, reader: HttpSourceReader
) -> None:
    site.serve(PATH, posts(post(acf=[], _embedded=None, categories=[])))  # as PHP says "nothing"
    [brief] = read(reader, wordpress(site.url)).briefs
    assert (brief.source, brief.topics) == (Source(), ())
    assert brief.verification is Verification.UNVERIFIED


def test_fields_defaults_and_topics_are_mapped_as_configured(
    site: Site, reader: HttpSourceReader
) -> None:
    source = wordpress(
        site.url,
        fields=FieldMap(verification="meta.status", source_url="link", why="acf.so_what"),
        defaults=FieldDefaults(source="Example Hub", minutes=2, topics=("policy",)),
        topics={"chips": "software"},
    )
    given = post(1, meta={"status": ["verified"]}, acf={"so_what": "<p>It &amp; that.</p>"})
    site.serve(PATH, posts(given, post(2, _embedded={}, meta={})))
    first, second = read(reader, source).briefs
    assert (first.verification, first.why) == (Verification.VERIFIED, "It & that.")
    assert first.source == Source(name="Example Hub", url="https://hub.example.com/1")
    assert (first.minutes, first.topics) == (2, ("software",))
    assert (second.verification, second.topics) == (Verification.UNVERIFIED, ("policy",))


def test_an_excerpt_cut_in_mid_sentence_is_not_printed(
    site: Site, reader: HttpSourceReader
) -> None:
    site.serve(PATH, posts(post(excerpt={"rendered": "<p>A plant reuses its [&hellip;]</p>"})))
    assert read(reader, wordpress(site.url)).briefs[0].summary == SUMMARY


def test_an_excerpt_that_is_the_text_itself_is_not_printed_twice(
    site: Site, reader: HttpSourceReader
) -> None:
    content = {"rendered": f"<p>{SUMMARY}</p><pre>x = 1</pre><ul><li>First</li></ul><p>Last.</p>"}
    excerpt = {"rendered": f"<p>{SUMMARY} First Last.</p>"}
    site.serve(PATH, posts(post(excerpt=excerpt, content=content)))
    [brief] = read(reader, wordpress(site.url)).briefs
    assert (brief.summary, brief.body[-2:]) == (SUMMARY, ("First", "Last."))


def test_a_malformed_post_is_refused_and_its_neighbours_are_taken(
    site: Site, reader: HttpSourceReader
) -> None:
    bad = [None, 7, post(2, title=None), post(3, acf={"importance": "huge"}), {"id": None}]
    site.serve(PATH, posts(post(1), *bad, post(9)))
    reading = read(reader, wordpress(site.url))
    assert [brief.key[-1] for brief in reading.briefs] == ["1", "2", "9"]
    assert [one.item.split()[1] for one in reading.refused] == ["2", "3", "5", "6"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"code": "rest_no_route"}', "it is no list of WordPress posts"),
        ("<html>Sorry</html>", "it is not JSON, or cut short"),
        ("[{", "it is not JSON, or cut short"),
    ],
)
def test_what_is_no_list_of_posts_is_named(
    site: Site, reader: HttpSourceReader, body: str, said: str
) -> None:
    site.serve(PATH, body)
    assert trouble(reader, wordpress(site.url)) == said
