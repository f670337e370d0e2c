"""A story that its source takes down is held, told, and not sent."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine

from newsletter.adapters.sources.polling import HttpSourceReader
from newsletter.core.brief import Verification
from newsletter.core.source import FieldDefaults
from newsletter.core.stored import IssueStatus
from newsletter.core.verification import Ruling
from tests.container import open_container
from tests.sources import Site, feed, post, posts, rss, rss_item, wordpress

pytestmark = pytest.mark.postgres
PATH = "/wp-json/wp/v2/posts"


def shown(site: Site, *numbers: int) -> str:
    titles = {1: "Foundry halves the water", 2: "A lathe learns to listen", 3: "Chips go dry"}
    return site.serve("/rss", rss(*(rss_item(n, title=titles[n]) for n in numbers)))


@pytest.mark.parametrize("left", [(1, 3), (2, 3)])
def test_a_story_gone_from_its_feed_is_held_with_one_alert(
    engine: Engine, reader: HttpSourceReader, site: Site, left: tuple[int, ...]
) -> None:
    container = open_container(engine, source_reader=reader)
    newsletter = replace(container.newsletter, sources=(feed(shown(site, 1, 2, 3)),))
    container.polling.poll_all(newsletter)
    [gone] = {1, 2, 3} - set(left)
    shown(site, *left)
    for _ in range(2):
        container.polling.poll_all(newsletter)
    stored = container.briefs.find(f"technology/wire/story-{gone}")
    assert stored
    assert stored.ruling is Ruling.HELD
    assert stored.reasons == ("Held by the source wire, which took it down.",)
    [(_, alert)] = container.schedule_store.pending_alerts()
    assert alert.sentence.startswith(f"the source wire no longer shows brief {stored.brief_id}")
    others = [container.briefs.find(f"technology/wire/story-{one}") for one in left]
    assert [one and one.ruling for one in others] == [Ruling.ACCEPTED, Ruling.ACCEPTED]


@pytest.mark.parametrize("after", ["trashed", "protected"])
def test_sources_are_asked_once_more_before_sending(
    engine: Engine, reader: HttpSourceReader, site: Site, after: str
) -> None:
    container = open_container(engine, source_reader=reader)
    source = wordpress(site.url, defaults=FieldDefaults(verification=Verification.VERIFIED))
    newsletter = replace(container.newsletter, sources=(source,))
    second = post(2, title={"rendered": "A lathe learns to listen"})
    site.serve(PATH, posts(post(1), second))
    container.polling.poll_all(newsletter)
    on = date(2026, 11, 23)
    draft = container.publishing.assemble(newsletter, on)
    assert len(draft.issue.entries) == 2
    hidden = post(1, content={"rendered": "", "protected": True})
    site.serve(PATH, posts(second) if after == "trashed" else posts(hidden, second))
    container.planning.poll_again(newsletter, on)
    stored = container.issues.find("technology", on)
    assert stored
    assert container.query("SELECT count(*) FROM operator_alert") == [(1,)]
    assert [entry.brief.title for entry in stored.issue.entries] == ["A lathe learns to listen"]
    assert stored.state is IssueStatus.DRAFT
    assert "was held" in (stored.reason or "")
