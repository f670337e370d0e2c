"""What went, over the API: the same sums as at the command line and at the console."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from newsletter.cli.report import issue_data
from newsletter.core.issue_totals import Sums
from tests.container import TODAY, TestContainer, ids_of
from tests.services.test_letter_release import let_go
from tests.web.api.asking import ApiClient, kind_of, pointers
from tests.web.api.issue_day import ISSUE, approved, issue_day

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine, tmp_path: Path) -> TestContainer:
    return issue_day(engine, tmp_path)


def sent(api: ApiClient, container: TestContainer) -> None:
    """Send the issue, though one left it just before, and have letters reported of."""
    approved(api)
    container.plan_issue()
    container.unsubscribe("r4@example.com")
    container.queue.work(until_empty=True)
    events = (
        ("r0@example.com", "open", {}),
        ("r0@example.com", "click", {"url": _link(container)}),
        ("r1@example.com", "open", {"sg_machine_open": True}),
        ("r2@example.com", "bounce", {"type": "bounce", "reason": "550 no such user"}),
    )
    at = int(container.clock.now().timestamp())
    for email, word, more in events:
        event = {"event": word, "email": email, "timestamp": at, "sg_event_id": f"{email} {word}"}
        container.receive_events(event | more | ids_of_reader(container, email))


def ids_of_reader(container: TestContainer, email: str) -> dict[str, str]:
    """Return the custom arguments that travelled with a reader's letter."""
    claims = (claim for _, _, claim in container.mailer.asked)
    return next(
        ids_of(claim, place)
        for claim in claims
        for place, one in enumerate(claim.recipients)
        if one.email == email
    )


def _link(container: TestContainer) -> str:
    stored = container.publishing.issue(container.newsletter, TODAY)
    return stored.issue.entries[0].brief.source.url


def test_the_account_is_that_of_the_command_line_and_of_the_console(
    api: ApiClient, container: TestContainer
):
    assert kind_of(api.get(f"{ISSUE}/account")) == "conflict"
    sent(api, container)
    said = api.get(f"{ISSUE}/account").json()
    stored = container.publishing.issue(container.newsletter, TODAY)
    printed: dict[str, Any] = issue_data(stored, container.deliveries.totals(stored.id))["account"]
    sums = {name: said[name] for name in Sums.__dataclass_fields__}
    assert sums == printed["sums"]
    assert (said["adds_up"], said["skipped"]) == (True, 1)
    for name in ("exclusions", "skips", "refusals", "batches", "events", "editions", "requests"):
        assert said[name] == printed[name], name
    figures = container.figures.leaving(stored).sums  # the console's, and those of the issue
    assert all(getattr(figures, name) == count for name, count in sums.items())
    assert api.get(ISSUE).json()["counts"] == sums | {"adds_up": True}
    assert said["audience"] == said["deliveries"] + said["excluded"] == 7


def test_results_keep_people_and_machines_apart(api: ApiClient, container: TestContainer):
    assert kind_of(api.get(f"{ISSUE}/results")) == "conflict"
    sent(api, container)
    said = api.get(f"{ISSUE}/results").json()
    assert (said["opened"], said["bounced"], said["coming_in"]) == (
        {"people": 1, "machines": 1},
        1,
        True,
    )
    assert said["stories"][0]["clicked"] == {"people": 1, "machines": 0}
    assert said["topics"][0]["clicked"] == {"people": 1, "machines": 0}
    [day] = api.get("/results?newsletter=technology").json()["data"]
    assert day == {name: said[name] for name in day}
    assert api.get("/results?newsletter=science").status_code == 404
    assert pointers(api.get("/results")) == ["query/newsletter"]


def test_why_is_answered_in_a_sentence_and_recorded(api: ApiClient, container: TestContainer):
    sent(api, container)
    said = api.get(f"{ISSUE}/why?email=r2@example.com").json()
    stored = container.explaining.why(container.newsletter, "r2@example.com", TODAY)
    assert said["answer"] == stored.sentence
    assert "refused it for good: 550 no such user" in said["answer"]
    assert (said["letter"]["state"], said["suppressed"]) == ("bounced", "bounce")
    assert [one["outcome"] for one in said["letter"]["attempts"]] == ["accepted"]
    skipped = api.get(f"{ISSUE}/why?email=r4@example.com").json()
    assert (skipped["letter"]["skipped"], skipped["letter"]["attempts"]) == ("ended", [])
    nothing = api.post(f"{ISSUE}/why", {"email": "robot@example.com"}).json()
    assert nothing["letter"]["exclusion"] == "no_story"
    nobody = api.get(f"{ISSUE}/why?email=nobody@example.com").json()
    assert (nobody["subscription"], nobody["letter"]) == (None, None)
    looks = container.archive.recent(actor="token:test (1)", verb="explain", cursor=None).decisions
    assert (len(looks), looks[0].subject) == (4, "unknown address")


def test_an_old_issue_still_answers(api: ApiClient, container: TestContainer):
    sent(api, container)
    parts = ("account", "results", "editions", "letter")
    before = {part: api.get(f"{ISSUE}/{part}").json() for part in parts}
    let_go(container, 1)
    after = {part: api.get(f"{ISSUE}/{part}").json() for part in parts}
    assert before["account"].pop("letters_released") is None
    assert "its sums are kept" in after["account"].pop("letters_released")
    assert after == before
    assert api.get(ISSUE).json()["counts"]["adds_up"]
    why = api.get(f"{ISSUE}/why?email=r2@example.com").json()
    assert "no longer known" in why["answer"]


def test_a_date_without_an_issue_is_not_there(api: ApiClient):
    for part in ("account", "results", "why?email=r0@example.com", "editions", "letter"):
        path = f"/issues/technology/{date(2026, 11, 2)}/{part}"
        assert api.get(path).status_code == 404
