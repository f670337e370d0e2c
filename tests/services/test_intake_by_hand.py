"""Briefs that people write and mend: the gate's answer before and after, and every revision."""

import pytest
from sqlalchemy import Engine

from newsletter.core.brief import Source, Verification
from newsletter.core.difference import brief_differences
from newsletter.core.verification import Ruling
from newsletter.errors import InvalidBrief, NotAllowed, NotFound
from newsletter.services.receiving import Arrival
from tests.container import TODAY, TestContainer, brief, open_container

pytestmark = pytest.mark.postgres

FIELDS = {
    "title": "A harbour counts its boats <b>by sound</b>",
    "summary": "Microphones under the quay tell sixty kinds of engines apart, day and night.",
    "source_name": "Example Wire",
    "source_url": "https://example.org/boats",
    "verification": Verification.VERIFIED,
    "topics": ("robotics",),
}


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return open_container(engine)


def failed(verdict) -> list[str]:
    return [finding.check for finding in verdict.findings if not finding.passed]


def test_a_written_brief_goes_through_the_gate_and_into_the_issue(container):
    receipt = container.intake.write(container.newsletter, FIELDS, actor="anna")
    assert (receipt.arrival, receipt.stored.ruling) == (Arrival.NEW, Ruling.ACCEPTED)
    assert receipt.stored.brief.title == "A harbour counts its boats by sound"
    assert len(receipt.stored.verdict.findings) > 5
    issue = container.publishing.assemble(container.newsletter, TODAY).issue
    assert [entry.brief_id for entry in issue.entries] == [receipt.stored.brief_id]
    [decision] = container.decisions.about(f"brief {receipt.stored.brief_id}")
    assert (decision.actor, decision.verb) == ("anna", "write")


def test_a_double_press_writes_one_brief_and_another_of_its_title_is_refused(container):
    first = container.intake.write(container.newsletter, FIELDS, actor="anna")
    again = container.intake.write(container.newsletter, FIELDS, actor="anna")
    assert (again.arrival, again.stored.brief_id) == (Arrival.UNCHANGED, first.stored.brief_id)
    with pytest.raises(NotAllowed, match="has this title already"):
        container.intake.write(container.newsletter, FIELDS | {"why": "It matters."}, actor="ben")


def test_what_a_person_writes_has_a_title_and_known_topics(container):
    with pytest.raises(InvalidBrief, match="title"):
        container.intake.write(container.newsletter, FIELDS | {"title": " … "}, actor="anna")
    with pytest.raises(NotFound, match="no topic 'boats'"):
        container.intake.write(container.newsletter, FIELDS | {"topics": ("boats",)}, actor="anna")
    assert container.query("SELECT count(*) FROM brief") == [(0,)]


def test_the_gate_answers_as_one_types_and_stores_nothing(container):
    half = {"title": "A harbour counts its boats", "summary": "Short."}
    verdict = container.intake.check(container.newsletter, half)
    assert verdict.ruling is Ruling.REJECTED
    assert {"minimum_verification", "source_name", "source_url"} <= set(failed(verdict))
    assert container.intake.check(container.newsletter, FIELDS).ruling is Ruling.ACCEPTED
    assert failed(container.intake.check(container.newsletter, {})) != []
    assert container.query("SELECT count(*) FROM brief") == [(0,)]


def test_the_gate_answers_for_an_edit_before_it_is_made(container):
    held = container.intake.receive(brief("chips", source=Source())).stored
    assert held.ruling is Ruling.HELD
    mended = {"source_name": "Example Wire", "source_url": "https://example.org/water"}
    verdict = container.intake.check(container.newsletter, mended, held.brief_id)
    assert verdict.ruling is Ruling.ACCEPTED
    assert container.briefs.get(held.brief_id).ruling is Ruling.HELD
    receipt = container.intake.edit(held.brief_id, mended, actor="anna")
    assert receipt.stored.verdict == verdict


def test_the_revisions_of_a_brief_say_who_made_them_and_what_changed(container):
    stored = container.intake.receive(brief("chips")).stored
    container.intake.edit(stored.brief_id, {"why": "Water is <i>dear</i>."}, actor="anna")
    first, second = container.briefs.revisions(stored.brief_id)
    assert [(one.revision, one.by) for one in (first, second)] == [(1, None), (2, "anna")]
    diff = brief_differences(first.brief, second.brief)
    assert {name: [piece.text for piece in pieces] for name, pieces in diff.items()} == {
        "why": ["Water is dear."]
    }


def test_holding_and_accepting_return_the_findings(container):
    stored = container.intake.receive(brief("chips", minutes=90)).stored
    accepted = container.intake.accept(stored.brief_id, actor="anna")
    assert [f.check for f in accepted.verdict.findings if f.waived] == ["minutes_plausible"]
    held = container.intake.hold(stored.brief_id, actor="anna")
    assert held.verdict.findings == accepted.verdict.findings
    decided = container.decisions.recent().decisions
    assert [(one.verb, one.newsletter) for one in decided] == [
        ("hold", "technology"),
        ("accept", "technology"),
    ]
