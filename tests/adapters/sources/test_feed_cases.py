"""What publishers really write, item by item: read as they meant it, or left out by name."""

import base64
import gzip
import json
from pathlib import Path

import pytest

from newsletter.adapters.sources.files import read_file
from newsletter.adapters.sources.polling import HttpSourceReader
from newsletter.core.brief import Brief
from tests.sources import SUMMARY, Site, feed, read, rss, rss_item, trouble, wordpress
from tests.sources import post as wp_post
from tests.sources import posts as wp_posts

CASES = Path(__file__).parents[2] / "cases"


@pytest.fixture
def case(site: Site, reader: HttpSourceReader) -> "Case":
    return Case(site, reader)


class Case:
    """Reads a case, or a document."""

    def __init__(self, site: Site, reader: HttpSourceReader) -> None:
        self.site, self.reader = site, reader

    def read(self, name: str) -> tuple[Brief, ...]:
        path = CASES / "feeds" / name
        headers = path.with_name(f"{name}.headers")
        given: dict[str, str] = json.loads(headers.read_text()) if headers.exists() else {}
        return self.of(path.read_bytes(), **given)

    def of(self, body: str | bytes, **headers: str) -> tuple[Brief, ...]:
        url = self.site.serve("/feed", body, headers=headers)
        self.reading = read(self.reader, feed(url))
        return self.reading.briefs


def test_a_picture_s_caption_is_no_summary(case: Case) -> None:
    [one] = case.read("media.xml")
    assert one.summary.startswith("The third plant is for sale for one euro")
    beside = "<media:description>A mayor smiles.</media:description>"
    document = rss(rss_item(link=f"https://e.example/1</link>{beside}<link>"))
    [one] = case.of(document.replace("xmlns:brief", 'xmlns:media="urn:m" xmlns:brief'))
    assert one.summary == SUMMARY


def test_what_stands_in_brackets_as_text_stays(case: Case) -> None:
    titles = [one.title for one in case.read("titles.xml")]
    assert titles == [
        "Bell & Sons buys a chip lab",
        "R&D money for chips in Wales",
        "Sarah’s chip – a portrait",
        "Why Vec<T> beats LinkedList<T> in Rust",
        "The new <dialog> element lands in every browser, developers say",
        "Kernel developers drop #include <linux/old.h> at last",
        "When power < 5 W and heat > 40 C, chips fail",
        "Chip exports: what changes on Monday",
    ]


def test_brackets_stay_in_summaries_of_every_kind_of_source(case: Case) -> None:
    said = "Code that returns Map&lt;String, List&lt;User&gt;&gt; can say so in its signature."
    meant = "Code that returns Map<String, List<User>> can say so in its signature."
    escaped = said.replace("&", "&amp;")
    assert [one.summary for one in case.of(rss(rss_item(description=said)))] == [meant]
    assert [one.summary for one in case.of(rss(rss_item(description=escaped)))] == [meant]
    text = {"id": 1, "title": "A <canvas>", "content_text": meant, "url": "https://e.example/"}
    document = {"version": "https://jsonfeed.org/version/1", "items": [text]}
    [one] = case.of(json.dumps(document))
    assert (one.title, one.summary) == ("A <canvas>", meant)
    rendered = wp_post(excerpt={"rendered": f"<p>{said}</p>"}, title={"rendered": "Vec&lt;T&gt; x"})
    case.site.serve("/wp-json/wp/v2/posts", wp_posts(rendered))
    [one] = read(case.reader, wordpress(case.site.url)).briefs
    assert (one.title, one.summary) == ("Vec<T> x", meant)


def test_brackets_stay_in_a_brief_s_file() -> None:
    [one] = read_file(CASES / "briefs" / "angle.md")
    assert "Option<T>" in one.title
    assert "Map<String, List<User>>" in one.why
    assert "may return Option<T> and that the old #include <optional> goes" in one.summary


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("enc-header-1252.xml", "Café’s “passkey” naïve, says Zürich bank number nine"),
        ("enc-koi8.xml", "Завод выпустил новый процессор chips"),
    ],
)
def test_a_feed_is_read_in_its_own_characters(case: Case, name: str, title: str) -> None:
    assert [one.title for one in case.read(name)] == [title]


