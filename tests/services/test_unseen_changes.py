"""A change that no reader sees voids no approval, loses no decision, and is no correction."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from newsletter.core.brief import Importance, Verification
from newsletter.core.stored import IssueStatus
from newsletter.core.verification import Ruling
from newsletter.services.receiving import Arrival
from tests.container import TODAY, TestContainer, brief, open_container
from tests.settings import TECHNOLOGY

pytestmark = pytest.mark.postgres

_LEADING = ("security", "policy", "software")
COUNTED = replace(brief("chips"), body=("Read by 3214",))


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    """An issue that the policy approved."""
    container = open_container(engine, TECHNOLOGY)
    container.intake.receive(COUNTED)
    approved = container.publishing.assemble(container.newsletter, TODAY)
    assert approved.state is IssueStatus.APPROVED
    return container


def state(container: TestContainer) -> IssueStatus:
    return container.publishing.issue(container.newsletter, TODAY).state


def test_an_unprinted_counter_voids_nothing(container: TestContainer) -> None:
    receipt = container.intake.receive(replace(COUNTED, body=("Read by 3299",)))
    assert receipt.arrival is Arrival.REVISED
    assert (state(container), receipt.stored.revision) == (IssueStatus.APPROVED, 2)
    assert container.publishing.issue(container.newsletter, TODAY).approved_hash


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another plant halves its water use"},
        {"summary": f"{COUNTED.summary} Said on Monday."},
        {"why": "It saves water."},
        {"minutes": 9},
        {"verification": Verification.PARTIAL},
        {"importance": Importance.HIGH},
        {"topics": ("policy",)},
    ],
)
def test_what_a_reader_would_see_voids_the_approval(
    container: TestContainer, change: dict[str, object]
) -> None:
    container.intake.receive(replace(COUNTED, **change))
    assert state(container) is IssueStatus.DRAFT


def test_a_sentence_that_only_a_lead_would_print_voids_nothing_elsewhere(
    engine: Engine,
) -> None:
    container = open_container(engine, TECHNOLOGY)
    leads = [replace(brief(one), importance=Importance.HIGH) for one in _LEADING]
    story = replace(brief("chips"), summary=f"{COUNTED.summary} More on Monday.", line="")
    for one in (*leads, story):
        container.intake.receive(one)
    container.publishing.assemble(container.newsletter, TODAY)
    entries = container.publishing.issue(container.newsletter, TODAY).issue.entries
    assert [one.lead for one in entries] == [True, True, True, False]

    further = replace(story, summary=f"{COUNTED.summary} More on Tuesday.")
    assert container.intake.receive(further).arrival is Arrival.REVISED
    assert state(container) is IssueStatus.APPROVED
    container.intake.receive(replace(leads[0], summary=f"{leads[0].summary} One more."))
    assert state(container) is IssueStatus.DRAFT


def test_what_the_gate_lets_through_no_longer_voids_it(container: TestContainer) -> None:
    receipt = container.intake.receive(replace(COUNTED, body=("<%open%>",)))
    assert receipt.stored.ruling is Ruling.REJECTED
    assert state(container) is IssueStatus.DRAFT


def test_after_it_was_sent_it_is_no_correction(container: TestContainer) -> None:
    container.planning.hand_over(container.newsletter, TODAY)
    arrivals = [
        container.intake.receive(replace(COUNTED, **change)).arrival
        for change in ({"body": ("Read by 3299",)}, {"summary": f"{COUNTED.summary} Not so."})
    ]
    assert arrivals == [Arrival.REVISED, Arrival.CORRECTION]


def test_what_a_person_waived_stays_waived(container: TestContainer) -> None:
    short = replace(COUNTED, minutes=99)
    held = container.intake.receive(short).stored
    container.intake.accept(held.brief_id, actor="anna")
    receipt = container.intake.receive(replace(short, body=("Read by 3299",)))
    assert (receipt.stored.ruling, receipt.stored.waived) == (
        Ruling.ACCEPTED,
        held.waived | {"minutes_plausible"},
    )
