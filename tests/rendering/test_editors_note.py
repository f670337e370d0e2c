"""The editors' note: in both parts and in every edition, as plain text with plain links."""

from dataclasses import replace
from pathlib import Path

from newsletter.core.edition import compose, edition_of
from newsletter.core.issue import Issue
from newsletter.core.publication import Newsletter
from newsletter.core.wording import NoteKind, Wording
from newsletter.rendering.renderer import IssueRenderer
from tests.rendering.conftest import VIEW_URL

_NOTE = (
    "Yesterday’s <b>first</b> story {{ 7 * 7 }} was wrong: [read on](https://example.org/?a=1&b=2)."
)


def _noted(issue: Issue, note: str = _NOTE, kind: NoteKind = NoteKind.CORRECTION) -> Issue:
    return replace(issue, wording=Wording(note=note, note_kind=kind))


def test_a_note_stands_in_every_edition_above_the_stories(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> None:
    noted = _noted(issue)
    galley = renderer.set(newsletter, noted)
    for entry in issue.entries:
        letter = compose(galley, edition_of(noted, [entry.brief_id]), view_url=VIEW_URL)
        assert letter.html.index("Correction.</strong>") < letter.html.index("1 story, 1 min read:")
        assert letter.text.index("Correction. Yesterday’s") < letter.text.index("IN THIS ISSUE")


def test_a_note_is_escaped_and_its_links_are_links(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> None:
    galley = renderer.set(newsletter, _noted(issue))
    html, text = ("".join(span.text for span in part) for part in (galley.html, galley.text))
    assert "&lt;b&gt;first&lt;/b&gt; story {{ 7 * 7 }} was wrong:" in html
    assert 'href="https://example.org/?a=1&amp;b=2"' in html
    assert "read on (https://example.org/?a=1&b=2)." in " ".join(text.split())


def test_a_cut_letter_with_a_note_equals_the_direct_one(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> None:
    noted = _noted(issue, kind=NoteKind.NOTE)
    ids = [entry.brief_id for entry in issue.entries][1:3]
    edition = edition_of(noted, ids)
    cut = compose(renderer.set(newsletter, noted), edition, view_url=VIEW_URL)
    assert cut == renderer.direct(newsletter, noted.only(ids), edition, view_url=VIEW_URL)


def test_a_letter_without_a_note_is_the_one_of_templates_that_know_none(
    renderer: IssueRenderer,
    spoiled: IssueRenderer,
    newsletter: Newsletter,
    issue: Issue,
    templates: Path,
) -> None:
    for name, part in (
        ("issue.mjml.j2", '    {% include "issue/parts/note.mjml.j2" %}\n'),
        ("issue.txt.j2", '\n{{ (note.label ~ " " ~ note.text) | wrap }}\n'),
    ):
        path = templates / "issue" / name
        before, rest = path.read_text().split(part)
        before, rest = before.rpartition("{% if note %}\n"), rest.partition("{% endif %}\n")
        path.write_text(before[0].rstrip(" ") + rest[2])
    assert spoiled.set(newsletter, issue) == renderer.set(newsletter, issue)
