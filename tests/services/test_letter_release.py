"""The letters of an old issue are let go: its sums and results stay just as they were."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from newsletter.core.delivery import Refused, Remedy, Unknown
from newsletter.core.issue_people import IssueGroup, IssueReading
from newsletter.errors import NotFound
from subscribers.errors import InvalidSegment
from tests.container import TODAY, TestContainer, open_container
from tests.stores.test_results import some_event

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": ("chips" if n % 3 else "") for n in range(12)}
OTHERS = {"robots@example.com": "robotics", "gone@example.com": "", "quiet@example.com": ""}


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = open_container(engine)
    container.receive("chips", "policy")
    container.subscribe(tmp_path, READERS | OTHERS)
    container.unsubscribe("gone@example.com")
    return container


def let_go(container: TestContainer, *issue_ids: int) -> None:
    """Do what retention does: keep the sums, and drop the letters."""
    assert container.letter_releases.summarize(issue_ids) == ()
    for table in ("delivery_event", "story_click", "soft_bounce", "delivery"):
        container.query(f"TRUNCATE {table}")


def answers(container: TestContainer) -> dict[str, Any]:
    stored = container.issues.find("technology", TODAY)
    return {
        "totals": container.deliveries.totals(stored.id),
        "audit": container.deliveries.audit(stored.id),
        "results": container.results.of(stored),
        "trend": container.results.trend(container.newsletter),
        "figures": container.figures.leaving(stored),
        "metrics": [line for line in _metrics(container) if "technology" in line],
        "health": container.list_health.report(container.newsletter),
        "line": container.issue_history.listed("technology", before=None, limit=9),
    }


def _metrics(container: TestContainer) -> list[str]:
    from newsletter.adapters.metrics import Metrics

    found = Metrics(container.engine, audit=container.deliveries.audit, counts=dict)()
    return found.decode().splitlines()


@pytest.mark.parametrize("seed", range(3))
def test_every_sum_and_result_is_the_same_after_its_letters_are_gone(container, seed: int) -> None:
    chance, newsletter = Random(seed), container.newsletter
    stored = container.plan_issue()
    container.unsubscribe("r2@example.com")
    offended = Refused(reason="no such name", remedy=Remedy.EJECT, offenders=(0,))
    container.mailer.answers = [offended]
    container.queue.work(until_empty=True)
    container.receive_events(*_posted(container, chance))
    container.unsubscribe("quiet@example.com")
    container.clock.pass_time(days=400)

    before = answers(container)
    assert before["totals"].sums.adds_up
    assert before["totals"].exclusions == {"ended": 1, "no_story": 1}
    assert (before["totals"].skips, before["totals"].sums.refused) == ({"ended": 1}, 1)
    assert before["results"].left == 1
    let_go(container, stored.id)
    assert answers(container) == before
    assert container.rows()["exclusion"] == 0
    let_go(container, stored.id)  # broken off before, and done again
    assert answers(container) == before
    container.receive_events(*_posted(container, chance))  # late ones move nothing of it
    assert answers(container) == before | {"health": container.list_health.report(newsletter)}


def _posted(container: TestContainer, chance: Random) -> list[dict[str, Any]]:
    (_, _, refused), *taken = container.mailer.asked  # an event of the first would prove it
    sent = {one.email for _, _, claim in taken for one in claim.recipients}
    sent -= {one.email for one in refused.recipients}
    return [
        one
        for number in range(40)
        if (one := _some(container, chance, number)) and one["email"] in sent
    ]


def _some(container: TestContainer, chance: Random, number: int) -> dict[str, Any] | None:
    try:
        return some_event(container, chance, number)
    except StopIteration:  # it was for one who got no letter
        return None


def test_what_was_let_go_is_said_wherever_one_person_is_asked_about(container) -> None:
    newsletter, stored = container.newsletter, container.send_issue()
    someone = container.subscriptions.by_email("r1@example.com")[0].subscriber_id
    assert len(container.people.data(someone)["issues"]) == 1
    container.clock.pass_time(days=400)
    let_go(container, stored.id)

    gone = "The letters of this issue were let go on 2027-12-28, after 400 days; its sums are kept."
    for email in ("r1@example.com", "robots@example.com"):
        found = container.explaining.why(newsletter, email, TODAY)
        assert found.sentence == f"{gone} What became of one letter of it is no longer known."
    with pytest.raises(NotFound, match="Who is behind them is no longer known"):
        list(container.issue_people.all(stored, IssueReading.SENT, actor="ana"))
    assert container.issue_people.page(stored, IssueGroup.NOTHING).people == ()

    [line] = [x for x in container.people.history(someone) if x.what == "letters let go"]
    assert line.about == "technology"
    assert line.detail == f"who got the 1 issue of {TODAY} is no longer known; their sums are kept"
    data = container.people.data(someone)
    assert data["issues"] == []
    assert data["issues_no_longer_known"] == [
        {
            "newsletter": "technology",
            "from": TODAY.isoformat(),
            "to": TODAY.isoformat(),
            "since": container.clock.now().isoformat(),
        }
    ]


def test_a_segment_of_those_who_read_what_was_let_go_is_refused_and_not_empty(container) -> None:
    newsletter, stored = container.newsletter, container.send_issue()
    [(story, *_)] = container.query("SELECT brief_id FROM issue_brief LIMIT 1")
    latest = container.segments.read(newsletter.slug, {"opened": ["last-1"]}, ())
    asked = ({"opened": [str(TODAY)]}, {"clicked_stories": [str(story)]})
    for given in asked:
        assert container.segments.read(newsletter.slug, given, ()) != latest
    let_go(container, stored.id)
    for given in asked:
        with pytest.raises(InvalidSegment, match="nobody knows any longer who read them"):
            container.segments.read(newsletter.slug, given, ())
    assert container.segments.read(newsletter.slug, {"opened": ["last-1"]}, ()) == latest


def test_no_issue_from_before_their_time_is_in_the_history_of_a_newcomer(
    container, tmp_path
) -> None:
    stored = container.send_issue()
    container.clock.pass_time(days=400)
    container.subscribe(tmp_path, {"new@example.com": ""})
    let_go(container, stored.id)
    [new] = container.subscriptions.by_email("new@example.com")
    assert "letters let go" not in [x.what for x in container.people.history(new.subscriber_id)]


def test_an_issue_with_an_answer_that_was_lost_keeps_its_letters_and_so_do_its_neighbours(
    container,
) -> None:
    container.mailer.answers = [Unknown(reason="lost")]
    stored = container.send_issue()
    before = container.rows(), container.deliveries.totals(stored.id)
    assert container.letter_releases.summarize([stored.id, stored.id + 1]) == (stored.id,)
    assert (container.rows(), container.deliveries.totals(stored.id)) == before
    assert container.query("SELECT count(*) FROM issue_summary") == [(0,)]


def test_a_draft_is_none_of_its_business(container) -> None:
    stored = container.publishing.assemble(replace(container.newsletter, approval="person"), TODAY)
    assert container.letter_releases.summarize([stored.id]) == ()
    assert container.query("SELECT count(*) FROM issue_summary") == [(0,)]
