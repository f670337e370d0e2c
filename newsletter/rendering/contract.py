"""The contract of a letter: what each of its parts must hold, whatever a template says.

It is checked on the galley of every issue, with its pieces still marked, so that it holds for every
edition. See docs/decisions/a-letters-contract.md.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from newsletter.core.edition import (
    ADDRESS_HTML,
    ADDRESS_TEXT,
    EDITION_TAGS,
    PREFERENCES_URL,
    RECIPIENT_TAGS,
    UNSUBSCRIBE_URL,
    Letter,
)
from newsletter.core.galley import PERSONAL, picture_piece, piece_of
from newsletter.core.transactional import TransactionalContext
from newsletter.errors import RenderingFailed
from newsletter.rendering.page import Page
from newsletter.rendering.story import LABELS, Story
from newsletter.rendering.visible import (
    ShownPart,
    ShownText,
    in_one_line,
    shown_of_html,
    shown_of_text,
)

_TAG = re.compile(r"-nl_[a-z_]+-")
_LINKS = {UNSUBSCRIBE_URL: "unsubscribe", PREFERENCES_URL: "change the preferences"}
#: What the pieces of a story begin with: its own, and that of its picture.
_OF_A_STORY = tuple(piece(0).rstrip("0") for piece in (piece_of, picture_piece))


@dataclass(frozen=True)
class ContractPart:
    """One part of a letter, as it is held against the contract."""

    name: str
    file: str  #: the template it was set from
    source: str  #: with its pieces marked
    shown: ShownPart
    address: str  #: the tag that is the recipient's address here
    note: frozenset[str] = field(default_factory=frozenset[str])  #: links of the editors' note

    @property
    def always(self) -> list[ShownText]:
        """Return what every recipient of every edition sees."""
        return [one for one in self.shown.texts if _reaches_all(one.pieces)]


def refuse_breaches(page: Page, html: str, text: str, *, html_file: str, text_file: str) -> None:
    """Raise RenderingFailed, with file and reason, for whatever a letter must hold and lacks."""
    note = frozenset(one.url for one in page.note.parts) if page.note else frozenset[str]()
    parts = (
        ContractPart("HTML", html_file, html, shown_of_html(html), ADDRESS_HTML, note),
        ContractPart("text", text_file, text, shown_of_text(text), ADDRESS_TEXT, note),
    )
    found = [f"{part.file}: {said}" for part in parts for said in _breaches(part, page)]
    if found:
        raise RenderingFailed("\n".join(found))


def refuse_transactional_breaches(
    letter: Letter, context: TransactionalContext, *, postal_address: str, folder: str
) -> None:
    """Raise RenderingFailed for what a letter to one person must hold and lacks."""
    parts = (
        ("HTML", f"{folder}/body.mjml.j2", shown_of_html(letter.html)),
        ("text", f"{folder}/body.txt.j2", shown_of_text(letter.text)),
    )
    found = [
        f"{file}: the {name} part {said}"
        for name, file, shown in parts
        for said in _transactional_breaches(shown, context, postal_address)
    ]
    if found:
        raise RenderingFailed("\n".join(found))


def _transactional_breaches(
    shown: ShownPart, context: TransactionalContext, postal_address: str
) -> Iterator[str]:
    said = in_one_line(shown.texts)
    links = {one.url for one in shown.links if one.text}
    for name in context.kind.links:
        if context.links[name] not in links:
            yield f"has no visible link of its own: {{{{ links.{name} }}}}"
    if postal_address and postal_address not in said:
        yield "does not show the postal address: {{ postal_address }}"
    if context.email not in said:
        yield "does not say to whom it is written, and why: {{ email }}"


def _breaches(part: ContractPart, page: Page) -> Iterator[str]:
    yield from _ways_out(part)
    yield from _sender(part, page)
    yield from _end(part, page)
    for story in page.stories:
        for said in (*_story(part, story), *_astray(part, story, page)):
            yield f"brief {story.brief_id}: the {part.name} part {said}"
    yield from _unknown_tags(part, page)
    yield from _misplaced(part)


def _ways_out(part: ContractPart) -> Iterator[str]:
    for tag, verb in _LINKS.items():
        links = (one for one in part.shown.links if one.url == tag and one.text)
        if not any(_reaches_all(one.pieces) for one in links):
            lacks = f"the {part.name} part has no visible link to {verb} in every edition"
            yield f"{lacks}: {_named(tag)} as the whole address of a link"


def _sender(part: ContractPart, page: Page) -> Iterator[str]:
    """Look for the postal address, and for a paragraph that says why one gets this."""
    if page.postal_address and page.postal_address not in in_one_line(part.always):
        yield f"the {part.name} part does not show the postal address: {{{{ postal_address }}}}"
    for block in {one.block for one in part.always if part.address in one.text}:
        if page.name in in_one_line([one for one in part.always if one.block == block]):
            return
    lacks = f"the {part.name} part does not say why one gets it"
    yield f"{lacks}: a paragraph with {_named(part.address)} and {{{{ name }}}}"


def _end(part: ContractPart, page: Page) -> Iterator[str]:
    """Look for the end between the last story and the way out."""
    texts = part.shown.texts
    last = max((n for n, one in enumerate(texts) if _in_story(one.pieces)), default=-1)
    behind = [one for one in texts[last + 1 :] if _reaches_all(one.pieces)]
    if page.period not in in_one_line(behind):
        lacks = f"the {part.name} part has no end behind its stories"
        yield f"{lacks}: a sentence with {{{{ period }}}}, such as “That’s all for {page.period}.”"


def _story(part: ContractPart, story: Story) -> Iterator[str]:
    """Yield what its piece lacks; each is looked for beside the others, which may contain it."""
    said = in_one_line([one for one in part.shown.texts if story.piece in one.pieces]).casefold()
    printed = {"title": story.title, "text": story.text, "why": story.why}
    printed |= {"label": story.label, "source": story.source, "open": story.unconfirmed}
    for name in ("title", "label", "source"):
        if (wanted := printed[name].casefold()) and said.count(wanted) < _times(wanted, printed):
            yield f"does not show its {name} within its piece: {{{{ story.{name} }}}}"
    if other := _other_label(said, story, printed):
        yield f"calls it “{other}”, while it is “{story.label}”"
    links = (one for one in part.shown.links if one.url == story.url)
    named = (one for one in links if one.text or not story.title)
    if story.url and not any(story.piece in one.pieces for one in named):
        yield "has no visible link to its source within its piece: {{ story.url }}"


def _astray(part: ContractPart, story: Story, page: Page) -> Iterator[str]:
    """Look for links to its source that are printed without a story of that source."""
    same = [one for one in page.stories if story.url and one.url == story.url]
    right = {one.picture.piece for one in same if one.picture} | {one.piece for one in page.stories}
    links = (one for one in part.shown.links if same and one.url == story.url)
    if story.url not in part.note and any(right.isdisjoint(one.pieces) for one in links):
        yield "links to its source outside of any story's piece, where every edition prints it"


def _times(wanted: str, printed: dict[str, str]) -> int:
    """Return how often all that is printed of a story contains this."""
    return sum(one.casefold().count(wanted) for name, one in printed.items() if name != "why")


def _other_label(said: str, story: Story, printed: dict[str, str]) -> str | None:
    """Return the label of another verification that the story bears."""
    for label in LABELS.values():
        folded = label.casefold()
        times = sum(one.casefold().count(folded) for one in printed.values())
        if folded not in story.label.casefold() and said.count(folded) > times:
            return label
    return None


def _unknown_tags(part: ContractPart, page: Page) -> Iterator[str]:
    known = [*RECIPIENT_TAGS, *EDITION_TAGS, *(section.count for section in page.sections)]
    web = [one for story in page.stories for one in (story.correction, story.page)]
    known += [one[1] for one in web if one]
    source = part.source
    for tag in known:
        source = source.replace(tag, "")
    for tag in sorted(set(_TAG.findall(source))):
        yield f"the {part.name} part has the tag {tag!r}, which nothing replaces"


def _misplaced(part: ContractPart) -> Iterator[str]:
    """Yield the tags that stand elsewhere than where a recipient's value belongs."""
    for tag in RECIPIENT_TAGS:
        right = _rightly(part, tag)
        if part.source.count(tag) > right:
            where = _belongs(part, tag)
            yield f"the {part.name} part has {_named(tag)} where it must not stand; {where}"


def _rightly(part: ContractPart, tag: str) -> int:
    """Count where a recipient's tag stands as it must: shown, and in the personal piece."""
    if tag in _LINKS:
        links = (one for one in part.shown.links if one.url == tag)
        return sum(one.pieces[-1:] == (PERSONAL,) for one in links)
    texts = part.shown.texts if tag == part.address else []
    return sum(one.text.count(tag) for one in texts if one.pieces[-1:] == (PERSONAL,))


def _belongs(part: ContractPart, tag: str) -> str:
    inside = "inside of `piece(personal)`"
    if tag in _LINKS:
        return f"it is the whole address of a visible link, {inside}"
    if tag == part.address:
        return f"it is visible text, {inside}"
    return f"it belongs in the {'text' if tag == ADDRESS_TEXT else 'HTML'} part"


def _named(tag: str) -> str:
    """Return a tag as templates name it."""
    return f"{{{{ tags.{tag.removeprefix('-nl_').removesuffix('-')} }}}}"


def _reaches_all(pieces: tuple[str, ...]) -> bool:
    return not pieces or pieces[-1] == PERSONAL


def _in_story(pieces: tuple[str, ...]) -> bool:
    return any(one.startswith(_OF_A_STORY) for one in pieces)