def test_declared_big5_is_read(case: Case) -> None:
    document = rss(rss_item(title="晶片工廠")).replace("utf-8", "big5").encode("big5")
    assert [one.title for one in case.of(document)] == ["晶片工廠"]


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("x-nbsp.xml", ["Drone mail reaches the island", "Island drones get a landing pad"], ""),
        ("x-ctrl.xml", ["Robots paint a bridge", "Robots weld a ship"], ""),
        (
            "enc-onebadbyte.xml",
            [f"Privacy story {n} of a feed with one bad byte" for n in (0, 1)],
            "ry 2 of a feed with one bad byte”",
        ),
    ],
)
def test_one_bad_character_silences_no_other_item(
    case: Case, name: str, taken: list[str], refused: str
) -> None:
    assert [one.title for one in case.read(name)] == taken
    assert refused in "".join(one.item for one in case.reading.refused)


def test_a_summary_is_its_author_s(case: Case) -> None:
    first, second, third = (one.summary for one in case.read("wp-rss.xml"))
    assert first.endswith("that it hired forty people for it.")
    assert second.endswith("machines that they will use in …")
    assert third.endswith("according to the traders who publish the index.")


def test_links_are_resolved_and_made_whole(case: Case) -> None:
    assert [one.source.url for one in case.read("rel-rss.xml")] == [
        "https://www.example.com/rel/1",
        "https://www.example.com/rel/2",
    ]
    links = [one.source.url for one in case.read("links.xml")]
    assert links[0] == "https://www.example.com/l%201/a%20b.html"
    assert links[2] == "https://www.example.com/l3?a=1&b=2"
    assert links[5] == "https://www.example.com/l6"
    assert links[9] == "https://www.example.com/l10"


def test_a_json_feed_of_the_first_version_is_one(case: Case) -> None:
    assert case.read("jf-http.json") == ()
    assert case.reading.refused == ()


def test_an_item_that_is_not_well_formed_is_left_out_by_name(case: Case) -> None:
    broken = rss_item(2, description="<b>never closed")
    case.of(rss(rss_item(1), broken, rss_item(3)))
    assert len(case.reading.briefs) == 2
    [one] = case.reading.refused
    assert "Foundry number 2 halves the water it needs" in one.item
    assert one.reason.startswith("it is not well-formed XML")


def test_of_a_document_that_is_cut_short_the_whole_items_are_taken_and_it_is_asked_for_again(
    case: Case,
) -> None:
    document = rss(rss_item(1), rss_item(2), rss_item(3))
    case.of(document[: document.rindex("<description>")], ETag='"1"')
    assert len(case.reading.briefs) == 2
    assert [one.reason for one in case.reading.refused] == ["it is cut short"]
    assert case.reading.validators.etag == ""


ENTRY = (
    "<a:feed xmlns:a='http://www.w3.org/2005/Atom' xml:base='https://e.example/blog/'>"
    "<a:title>Wire</a:title><a:entry><a:id>urn:1</a:id>{}<a:link href='7'/>"
    "<a:published>2026-11-23T08:00:00Z</a:published></a:entry></a:feed>"
)
XHTML = (
    "<a:summary type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>{}</p></div></a:summary>"
)
RDF = (
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'"
    " xmlns:dc='http://purl.org/dc/elements/1.1/'><channel rdf:about='https://e.example/'><title>W"
    "</title></channel><item rdf:about='https://e.example/1'><title>Water saved</title><link>"
    f"https://e.example/1</link><description>{SUMMARY}</description>"
    "<dc:date>2026-11-23T08:00:00Z</dc:date></item></rdf:RDF>"
)
PLAIN = rss(rss_item(title="Water saved"))
CODED = base64.b64encode(SUMMARY.encode()).decode()
MORE = f"The post <a href='x'>Water</a> appeared first on Wire.</p><p>{SUMMARY}"


