"""Several edits of a draft at once, as the API makes them."""

import pytest

from newsletter.core.draft_patch import DraftPatch, patched
from newsletter.core.issue import Issue, sample_issue
from newsletter.core.issue_edits import IssueEdits
from newsletter.core.wording import Wording
from newsletter.errors import InvalidEdit
from tests.settings import TECHNOLOGY

ISSUE = sample_issue(TECHNOLOGY)
IDS = tuple(one.brief_id for one in ISSUE.entries)
A, B, C, *REST = IDS
NONE = IssueEdits()


def after(patch: DraftPatch, edits: IssueEdits = NONE, issue: Issue = ISSUE) -> IssueEdits:
    return patched(issue, edits, patch, leads=1)


def test_an_empty_patch_and_the_order_that_is_change_nothing():
    edits = IssueEdits(order=IDS, pinned=A, wording=Wording(subject="x", about=A))
    assert after({}, edits) == edits
    assert after({"order": IDS}) == NONE


def test_who_is_left_out_leads_no_longer_and_can_be_taken_in_and_ordered_at_once():
    out = after({"left_out": (A,)}, IssueEdits(pinned=A))
    assert (out.left_out, out.pinned) == ((A,), None)
    without = ISSUE.only(IDS[1:])
    again = after({"left_out": (), "order": (B, A, C, *REST), "lead": B}, out, without)
    assert (again.left_out, again.order, again.pinned) == ((), (B, A, C, *REST), B)
    assert after({"order": IDS[1:]}, out, without) == out  # the one that is taken in may miss


def test_the_subject_promises_the_first_story_of_the_new_order():
    assert after({"subject": "x", "order": (B, A, C, *REST)}).wording.about == B
    kept = IssueEdits(wording=Wording(subject="x", about=A))
    assert after({"note": "y"}, kept).wording.about == A
    with pytest.raises(InvalidEdit) as refused:
        after({"note": "y", "left_out": (A,)}, kept)
    assert refused.value.field == "about"
    assert after({"subject": "", "left_out": (A,)}, kept).wording.about is None
