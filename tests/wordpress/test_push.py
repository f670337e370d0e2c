"""The plugin that pushes posts, run by php over as much of WordPress as it calls."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from newsletter.adapters.sources.fields import brief_of
from newsletter.core.brief import Importance, Verification
from newsletter.web.api.brief_schemas import GivenBrief
from tests.programs import program
from tests.wordpress.api import PLUGIN, TOKEN, Api, constants_for, receipt

SHIMS = Path(__file__).parent / "shims.php"
ID = "17"
BLOCKS = """\
<!-- wp:image --><figure><img src="p.png"><figcaption>From above</figcaption></figure><!-- /wp -->
<!-- wp:paragraph --><p>The plant &amp; its <b>water</b> [gallery ids="1"] — half.</p><!-- /wp -->
<!-- wp:paragraph --><p>More of it.</p><!-- /wp -->
"""
CRON, NOTICES = {"cron": True}, {"notices": True}


def run(url: str, *steps: dict[str, Any], **constants: str) -> dict[str, Any]:
    """Run these steps on a new site; return what they left."""
    defined = constants_for(url, **constants)
    done = subprocess.run(
        [program("php", "php-cli"), "-d", "error_reporting=-1", "-d", "display_errors=stderr",
         SHIMS, PLUGIN],
        input=json.dumps({"constants": defined, "steps": steps}),
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert done.stderr == ""
    assert TOKEN not in done.stdout
    return json.loads(done.stdout)


def save(status: str = "publish", **changes: Any) -> dict[str, Any]:
    post = {
        "ID": int(ID),
        "post_type": "post",
        "post_status": status,
        "post_password": "",
        "post_title": "A plant&#8217;s &amp; water",
        "post_excerpt": "",
        "post_content": BLOCKS,
        "post_date_gmt": "2026-11-27 05:00:00",
        "categories": [{"slug": "chips"}, {"slug": "uncategorized"}],
        "thumbnail": 0,
    }
    return {"save": post | changes}


def meta(**fields: str) -> list[dict[str, Any]]:
    return [{"meta": [int(ID), name, value]} for name, value in fields.items()]


MARKED = meta(verification="Verified")
PUSHED = [save(), *MARKED, CRON]


def test_a_post_that_is_published_with_the_mark_is_pushed_as_a_brief(api: Api) -> None:
    fields = meta(
        verification="Partially verified", importance="High", minutes="4", why="Water is scarce.",
        source="Example Wire", source_url="https://wire.example.org/a?b=1&c=2",
    )  # fmt: skip
    shown = [
        *meta(_wp_attachment_image_alt=""),
        {"meta": [9, "_wp_attachment_image_alt", "A hall"]},
    ]
    left = run(api.url, *shown, save(thumbnail=9), *fields, CRON, CRON)

    [(path, headers, body)] = api.asked
    assert path == "/api/v1/briefs"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Content-Type"] == "application/json"
    given = GivenBrief.model_validate_json(body, strict=True)
    brief = brief_of(given.fields(), str)
    assert brief.key == "technology/wordpress/17"
    assert brief.title == "A plant’s & water"
    assert brief.summary == "The plant & its water — half."
    assert brief.body == ("More of it.",)
    assert (brief.verification, brief.importance) == (Verification.PARTIAL, Importance.HIGH)
    assert (brief.minutes, brief.why) == (4, "Water is scarce.")
    assert brief.source.url == "https://wire.example.org/a?b=1&c=2"
    assert brief.topics == ("chips",)
    assert str(brief.published) == "2026-11-27 05:00:00+00:00"
    assert (brief.picture.alt, brief.picture.width) == ("A hall", 1200)
    assert left["meta"][ID]["_newsletter_push_brief"] == "5"
    assert left["spawned"] >= 1  # it waits for no visitor


def test_without_a_source_of_its_own_the_post_is_the_source(api: Api) -> None:
    run(api.url, *PUSHED, SOURCE="hub")
    brief = json.loads(api.asked[0][2])
    assert brief["key"] == "technology/hub/17"
    assert brief["source_url"] == "https://hub.example.com/?p=17"
    assert brief["source"] == "Example & Hub"
    assert "picture" not in brief


@pytest.mark.parametrize(
    "steps",
    [
        [save()],
        [save(), *meta(verification="unverified")],
        [save(), *meta(verification="not verified")],
        [save("draft"), *MARKED],
        [save("future"), *MARKED],
        [save("private"), *MARKED],
        [save(post_password="open"), *MARKED],
        [save(post_type="page"), *MARKED],
        [save(post_type="revision"), *MARKED],
    ],
)
def test_what_not_everybody_may_read_or_nobody_calls_verified_stays(
    api: Api, steps: list[dict[str, Any]]
) -> None:
    run(api.url, *steps, CRON)
    assert api.asked == []


def test_a_change_is_pushed_once_and_a_save_without_one_never(api: Api) -> None:
    changed = save(post_title="Another title")
    run(api.url, *PUSHED, save(), CRON, changed, changed, CRON, *meta(why="So."), CRON)
    titles = [json.loads(body)["title"] for *_, body in api.asked]
    assert titles == ["A plant’s & water", "Another title", "Another title"]
    assert len(set(api.keys)) == 3


@pytest.mark.parametrize(
    "down",
    [save("draft"), save("trash"), save(post_password="x"), *meta(verification="unverified")],
)
def test_what_is_taken_down_is_held_and_comes_again_under_another_key(
    api: Api, down: dict[str, Any]
) -> None:
    again = [save(), *MARKED, CRON]
    left = run(api.url, *PUSHED, down, CRON, CRON, *again, down, CRON)
    push, hold = "/api/v1/briefs", "/api/v1/briefs/5/hold"
    assert api.paths == [push, hold, push, hold]
    assert len(set(api.keys)) == 4
    assert json.loads(api.asked[1][2]) == {"because": "its post was taken down"}
    assert left["meta"][ID]["_newsletter_push_ruling"].startswith("held")
    assert left["events"] == []


def test_what_is_deleted_for_good_is_held_and_what_was_never_pushed_is_not(api: Api) -> None:
    run(api.url, *PUSHED, {"delete": int(ID)}, CRON)
    assert api.paths[1:] == ["/api/v1/briefs/5/hold"]
    assert json.loads(api.asked[1][2]) == {"because": "its post was deleted"}
    api.asked.clear()
    run(api.url, save("draft"), {"delete": int(ID)}, CRON)
    assert api.asked == []


def test_what_failed_for_the_moment_is_asked_again_under_its_key(api: Api) -> None:
    api.answers += [
        (503, {"Retry-After": "120"}, {}),
        (429, {}, {"detail": "Too many."}),
        receipt(),
    ]
    left = run(api.url, *PUSHED, CRON, CRON, NOTICES)
    assert len(api.asked) == 3
    assert len(set(api.keys)) == 1
    assert left["waits"][-2:] == [120, 300]
    assert "_newsletter_push_error" not in left["meta"][ID]
    assert "notice-error" not in left["printed"]


def test_it_gives_up_after_a_day_and_says_so(api: Api) -> None:
    left = run("http://127.0.0.1:9", *PUSHED, *([CRON] * 9), NOTICES)
    assert left["events"] == []
    assert sum(left["waits"]) > 20 * 3600
    assert "No answer: cURL error 7: connection refused." in left["printed"]
    assert "It is not tried again until the post is saved." in left["printed"]
    assert "notice-error" in left["printed"]


def test_what_the_service_refuses_is_shown_with_its_reason_and_not_asked_again(api: Api) -> None:
    wrong = [{"pointer": "#/minutes", "detail": "must be <b>whole</b>"}]
    api.answers.append(
        (422, {}, {"title": "Refused", "detail": "A field is wrong.", "errors": wrong})
    )
    left = run(api.url, *PUSHED, CRON, NOTICES)
    assert len(api.asked) == 1
    said = "It was answered 422: A field is wrong.; #/minutes must be whole."
    assert left["meta"][ID]["_newsletter_push_error"].startswith(said)
    assert said in left["printed"]


def test_what_the_gate_holds_is_said(api: Api) -> None:
    api.answers.append(receipt("held", "The summary has 9 characters."))
    left = run(api.url, *PUSHED)
    assert left["meta"][ID]["_newsletter_push_ruling"] == "held: The summary has 9 characters."


@pytest.mark.parametrize(
    ("constants", "said"),
    [
        ({"TOKEN": ""}, "NEWSLETTER_PUSH_TOKEN is not defined in wp-config.php."),
        ({"URL": "http://console.example.com"}, "NEWSLETTER_PUSH_URL must begin with https://"),
    ],
)
def test_a_token_leaves_only_where_it_belongs(
    api: Api, constants: dict[str, str], said: str
) -> None:
    left = run(constants.pop("URL", api.url), *PUSHED, NOTICES, **constants)
    assert api.asked == []
    assert said in left["printed"]


def test_a_redirect_is_not_followed(api: Api) -> None:
    api.answers.append((307, {"Location": f"{api.url}/elsewhere"}, {}))
    run(api.url, *PUSHED, CRON)
    assert api.paths == ["/api/v1/briefs"]
