"""Draft patch: several edits of a draft that are made together, or not at all."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypedDict

from newsletter.core.issue import Issue, arranged
from newsletter.core.issue_edits import IssueEdits, with_short_line
from newsletter.core.wording import (
    SUBJECT_LENGTH,
    NoteKind,
    Wording,
    faults_by_field,
    line_faults,
    on_one_line,
)
from newsletter.errors import InvalidEdit

_WORDING = frozenset({"subject", "preheader", "about", "note", "note_kind"})


class DraftPatch(TypedDict, total=False):
    """What is to be other about a draft; what is not in it stays as it is."""

    subject: str
    preheader: str
    about: int | None
    note: str
    note_kind: NoteKind
    order: tuple[int, ...]  #: every story of the issue; empty: by importance again
    lead: int | None  #: None: importance decides
    left_out: tuple[int, ...]  #: all that are left out; who is not in it any more is taken in
    short_lines: Mapping[int, str | None]  #: None for one takes it away


def patched(issue: Issue, edits: IssueEdits, patch: DraftPatch, *, leads: int) -> IssueEdits:
    """Return the edits that a patch makes of those so far; InvalidEdit names what is wrong."""
    offered = _offered(issue, edits, patch)
    after = _with_lead(_chosen(issue, edits, patch), patch, offered)
    here = [one.brief_id for one in issue.entries if one.brief_id in offered]
    after = _in_order(after, patch, here, offered)
    after = _with_lines(after, patch, offered)
    return _worded(arranged(issue, after, leads=leads), after, patch)


def _offered(issue: Issue, edits: IssueEdits, patch: DraftPatch) -> frozenset[int]:
    """Return the briefs that may be printed after the patch: of the issue, or taken in again."""
    every = {one.brief_id for one in issue.entries} | set(edits.left_out)
    return frozenset(every.difference(patch.get("left_out", edits.left_out)))


def _chosen(issue: Issue, edits: IssueEdits, patch: DraftPatch) -> IssueEdits:
    if "left_out" not in patch:
        return edits
    named = patch["left_out"]
    _refuse_strangers("left_out", named, {e.brief_id for e in issue.entries} | set(edits.left_out))
    pinned = None if edits.pinned in named else edits.pinned
    return replace(edits, left_out=named, pinned=pinned)


def _with_lead(edits: IssueEdits, patch: DraftPatch, offered: Iterable[int]) -> IssueEdits:
    if "lead" not in patch:
        return edits
    lead = patch["lead"]
    if lead is not None and lead not in offered:
        raise InvalidEdit("lead", f"brief {lead} is not in the issue")
    return replace(edits, pinned=lead)


def _in_order(
    edits: IssueEdits, patch: DraftPatch, here: list[int], offered: frozenset[int]
) -> IssueEdits:
    order = patch.get("order")
    if order is None or order == tuple(here):
        return edits
    if not order:
        return replace(edits, order=())
    _refuse_strangers("order", order, offered)
    if missing := [one for one in here if one not in order]:
        raise InvalidEdit("order", f"name every story: brief {missing[0]} is missing")
    if edits.pinned in order and order[0] != edits.pinned:
        raise InvalidEdit("order", f"brief {edits.pinned} is the lead, and comes first")
    return replace(edits, order=order)


def _refuse_strangers(field: str, named: tuple[int, ...], known: Iterable[int]) -> None:
    known = frozenset(known)
    for place, one in enumerate(named):
        if one not in known:
            raise InvalidEdit(f"{field}/{place}", f"brief {one} is not in the issue")
        if one in named[:place]:
            raise InvalidEdit(f"{field}/{place}", f"brief {one} is named twice")


def _with_lines(edits: IssueEdits, patch: DraftPatch, offered: frozenset[int]) -> IssueEdits:
    for brief_id, said in patch.get("short_lines", {}).items():
        field, line = f"short_lines/{brief_id}", " ".join((said or "").split())
        if brief_id not in offered and line:
            raise InvalidEdit(field, f"brief {brief_id} is not in the issue")
        if faults := " ".join(line_faults("short line", line, SUBJECT_LENGTH)):
            raise InvalidEdit(field, faults)
        edits = with_short_line(edits, brief_id, line)
    return edits


def _worded(issue: Issue, edits: IssueEdits, patch: DraftPatch) -> IssueEdits:
    given = {name: value for name, value in patch.items() if name in _WORDING}
    if not given:
        return edits
    wording = _promising(issue, replace(edits.wording, **on_one_line(given)))
    for field, fault in faults_by_field(wording):
        raise InvalidEdit(field, fault)
    return replace(edits, wording=wording)


def _promising(issue: Issue, wording: Wording) -> Wording:
    """Return the wording with the story that it is about: the first, unless one is named."""
    printed = [one.brief_id for one in issue.entries]
    if not printed or not (wording.subject or wording.preheader):
        return replace(wording, about=None)
    about = printed[0] if wording.about is None else wording.about
    if about not in printed:
        raise InvalidEdit("about", f"brief {about}, which the subject promises, is not printed")
    return replace(wording, about=about)
