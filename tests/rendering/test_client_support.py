"""No feature comes into a letter unseen that a major mail program lacks.

Those in use are in `caniemail/baseline.json`, each with the programs that lack it: MJML itself uses
some. UPDATE_BASELINE=1 writes it anew; read its diff as a design.
"""

import json
import os
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from newsletter.core.edition import Letter
from newsletter.core.issue import Issue
from newsletter.core.publication import Newsletter
from newsletter.core.transactional import TransactionalKind
from newsletter.rendering.renderer import IssueRenderer
from newsletter.rendering.transactional import TransactionalRenderer, _sample
from tests.rendering.client_support import BASELINE, FOLDER, SUPPORT, Support, gaps, support
from tests.rendering.conftest import TEMPLATES


@pytest.fixture(scope="module")
def known() -> Support:
    return support()


@pytest.fixture(scope="module")
def letters(newsletter: Newsletter, letter: Letter) -> dict[str, str]:
    """The HTML of every letter of ours, by its name."""
    one = TransactionalRenderer(TEMPLATES)
    kinds = {kind.value: one.compose(newsletter, _sample(kind)) for kind in TransactionalKind}
    return {name: found.html for name, found in ({"issue": letter} | kinds).items()}


def _new_gaps(letters: dict[str, str], known: Support) -> Iterator[str]:
    """Yield what a letter uses, where, and which programs lack it, that the baseline has not."""
    accepted = json.loads(BASELINE.read_text(encoding="utf-8"))
    for name, html in letters.items():
        for slug, where, lacking in gaps(html, known):
            if new := sorted({*lacking} - {*accepted.get(slug, [])}):
                yield f"{known[slug][0]} ({slug}) in {name}, {where}: not in {', '.join(new)}"


def test_our_letters_use_nothing_new_that_a_major_program_lacks(
    letters: dict[str, str], known: Support
) -> None:
    if os.environ.get("UPDATE_BASELINE"):
        found = {
            slug: lacking for html in letters.values() for slug, _, lacking in gaps(html, known)
        }
        lines = ",\n".join(f"{json.dumps(s)}: {json.dumps(found[s])}" for s in sorted(found))
        BASELINE.write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    assert list(_new_gaps(letters, known)) == []


@pytest.mark.parametrize(
    ("name", "pattern", "new", "says"),
    [
        ("styles/inline.css", r"\.end \{", ".end { display: grid;", "(css-display-grid)"),
        ("styles/inline.css", r"\.end \{", ".end { column-gap: 2px;", "gap, column-gap, row-gap"),
        ("styles/inline.css", r"\.end \{", ".end { display: flex;", "css-display-flex"),
        ("styles/head.css", "^", "@supports (color: red) { p { margin: 0 } }\n", "css-at-supports"),
        ("styles/head.css", "^", ".end:has(p) { color: red }\n", "css-pseudo-class-has"),
        ("styles/head.css", "^", "p { width: clamp(1px, 2px, 3px) }\n", "css-function-clamp"),
        ("parts/end.mjml.j2", "<p class", '<p aria-describedby="x" class', "html-aria-describedby"),
    ],
)  # fmt: skip
def test_a_new_feature_is_named_with_its_place_and_who_lacks_it(
    templates: Path,
    spoiled: IssueRenderer,
    newsletter: Newsletter,
    issue: Issue,
    known: Support,
    name: str,
    pattern: str,
    new: str,
    says: str,
) -> None:
    part = templates / "issue" / name
    part.write_text(re.sub(pattern, new, part.read_text()))
    html = "".join(span.text for span in spoiled.set(newsletter, issue).html)
    found = list(_new_gaps({"issue": html}, known))
    assert any(says in one and "Outlook" in one and " in issue, " in one for one in found), found


def test_the_kept_data_is_what_its_note_says() -> None:
    note = (FOLDER / "VENDORED.md").read_text(encoding="utf-8")
    assert sha256(SUPPORT.read_bytes()).hexdigest() in note
