"""A WordPress site pushes to the real API: php, HTTP on loopback, and PostgreSQL."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine

from newsletter.core.api_token import Scope
from newsletter.core.stored import StoredBrief
from tests.container import TODAY, TestContainer
from tests.web.api.asking import api_container, make_token
from tests.web.console.serving import listening, serving
from tests.wordpress.test_push import CRON, ID, NOTICES, meta, run, save

pytestmark = pytest.mark.postgres

#: The post's excerpt, without which its summary is too short for the gate.
SUMMARY = "The plant filters what it used to let go, and a whole village has its river back."


def posted(status: str = "publish", **changes: Any) -> dict[str, Any]:
    return save(status, post_date_gmt=f"{TODAY} 05:00:00", **changes)


@dataclass
class Site:
    """A site with one post, which php forgets between two moments: its fields are brought back."""

    url: str
    token: str
    container: TestContainer
    fields: dict[str, str] = field(default_factory=lambda: {"verification": "Verified"})

    def is_now(self, *steps: dict[str, Any]) -> str:
        """Do this with the post; return what an editor reads of it."""
        left = run(self.url, *meta(**self.fields), *steps, CRON, NOTICES, TOKEN=self.token)
        self.fields = left["meta"][ID]
        assert "notice-error" not in left["printed"]
        return left["printed"]

    @property
    def brief(self) -> StoredBrief:
        return self.container.briefs.get(int(self.fields["_newsletter_push_brief"]))


@pytest.fixture
def site(engine: Engine) -> Iterator[Site]:
    container = api_container(engine)
    token = make_token(container, Scope.BRIEFS_WRITE, name="hub")
    with listening() as listener, serving(container.api, listener) as url:
        yield Site(url, token, container)


def test_a_post_is_held_revised_taken_down_and_brought_back(site: Site):
    shown = site.is_now(posted())
    [reason] = site.brief.reasons
    assert site.fields["_newsletter_push_ruling"] == f"held: {reason}"
    assert f"The newsletter has this post: held: {reason}" in shown

    published = posted(post_excerpt=SUMMARY)
    assert "The newsletter has this post: accepted" in site.is_now(published)
    assert (site.brief.revision, site.brief.brief.summary) == (2, SUMMARY)
    assert site.brief.brief.key == "technology/wordpress/17"

    taken_down = posted("draft", post_excerpt=SUMMARY)
    assert "held, because the post was taken down" in site.is_now(taken_down)
    assert site.brief.held_by == "token:hub (1)"
    assert "The newsletter has this post: accepted" in site.is_now(published)
    assert (site.brief.revision, site.brief.held_by) == (2, None)
    log = site.container.decisions.about(f"brief {site.brief.brief_id}")
    assert [one.verb for one in log] == ["write", "edit", "hold", "bring back"]
    assert {(one.actor, one.network) for one in log} == {("token:hub (1)", "127.0.0.1")}


def test_what_a_person_holds_stays_held_whatever_the_site_does(site: Site):
    published = posted(post_excerpt=SUMMARY)
    site.is_now(published)
    site.container.intake.hold(site.brief.brief_id, actor="anna@example.org")
    site.is_now(posted("draft", post_excerpt=SUMMARY))
    for again in (published, posted(post_title="Another title", post_excerpt=SUMMARY)):
        assert "held: Held by anna@example.org." in site.is_now(again)
    assert (site.brief.revision, site.brief.held_by) == (2, "anna@example.org")