@pytest.mark.parametrize(
    "document",
    [
        ENTRY.format("<a:title>Water saved</a:title>" + XHTML.format(SUMMARY)),
        ENTRY.format(f"<a:title>Water saved</a:title><a:content type='text/x'>{CODED}</a:content>")
        .replace("text/x", "application/x-text"),
        ENTRY.format(
            "<a:title type='html'>&lt;i>Water&lt;/i> saved</a:title>"
            f"<a:summary>{SUMMARY}</a:summary>"
        ),
        RDF,
        PLAIN,
        f"\n\n<br />\n<b>Warning</b>: a & b in feed.php\n{PLAIN}<script>x()</script>",
        PLAIN.replace("version='2.0'", "version='0.91'"),
        PLAIN.replace("Water saved", "<![CDATA[Water <b>saved</b>]]>"),
        PLAIN.replace("Water saved", "Water&nbsp;saved"),
        PLAIN.replace("Water saved", "&amp;lt;b&amp;gt;Water&amp;lt;/b&amp;gt; saved"),
        PLAIN.replace("<description>", "<media:title>No</media:title><description>"),
        PLAIN.replace("<description>", "<description><![CDATA[<p class='wp-caption-text'>Ha</p>")
        .replace("</description>", "]]></description>"),
        PLAIN.replace(SUMMARY, f"<![CDATA[<p>{MORE}</p>]]>"),
        PLAIN.replace(SUMMARY, f"{SUMMARY} [gallery ids=&quot;1,2&quot;]"),
        PLAIN.replace(SUMMARY, f"{SUMMARY} &lt;a href='x'&gt;Read more&lt;/a&gt;"),
        PLAIN.replace("utf-8", "utf-16").encode("utf-16"),
        PLAIN.replace("utf-8", "utf-16").encode("utf-16-be"),
        PLAIN.encode("utf-8-sig"),
        b"\n" + PLAIN.encode("utf-8-sig"),
    ],
)  # fmt: skip
def test_one_story_in_many_dialects_is_one_brief(case: Case, document: str | bytes) -> None:
    [one] = case.of(document)
    assert (one.title, one.summary, one.body) == ("Water saved", SUMMARY, ())
    assert one.published
    assert one.source.url.startswith("https://")


def test_a_relative_link_is_relative_to_its_xml_base(case: Case) -> None:
    [one] = case.of(ENTRY.format("<a:title>Water</a:title>" + XHTML.format(SUMMARY)))
    assert one.source.url == "https://e.example/blog/7"


def test_an_article_about_entities_is_no_attack(case: Case) -> None:
    assert case.of(rss(rss_item(description=f"<![CDATA[{SUMMARY} &lt;!ENTITY x>]]>")))


def test_gzip_that_no_header_names_is_read(case: Case) -> None:
    assert len(case.of(gzip.compress(PLAIN.encode()))) == 1


def test_a_link_of_acf_is_an_address_and_a_name(case: Case) -> None:
    link = {"title": "Example Bureau", "url": "https://b.example/1", "target": "_blank"}
    acf = {"source": link, "source_url": link, "verification": "verified"}
    case.site.serve("/wp-json/wp/v2/posts", wp_posts(wp_post(acf=acf)))
    [one] = read(case.reader, wordpress(case.site.url)).briefs
    assert (one.source.name, one.source.url) == ("Example Bureau", "https://b.example/1")


def test_a_login_page_is_no_feed(case: Case) -> None:
    page = "<!-- x -->\n<!DOCTYPE html><html><form>Sign in</form></html>"
    assert trouble(case.reader, feed(case.site.serve("/login", page))) == (
        "it is a web page, not a feed"
    )
