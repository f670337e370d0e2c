"""The plugin that pushes posts, in a real WordPress."""

import json
from typing import Any

from newsletter.adapters.sources.fields import brief_of
from newsletter.core.brief import Verification
from newsletter.web.api.brief_schemas import GivenBrief
from tests.wordpress.api import PLUGIN, Api, constants_for
from tests.wordpress.conftest import Hub
from tests.wordpress.test_real_site import a_post


def push(hub: Hub, api: Api, *calls: Any) -> dict[str, Any]:
    """Do this with one post; return what the site knows of it then."""
    given = {"plugin": str(PLUGIN), "constants": constants_for(api.url), "calls": calls}
    return json.loads(hub.php("push.php", json.dumps(given)).splitlines()[-1])


def test_a_post_is_pushed_once_for_each_change_and_held_when_it_is_trashed(
    hub: Hub, api: Api
) -> None:
    post = a_post('Foundry\'s "half" plan & more', post_excerpt="")
    again = {"post_status": "publish"}  # a save without a change
    left = push(hub, api, post, again, {"post_title": "Another plan"}, "trash")

    push_path, hold = "/api/v1/briefs", "/api/v1/briefs/5/hold"
    assert api.paths == [push_path, push_path, hold]
    assert len(set(api.keys)) == 3
    brief = brief_of(GivenBrief.model_validate_json(api.asked[0][2], strict=True).fields(), str)
    assert brief.key == f"technology/wordpress/{left['id']}"
    assert brief.title == 'Foundry\'s "half" plan & more'
    assert brief.summary.startswith('The plant "reuses" its rinse water')
    assert brief.verification is Verification.PARTIAL
    assert brief.source.url == "https://wire.example.org/a?b=1&c=2"
    assert set(brief.topics) == {"chips-compute", "technology"}
    text = " ".join((brief.summary, *brief.body))
    for foreign in ("gallery", "The plant from above", "wp:", "[", "<figure"):
        assert foreign not in text
    assert left["meta"]["_newsletter_push_sent"] == [""]
    assert "_newsletter_push_error" not in left["meta"]


def test_a_post_that_is_deleted_at_once_is_held(hub: Hub, api: Api) -> None:
    push(hub, api, a_post("A plan that was a mistake"), "delete")
    assert api.paths == ["/api/v1/briefs", "/api/v1/briefs/5/hold"]
