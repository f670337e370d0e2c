"""Results are counters; in whatever order events come, and how often, they equal the events."""

from collections import Counter, defaultdict
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from newsletter.core.events import EventKind
from newsletter.core.results import REPORTED, IssueResults, ResultWord, words_of
from newsletter.stores.issue_audit import audit_events
from subscribers.db.transaction import transaction
from tests.container import TODAY, TestContainer, brief, ids_of, open_container

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": ("chips" if n % 3 else "") for n in range(12)}
SOURCES = {topic: brief(topic).source.url for topic in ("chips", "policy")}
AT = 1795000000


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = open_container(engine)
    container.receive(*SOURCES)
    container.subscribe(tmp_path, READERS)
    container.send_issue()
    return container


def results(container: TestContainer) -> IssueResults:
    return container.results.of(container.issues.find("technology", TODAY))


def event(container: TestContainer, email: str, word: str, **more: Any) -> dict[str, Any]:
    claims = [claim for _, _, claim in container.mailer.asked]
    claim, place = next(
        (claim, place)
        for claim in claims
        for place, reader in enumerate(claim.recipients)
        if reader.email == email
    )
    posted = {"email": email, "event": word, "timestamp": AT, "sg_event_id": f"{email} {word}"}
    return posted | ids_of(claim, place) | more


def some_event(container: TestContainer, chance: Random, number: int) -> dict[str, Any]:
    word, more = chance.choice(
        [
            ("processed", {}),
            ("delivered", {}),
            ("dropped", {}),
            ("bounce", {}),
            ("bounce", {"type": "blocked", "bounce_classification": "Reputation"}),
            ("open", {}),
            ("open", {"sg_machine_open": True}),
            ("click", {"url": SOURCES["chips"]}),
            ("click", {"url": SOURCES["policy"] + "#top"}),
            ("click", {"url": SOURCES["chips"], "useragent": "curl/8.5.0"}),
            ("click", {"url": "https://example.org/elsewhere"}),
            ("spamreport", {}),
        ]
    )
    email = chance.choice(list(READERS))
    own = {"sg_event_id": f"event-{number}", "timestamp": AT + number}
    return event(container, email, word, **more | own)


def counted_from_events(container: TestContainer) -> dict[ResultWord, int]:
    reported: defaultdict[int, int] = defaultdict(int)
    for delivery, kind in container.query("SELECT place, kind FROM delivery_event"):
        reported[delivery] |= REPORTED.get(EventKind(kind), 0)
    return dict(Counter(word for bits in reported.values() for word in words_of(bits)))


def clicks_from_events(container: TestContainer, url: str) -> tuple[int, int]:
    hands: defaultdict[int, set[str]] = defaultdict(set)
    sql = "SELECT place, kind FROM delivery_event WHERE split_part(url, '#', 1) = :url"
    for delivery, kind in container.query(sql, url=url):
        hands[delivery].add(kind)
    people = sum("clicked" in one for one in hands.values())
    return people, len(hands) - people


@pytest.mark.parametrize("seed", range(4))
def test_counters_equal_what_the_events_say(container: TestContainer, seed: int) -> None:
    chance = Random(seed)
    events = [some_event(container, chance, number) for number in range(80)]
    while events:
        post = events[: chance.randint(1, 12)]
        del events[: chance.randint(1, len(post))]  # the rest of the post comes again
        container.receive_events(*post)
        chance.shuffle(events)

    with transaction(container.engine) as session:  # states have counters, too
        [(issue, *_)] = container.query("SELECT id FROM issue")
        assert container.deliveries.totals(issue).events == audit_events(session, issue)
    found = results(container)
    assert {w: n for w, n in found.words.items() if n} == counted_from_events(container)
    for story in found.stories:
        [topic] = story.topics
        assert (story.people, story.machines) == clicks_from_events(container, SOURCES[topic])
    assert found.last_event is not None
    assert found.last_event.timestamp() == pytest.approx(AT + 79, abs=60)


def test_a_story_is_compared_by_those_who_were_sent_it(container: TestContainer) -> None:
    click = event(container, "r1@example.com", "click", url=SOURCES["chips"])
    container.receive_events(click)
    chips, policy = sorted(results(container).stories, key=lambda one: one.topics)
    assert (chips.sent, policy.sent, chips.people, chips.share) == (12, 4, 1, 1 / 12)


def test_whoever_leaves_by_our_own_link_left_after_this_issue(container: TestContainer) -> None:
    container.clock.pass_time(hours=1)
    container.unsubscribe("r0@example.com")
    container.receive_events(event(container, "r1@example.com", "spamreport"))
    assert (results(container).left, results(container).count(ResultWord.COMPLAINED)) == (1, 1)


def test_a_late_event_moves_the_figures_and_the_trend(container: TestContainer) -> None:
    container.clock.pass_time(days=2)
    assert container.results.still_coming_in(results(container))
    container.receive_events(event(container, "r0@example.com", "delivered"))
    [line] = container.results.trend(container.newsletter)
    assert (line.date, line.accepted, line.count(ResultWord.ARRIVED)) == (TODAY, 12, 1)
    container.clock.pass_time(days=2)
    assert not container.results.still_coming_in(results(container))
    assert results(container).planned_at == container.clock.now() - timedelta(days=4)


def test_the_link_of_a_click_has_a_column_but_not_that_of_an_erased_reader(container) -> None:
    sql = "SELECT url FROM delivery_event ORDER BY place"
    container.receive_events(event(container, "r1@example.com", "click", url=SOURCES["chips"]))
    assert container.query(sql) == [(SOURCES["chips"],)]
    container.query("UPDATE delivery SET subscription_id = 0")
    late = event(container, "r2@example.com", "click", url=SOURCES["chips"], sg_event_id="z")
    container.receive_events(late)
    assert container.query(sql) == [(SOURCES["chips"],), (None,)]
