"""RSS, Atom and JSON Feed become briefs; what is broken is said, and harms no neighbour."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.adapters.sources.polling import HttpSourceReader
from newsletter.core.brief import Importance, Source, Verification
from newsletter.core.source import FieldDefaults, FieldMap
from newsletter.core.source_record import SourceReading, Unmodified
from tests.sources import (
    NOW,
    SUMMARY,
    Site,
    ask,
    feed,
    gzipped,
    read,
    rss,
    rss_item,
    trouble,
)

ATOM = f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <title>Example Wire</title><id>urn:example:feed</id><updated>2026-11-23T09:00:00Z</updated>
  <entry>
    <id>urn:example:1</id><title type="html">Water &amp;amp; wafers: a foundry saves both</title>
    <link href="https://wire.example.org/1"/>
    <published>2026-11-23T07:00:00Z</published><updated>2026-11-23T09:00:00+01:00</updated>
    <summary>{SUMMARY}</summary>
    <content type="html">&lt;p&gt;It says &lt;a href="https://e.example/"&gt;so&lt;/a&gt;.&lt;/p&gt;
      &lt;script&gt;alert(1)&lt;/script&gt;&lt;figure&gt;Picture&lt;/figure&gt;</content>
    <category term="chips"/>
  </entry>
</feed>"""

JSON_FEED: dict[str, Any] = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "Example Wire",
    "items": [
        {
            "id": 17,
            "url": "https://wire.example.org/17",
            "title": "A foundry halves the water it needs",
            "content_text": f"{SUMMARY}\n\nIt costs < 5 % more.",
            "date_published": "2026-11-23T08:00:00+02:00",
            "tags": ["Semiconductors", "Water"],
            "_brief": {
                "verification": "partial",
                "importance": "H",
                "minutes": 4,
                "why": "Thirst.",
            },
        }
    ],
}


def test_an_rss_item_becomes_a_brief(site: Site, reader: HttpSourceReader) -> None:
    reading = read(reader, feed(site.serve("/rss", rss(rss_item()))))
    [brief] = reading.briefs
    assert (reading.refused, reading.older) == ((), 0)
    assert brief.key == "technology/wire/story-1"
    assert brief.title == "Foundry number 1 halves the water it needs"
    assert (brief.summary, brief.body) == (SUMMARY, ())
    assert brief.source == Source(name="Example Wire", url="https://wire.example.org/1")
    assert (brief.pillar, brief.topics) == ("Technology", ("chips",))
    assert brief.verification is Verification.VERIFIED
    assert brief.published == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_an_atom_entry_becomes_a_brief(site: Site, reader: HttpSourceReader) -> None:
    [brief] = read(reader, feed(site.serve("/atom", ATOM))).briefs
    assert brief.title == "Water & wafers: a foundry saves both"
    assert brief.summary == SUMMARY
    assert brief.body == ('It says <a href="https://e.example/">so</a>.',)
    assert brief.published == datetime(2026, 11, 23, 7, tzinfo=UTC)


def test_a_json_feed_item_becomes_a_brief(site: Site, reader: HttpSourceReader) -> None:
    url = site.serve("/feed.json", json.dumps(JSON_FEED))
    [brief] = read(reader, feed(url, topics={"semiconductors": "chips"})).briefs
    assert brief.key == "technology/wire/17"
    assert (brief.summary, brief.body) == (SUMMARY, ("It costs &lt; 5 % more.",))
    assert brief.source == Source(name="Example Wire", url="https://wire.example.org/17")
    assert (brief.verification, brief.importance) == (Verification.PARTIAL, Importance.HIGH)
    assert (brief.minutes, brief.why, brief.topics) == (4, "Thirst.", ("chips", "water"))


def test_nothing_is_verified_for_want_of_a_word(site: Site, reader: HttpSourceReader) -> None:
    source = feed(site.serve("/rss", rss(rss_item())), defaults=FieldDefaults())
    assert read(reader, source).briefs[0].verification is Verification.UNVERIFIED


def test_an_items_own_word_comes_before_the_default(site: Site, reader: HttpSourceReader) -> None:
    said = {"brief:verification": "Partially verified", "brief:minutes": "3"}
    [brief] = read(reader, feed(site.serve("/rss", rss(rss_item(**said))))).briefs
    assert (brief.verification, brief.minutes) == (Verification.PARTIAL, 3)


