"""What is in an issue's way: stops, looks with their ticks, and remarks."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine

from newsletter.core.brief import Source
from newsletter.core.galley import Galley, Span
from newsletter.core.link_check import LinkCheck, LinkState
from newsletter.core.preflight import PreflightGrade
from newsletter.errors import NotAllowed, NotFound
from newsletter.services.preflight import PreflightReport
from tests.container import TODAY, TestContainer, brief, open_container
from tests.settings import TECHNOLOGY
from tests.stores.test_forecast import open_reading

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = open_container(engine)
    container.subscribe(tmp_path, {"a@example.com": "chips", "b@example.com": "robotics"})
    return container


def report(container: TestContainer, **changes) -> PreflightReport:
    return container.preflight.report(replace(TECHNOLOGY, **changes), TODAY)


def keys(container: TestContainer, grade: PreflightGrade, **changes) -> list[str]:
    return [one.key for one in report(container, **changes).findings if one.grade is grade]


def test_nothing_to_print_stops_and_says_nothing_else(container):
    assert [one.key for one in report(container).findings] == ["nothing"]


def test_a_good_issue_has_no_stop(container):
    container.receive("chips")
    container.publishing.assemble(TECHNOLOGY, TODAY)
    found = report(container)
    assert found.stops == ()
    assert [one.key for one in found.looks] == ["without story robotics"]
    assert "1 reader chose" in found.looks[0].sentence
    remarks = keys(container, PreflightGrade.REMARK)
    assert {"minutes", "smallest size", "largest size"} <= set(remarks)


def test_looking_writes_nothing(container):
    container.receive("chips")
    container.publishing.assemble(TECHNOLOGY, TODAY)
    only_reads = {"options": "-c default_transaction_read_only=on"}
    engine = create_engine(container.engine.url, connect_args=only_reads)
    reading = open_reading(container, engine)
    assert reading.preflight.report(TECHNOLOGY, TODAY) == report(container)
    shown = reading.previews.for_email(TECHNOLOGY, TODAY, "a@example.com")
    assert shown.content_hash == report(container).content_hash
    assert reading.previews.last_inbox(TECHNOLOGY, TODAY) is None
    engine.dispose()


def test_what_a_letter_must_have_stops_when_it_is_missing(container):
    container.receive("chips")
    stops = keys(container, PreflightGrade.STOPS, postal_address="")
    assert {"address HTML", "address text"} <= set(stops)
    assert any("postal_address is empty" in one for one in stops)


def test_a_tag_that_was_left_over_stops(container):
    container.intake.receive(
        brief("chips", summary="Prices fell to {{ price }} a wafer, they say.")
    )
    found = report(container).stops
    assert "'{{'" in found[0].sentence
    assert "price" in found[0].sentence


def test_other_templates_than_those_it_was_set_with_stop(container):
    container.receive("chips")
    stored = container.publishing.assemble(TECHNOLOGY, TODAY)
    assert "templates" not in keys(container, PreflightGrade.STOPS)
    container.query(
        "UPDATE issue SET galley = jsonb_set(galley, '{text}', '[]') WHERE id = :i", i=stored.id
    )
    assert "templates" in keys(container, PreflightGrade.STOPS)


def test_a_letter_that_would_be_clipped_stops(container):
    container.receive("chips")
    short = len(container.previews.for_topics(TECHNOLOGY, TODAY, ["chips"]).letter.html)

    def tagline(size: int) -> str:
        return TECHNOLOGY.tagline + "x" * (size - short)

    assert "size" not in keys(container, PreflightGrade.LOOK, tagline=tagline(89_000))
    assert "size" in keys(container, PreflightGrade.LOOK, tagline=tagline(92_000))
    assert "size" in keys(container, PreflightGrade.STOPS, tagline=tagline(103_000))


def test_links_are_judged_by_their_latest_answer(container):
    urls = {one: f"https://wire.example/{one}" for one in ("chips", "policy", "security")}
    for topic, url in urls.items():
        container.intake.receive(brief(topic, source=Source(name="Wire", url=url)))
    remarks = keys(container, PreflightGrade.REMARK)
    assert {f"unchecked {url}" for url in urls.values()} <= set(remarks)
    now = container.clock.now()
    dead, unsure = LinkState.DEAD, LinkState.UNSURE
    container.link_check_store.save(
        [
            LinkCheck(url=urls["chips"], state=dead, reason="it answered 404", at=now),
            LinkCheck(url=urls["policy"], state=unsure, reason="it answered 403", at=now),
            LinkCheck(
                url=urls["security"],
                state=LinkState.FINE,
                final_url="https://parked.invalid/",
                at=now,
            ),
        ]
    )
    looks = keys(container, PreflightGrade.LOOK)
    assert f"dead {urls['chips']}" in looks
    assert f"moved {urls['security']} https://parked.invalid/" in looks
    assert f"unsure {urls['policy']}" in keys(container, PreflightGrade.REMARK)


def test_pictures_need_words_and_must_be_there(container):
    container.receive("chips")
    stored = container.publishing.proof(TECHNOLOGY, TODAY)
    pictures = (
        '<img src="https://pics.example/a.png"><img alt="b" src="https://pics.example/b.png">'
    )
    span = Span(pictures)
    changed = replace(stored.galley, html=(*stored.galley.html, span))
    container.publishing.renderer = SetRenderer(changed)
    state, now = LinkState.UNSURE, container.clock.now()
    container.link_check_store.save(
        [
            LinkCheck(
                url="https://pics.example/a.png", state=state, reason="it answered 500", at=now
            ),
            LinkCheck(
                url="https://pics.example/b.png",
                state=LinkState.FINE,
                final_url="https://pics.example/b.png",
                length=300_000,
                at=now,
            ),
        ]
    )
    looks = keys(container, PreflightGrade.LOOK)
    assert 'alt <img src="https://pics.example/a.png">' in looks
    assert "picture https://pics.example/a.png" in looks
    assert "large picture https://pics.example/b.png" in looks
    assert len([one for one in looks if one.startswith("alt")]) == 1


class SetRenderer:
    """A renderer that returns a galley made before."""

    def __init__(self, galley: Galley) -> None:
        self._galley = galley

    def set(self, *_) -> Galley:
        return self._galley

    def fingerprints(self) -> dict[str, str]:
        return {}


@pytest.fixture
def short_history(monkeypatch):
    """Let new words count although there is next to no history."""
    monkeypatch.setattr("newsletter.core.preflight._UNUSUAL", 1.0)


@pytest.mark.usefixtures("short_history")
def test_what_was_printed_before_is_remembered(container):
    container.receive("chips")
    container.send_issue()
    container.clock.pass_time(days=1)
    again = brief(
        "chips", key="again", title="A foundry halves the water it needs for a wafer again"
    )
    same = brief("policy", key="policy", source=again.source)
    container.intake.receive(again)
    container.intake.receive(same)
    for row in container.query("SELECT id FROM brief WHERE ruling <> 'accepted'"):
        container.intake.accept(row[0], actor="test")
    tomorrow = TODAY + timedelta(days=1)
    looks = [one.key for one in container.preflight.report(TECHNOLOGY, tomorrow).looks]
    assert any(one.startswith("repeat ") for one in looks)
    assert f"shared {again.source.url}" in looks
    assert any(one.startswith("new words ") and "court" in one for one in looks)


@pytest.mark.usefixtures("short_history")
def test_a_past_issue_is_read_once(container, monkeypatch):
    container.receive("chips")
    container.send_issue()
    container.clock.pass_time(days=1)
    container.receive("policy")
    tomorrow, history = TODAY + timedelta(days=1), container.issue_history
    first = container.preflight.report(TECHNOLOGY, tomorrow)
    read: list[int] = []
    monkeypatch.setattr(history, "said", lambda ids: read.extend(ids) or ())
    monkeypatch.setattr(history, "past", lambda ids: read.extend(ids) or {})
    assert container.preflight.report(TECHNOLOGY, tomorrow) == first
    assert read == []
    assert any(one.key.startswith("new words") for one in first.looks)


def test_a_tick_is_about_just_this_content(container):
    container.receive("chips")
    stored = container.publishing.assemble(TECHNOLOGY, TODAY)
    [look] = container.preflight.open(TECHNOLOGY, TODAY)

    def tick(**changes):
        given = {"content_hash": stored.content_hash, "finding": look.key, "actor": "ada"} | changes
        return container.preflight.tick(TECHNOLOGY, TODAY, **given)

    with pytest.raises(NotAllowed, match="changed since"):
        tick(content_hash="0")
    with pytest.raises(NotFound):
        tick(finding="no such")
    assert tick().open == ()
    [kept] = tick(actor="bob").ticks
    assert (kept.finding, kept.by) == (look.key, "ada")
    assert container.preflight.open(TECHNOLOGY, TODAY) == ()


def test_ticks_are_gone_when_a_story_changes(engine: Engine, tmp_path):
    container = open_container(engine, replace(TECHNOLOGY, approval="person"))
    container.subscribe(tmp_path, {"b@example.com": "robotics"})
    container.receive("chips")
    which = container.newsletter
    stored = container.publishing.assemble(which, TODAY)
    [look] = container.preflight.open(which, TODAY)
    digest = stored.content_hash
    container.preflight.tick(which, TODAY, content_hash=digest, finding=look.key, actor="ada")
    container.intake.receive(brief("chips", summary="Quite another summary, which is long enough."))
    assert look in container.preflight.open(which, TODAY)


def test_links_are_checked_when_a_draft_is_set_and_before_it_leaves(container):
    asked: list[str] = []

    def check(url, now):
        asked.append(url)
        return LinkCheck(url=url, state=LinkState.FINE, final_url=url, at=now)

    container.check_link = check
    container.clock.time = container.clock.time.replace(hour=9, minute=0)  # 04:00 New York
    container.receive("chips", "policy")
    assert container.link_checks.run() == 0
    container.publishing.assemble(TECHNOLOGY, TODAY)
    assert container.link_checks.run() == len(asked) == 2
    assert container.link_checks.run() == 0
    from newsletter.core.timetable import hours_of

    send = hours_of(TECHNOLOGY.timetable, TODAY).send
    container.clock.time = send - timedelta(minutes=16)
    assert container.link_checks.run() == 0
    container.clock.time = send - timedelta(minutes=14)
    assert (container.link_checks.run(), container.link_checks.run()) == (2, 0)
    container.clock.time = send + timedelta(minutes=1)
    assert container.link_checks.run() == 0
