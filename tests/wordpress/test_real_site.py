"""A real WordPress is read by its REST API and by its feed, as an editor left it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.adapters.sources.polling import HttpSourceReader
from newsletter.core.brief import Brief, Verification
from newsletter.core.source_record import SourceReading, Validators
from tests.settings import TECHNOLOGY
from tests.sources import feed, wordpress
from tests.wordpress.conftest import Hub

NOW = datetime.now(UTC)  # the site's own clock cannot be set
FIELDS = {
    "verification": "partial",
    "importance": "H",
    "minutes": "4",
    "source": "Example Wire",
    "source_url": "https://wire.example.org/a?b=1&c=2",
    "why": "Water is scarce — here's why.",
}
BLOCKS = """\
<!-- wp:image --><figure class="wp-block-image"><img src="https://e.example/p.png" alt="A plant"/>\
<figcaption>The plant from above</figcaption></figure><!-- /wp:image -->
<!-- wp:paragraph --><p>The plant "reuses" its rinse water -- it's half as much as before.</p>\
<!-- /wp:paragraph -->
<!-- wp:code --><pre class="wp-block-code"><code>Option&lt;T&gt; x = a &amp;&amp; b;</code></pre>\
<!-- /wp:code -->
<!-- wp:list --><ul><li>First <strong>point</strong></li><li>Second</li></ul><!-- /wp:list -->
<!-- wp:shortcode -->[gallery ids="1,2"]<!-- /wp:shortcode -->
<!-- wp:paragraph --><p>It says <a href="/more">so</a>.</p><!-- /wp:paragraph -->
"""


def a_post(title: str, **more: Any) -> dict[str, Any]:
    return {
        "post_title": title,
        "post_content": BLOCKS,
        "post_status": "publish",
        "meta_input": FIELDS,
        "terms": ["Chips & compute", "Technology"],
    } | more


@pytest.fixture(scope="module")
def ids(hub: Hub) -> dict[str, int]:
    tomorrow = f"{NOW + timedelta(days=1):%Y-%m-%d %H:%M:%S}"
    numbers = hub.do(
        a_post('Foundry\'s "half" plan & more'),
        a_post("The secret plan of a plant", post_password="open"),
        a_post("The plan of tomorrow", post_status="future", post_date_gmt=tomorrow),
        a_post("The plan that was withdrawn"),
        a_post("The plan that was edited"),
        a_post("A draft of a plan", post_status="draft"),
    )
    names = ("whole", "secret", "future", "trashed", "edited", "draft")
    found = dict(zip(names, numbers, strict=True))
    hub.do({"trash": found["trashed"]}, {"ID": found["edited"], "post_title": "The edited plan"})
    return found


def reading(reader: HttpSourceReader, source: Any, known: tuple[str, ...] = ()) -> SourceReading:
    since = NOW - timedelta(days=2)
    answer = reader.read(TECHNOLOGY, source, Validators(), since, known)
    assert isinstance(answer, SourceReading), answer
    return answer


def is_whole(brief: Brief) -> None:
    assert brief.title == "Foundry’s “half” plan & more"
    assert brief.summary == "The plant “reuses” its rinse water — it’s half as much as before."
    assert (brief.verification, brief.minutes) == (Verification.PARTIAL, 4)
    assert brief.source.url == "https://wire.example.org/a?b=1&c=2"
    assert brief.why == "Water is scarce — here's why."
    assert brief.published
    text = " ".join((brief.summary, *brief.body))
    for foreign in ("gallery", "The plant from above", "wp:", "[", "<figure"):
        assert foreign not in text
    assert "Option&lt;T&gt; x" in text
    assert "First <strong>point</strong>" in text


def test_its_rest_api_shows_what_everybody_may_read(
    hub: Hub, ids: dict[str, int], reader: HttpSourceReader
) -> None:
    known = tuple(f"technology/hub/{one}" for one in ids.values())
    found = reading(reader, wordpress(hub.url), known)
    briefs = {brief.key.rsplit("/", 1)[1]: brief for brief in found.briefs}
    assert set(briefs) == {str(ids["whole"]), str(ids["edited"])}
    assert briefs[str(ids["edited"])].title == "The edited plan"
    is_whole(briefs[str(ids["whole"])])
    assert set(briefs[str(ids["whole"])].topics) == {"chips-compute", "technology"}
    assert [one.reason for one in found.refused] == ["it is protected by a password"]
    assert found.seen == {f"technology/hub/{one}" for one in briefs}


def test_its_feed_shows_the_same(hub: Hub, ids: dict[str, int], reader: HttpSourceReader) -> None:
    found = reading(reader, feed(f"{hub.url}/?feed=rss2"))
    titles = sorted(brief.title for brief in found.briefs)
    assert titles == sorted(["The edited plan", "Foundry’s “half” plan & more"])
    is_whole(next(brief for brief in found.briefs if brief.title.startswith("Foundry")))
    assert [one.reason for one in found.refused] == ["it is protected by a password"]