def test_a_mapped_field_is_read_and_its_usual_place_is_not(
    site: Site, reader: HttpSourceReader
) -> None:
    fields = FieldMap(source="author", source_url="comments")
    item = rss_item(author="Example Bureau", comments="https://bureau.example.org/")
    [brief] = read(reader, feed(site.serve("/rss", rss(item)), fields=fields)).briefs
    assert brief.source == Source(name="Example Bureau", url="https://bureau.example.org/")
    [bare] = read(reader, feed(site.serve("/rss", rss(rss_item())), fields=fields)).briefs
    assert bare.source.url == ""


def test_a_description_of_many_paragraphs_is_summed_up_by_its_first(
    site: Site, reader: HttpSourceReader
) -> None:
    description = f"<![CDATA[<p>{SUMMARY}</p><p>More, <b>in bold</b>.</p>]]>"
    [brief] = read(reader, feed(site.serve("/rss", rss(rss_item(description=description))))).briefs
    assert (brief.summary, brief.body) == (SUMMARY, ("More, <strong>in bold</strong>.",))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"title": "", "description": ""}, "title is missing"),
        ({"guid": "", "link": ""}, "neither an id nor a link"),
        ({"brief:verification": "hearsay"}, "verification must be one of"),
        ({"brief:minutes": "a few"}, "minutes must be a whole number"),
    ],
)
def test_a_malformed_item_is_refused_by_name_and_its_neighbours_are_taken(
    site: Site, reader: HttpSourceReader, fields: dict[str, str], reason: str
) -> None:
    url = site.serve("/rss", rss(rss_item(1), rss_item(2, **fields), rss_item(3)))
    reading = read(reader, feed(url))
    assert [b.key for b in reading.briefs] == ["technology/wire/story-1", "technology/wire/story-3"]
    [refused] = reading.refused
    assert refused.item.startswith("item 2")
    assert reason in refused.reason


def test_a_json_item_that_is_no_object_is_refused_alone(
    site: Site, reader: HttpSourceReader
) -> None:
    items = [None, *JSON_FEED["items"], ["a"], {"id": 5, "title": 7, "url": {}}]
    reading = read(reader, feed(site.serve("/feed.json", json.dumps(JSON_FEED | {"items": items}))))
    assert [len(reading.briefs), len(reading.refused)] == [2, 2]


def test_characters_that_no_text_has_harm_nobody(site: Site, reader: HttpSourceReader) -> None:
    [good] = JSON_FEED["items"]
    odd = {"id": "\ud800\u0000", "content_text": "\ud800\u0000", "title": "\ud800\u0000Title"}
    items = [good, good | odd, {"id": "\u0000", "title": "\u0000", "date_published": "\u0000"}]
    reading = read(reader, feed(site.serve("/feed.json", json.dumps(JSON_FEED | {"items": items}))))
    assert len(reading.briefs) == 2
    assert "\0" not in "".join(one.item + one.reason for one in reading.refused)


def test_an_item_without_an_id_is_known_by_its_link(site: Site, reader: HttpSourceReader) -> None:
    [brief] = read(reader, feed(site.serve("/rss", rss(rss_item(guid=""))))).briefs
    assert brief.key == "technology/wire/https://wire.example.org/1"


def test_ids_that_a_key_cannot_hold_stay_apart(site: Site, reader: HttpSourceReader) -> None:
    long = "x" * 300
    ids = [f"{long}1", f"{long}2", "a&lt;b&gt;", "a&lt;i&gt;", "ä", "a\N{ZERO WIDTH SPACE}", "a"]
    items = [rss_item(number, guid=one, link="") for number, one in enumerate(ids)]
    reading = read(reader, feed(site.serve("/rss", rss(*items))))
    assert len({brief.key for brief in reading.briefs}) == len(ids)
    assert max(len(brief.key) for brief in reading.briefs) <= 200


def test_items_that_have_not_changed_for_long_are_left_alone(
    site: Site, reader: HttpSourceReader
) -> None:
    old = rss_item(2, pubDate="Mon, 02 Nov 2026 08:00:00 GMT")
    reading = read(reader, feed(site.serve("/rss", rss(rss_item(1), old))), NOW - timedelta(days=3))
    assert ([b.key for b in reading.briefs], reading.older) == (["technology/wire/story-1"], 1)


def test_what_has_not_changed_is_not_read_again(site: Site, reader: HttpSourceReader) -> None:
    source = feed(site.serve("/rss", rss(rss_item()), headers={"ETag": '"1"'}))
    first = read(reader, source)
    assert ask(reader, source, first.validators) == Unmodified()
    mapped = feed(source.url, fields=FieldMap(source="author"))
    assert isinstance(ask(reader, mapped, first.validators), SourceReading), "read in another way"


@pytest.mark.parametrize(
    "media_type", ["text/html", "text/plain", "application/octet-stream", "image/png", "nonsense"]
)
def test_the_document_counts_and_not_what_the_server_calls_it(
    site: Site, reader: HttpSourceReader, media_type: str
) -> None:
    url = site.serve("/rss", rss(rss_item()), headers={"Content-Type": media_type})
    assert len(read(reader, feed(url)).briefs) == 1


@pytest.mark.parametrize(
    ("text", "encoding", "charset"),
    [
        (rss(rss_item(title="Ärger über Öfen")), "utf-8", ""),
        (rss(rss_item(title="Ärger über Öfen")), "utf-8-sig", ""),
        (rss(rss_item(title="Ärger über Öfen")).replace("utf-8", "utf-16"), "utf-16", ""),
        (rss(rss_item(title="Ärger über Öfen")).replace("utf-8", "ISO-8859-1"), "latin-1", ""),
        (rss(rss_item(title="Ärger über Öfen")), "windows-1252", "windows-1252"),
    ],
)
def test_the_title_is_read_in_whatever_the_feed_is_written(
    site: Site, reader: HttpSourceReader, text: str, encoding: str, charset: str
) -> None:
    more = (
        {"headers": {"Content-Type": f"application/rss+xml; charset={charset}"}} if charset else {}
    )
    url = site.serve("/rss", text.encode(encoding), **more)
    assert read(reader, feed(url)).briefs[0].title == "Ärger über Öfen"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (rss(rss_item())[:-60], "not well-formed XML"),
        (rss(rss_item()).replace("</title>", "</titel>"), "not well-formed XML"),
        ("<!DOCTYPE html><html><body>Sorry</body></html>", "a web page, not a feed"),
        ("<!-- x --><HTML><body>Sorry", "a web page, not a feed"),
        ("<catalogue><item/></catalogue>", "neither RSS nor Atom"),
        (b"\x89PNG\r\n\x1a\n\0\0", "it is not text in utf-8"),
        ("Sorry, come back later", "neither RSS, Atom nor JSON Feed but text/plain"),
        ("", "neither RSS, Atom nor JSON Feed"),
        ("{}", "it is JSON, but no JSON Feed"),
        ('{"version": "https://jsonfeed.org/version/1"}', "a JSON Feed without items"),
        (json.dumps(JSON_FEED)[:-30], "it is not JSON, or cut short"),
        ('{"a":' * 30_000, "it is not JSON, or cut short"),
        ('<?xml version="1.0" encoding="utf-7"?><rss/>', "an encoding that is not read: utf-7"),
        ('<?xml version="1.0" encoding="zip"?><rss/>', "an encoding that is not read: zip"),
        ('<?xml version="1.0" encoding="klingon"?><rss/>', "it is not text in klingon"),
        (rss(rss_item(title="Ä" * 9)).encode("latin-1"), "it is not text in utf-8"),
        (gzipped(rss(rss_item()))[:-9], "its gzip is cut short"),
    ],
)
def test_what_is_no_feed_or_a_broken_one_is_named_and_nothing_is_taken(
    site: Site, reader: HttpSourceReader, body: str | bytes, said: str
) -> None:
    assert said in trouble(reader, feed(site.serve("/feed", body)))


def test_entities_neither_expand_nor_fetch(site: Site, reader: HttpSourceReader) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    for entities, used in (
        (f'<!ENTITY l0 "ha">{laughs}', "&l9;"),
        (f'<!ENTITY x SYSTEM "{site.url}/stolen">', "&x;"),
        ('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"),
        (f'<!ENTITY % x SYSTEM "{site.url}/stolen">%x;', ""),
    ):
        bomb = rss(rss_item(title=used)).replace("<rss", f"<!DOCTYPE rss [{entities}]><rss", 1)
        source = feed(site.serve("/bomb", bomb))
        assert trouble(reader, source) == "it declares entities of its own, which no feed needs"
        wide = site.serve("/wide", bomb.replace("utf-8", "utf-16").encode("utf-16"))
        assert "declares entities" in trouble(reader, feed(wide))
    external = rss(rss_item()).replace("<rss", f'<!DOCTYPE rss SYSTEM "{site.url}/stolen"><rss', 1)
    assert len(read(reader, feed(site.serve("/dtd", external))).briefs) == 1
    assert not [path for path, _ in site.asked if path == "/stolen"]


def test_a_site_s_own_fault_is_an_answer_not_an_error(
    site: Site, reader: HttpSourceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise ZeroDivisionError("with something private in it")

    monkeypatch.setattr("newsletter.adapters.sources.polling.brief_from", stumble)
    said = trouble(reader, feed(site.serve("/rss", rss(rss_item()))))
    assert said == "it cannot be read: unexpected ZeroDivisionError"
