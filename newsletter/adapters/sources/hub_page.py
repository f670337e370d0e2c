"""A hub page saved as text, and the structure of any, whatever stands around it.

<Pillar> Daily Brief
<title>
<N> min read <source> <Verified | Partial | Unverified> [H | M | L]
<summary>
<body paragraphs>
View Source            (or the chrome: More <Pillar> intelligence, Stay ahead on <Pillar>)
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from newsletter.adapters.sources.cleaning import inline, plain
from newsletter.adapters.sources.fields import LABELS
from newsletter.adapters.sources.hub_facts import (
    PageBlock,
    begins_facts,
    in_usual_order,
    is_label,
    is_letter,
    read_facts,
    unlabelled_facts,
)
from newsletter.core.brief import Brief, Source, brief_key
from newsletter.errors import InvalidBrief

_SENTENCE_END = ".!?”\"'"
_WRAPPED = range(50, 101)  #: longest line, in characters, of a text wrapped when it was saved
_TITLE_LINES = 8  #: the heading stands at most so many lines above the title's last
_LINK_LENGTH = 2_100  #: characters; "View Source" and its address
_HEADING = re.compile(r"(?:[HML] )?(?P<pillar>\S.{0,59}?) daily brief", re.IGNORECASE)
_VIEW_SOURCE = re.compile(r"\W*view source\W*?(?P<url>https?://[^\s)>\]]+)?\W*", re.IGNORECASE)
_MORE = re.compile(r"more \S.{0,59}? intelligence", re.IGNORECASE)
_ADDRESS = re.compile(r"<?(?P<url>https?://[^\s>]+)>?", re.IGNORECASE)


def read_hub_text(text: str, place: str) -> tuple[Brief, ...]:
    """Return the briefs of pages that a browser saved, or a person copied, as one text."""
    return read_page(tuple(_lines(text)), place)


def _lines(text: str) -> Iterator[PageBlock]:
    gap = True
    for number, line in enumerate(map(plain, text.splitlines()), start=1):
        if line:
            markup = html.escape(line, quote=False)
            yield PageBlock(text=line, markup=markup, gap=gap, line=number)
        gap = not line


def read_page(blocks: Sequence[PageBlock], place: str) -> tuple[Brief, ...]:
    """Return the briefs of a hub page, mostly one; InvalidBrief says what is missing."""
    blocks = [_in_usual_order(block) for block in blocks]
    heads = _heads(blocks, place)
    main = next((head for head in heads if head.level == 1), heads[0])
    following = heads[heads.index(main) + 1 :]
    ends = [head.top for head in following] + [len(blocks)]
    _refuse_unended(blocks, main, following, place)
    return tuple(
        _brief(blocks[:end], head, place)
        for head, end in zip((main, *following), ends, strict=True)
        # One without an end of its own, or with a lesser heading, is a card that leads elsewhere.
        if head is main or (head.level == main.level and _is_ended(blocks[head.facts_at : end]))
    )


def _in_usual_order(block: PageBlock) -> PageBlock:
    return replace(block, text=in_usual_order(block.text), loose=in_usual_order(block.loose))


@dataclass(frozen=True, kw_only=True)
class _Head:
    """Where a story begins."""

    top: int  #: index of "<Pillar> Daily Brief"
    facts_at: int  #: of the line of facts below it
    level: int  #: of the heading that is its title; 0 in a text


def _brief(blocks: Sequence[PageBlock], head: _Head, place: str) -> Brief:
    """Return the brief that begins here; without a label of its own it is unverified."""
    top, facts_at = head.top, head.facts_at
    facts = read_facts(blocks, facts_at) or unlabelled_facts(blocks, facts_at)
    pillar = plain(_pillar(blocks[top]))
    title = _find_title(blocks[top + 1 : facts_at], place)
    end = _find_end(blocks, facts.end, pillar, place)
    text = list(_paragraphs(blocks[facts.end : end]))
    if not text:
        raise InvalidBrief(place, "there is no text after the line of facts")
    return Brief(
        key=brief_key(title),
        title=title,
        pillar=pillar,
        summary=" ".join(block.text for block in text[0]),
        body=tuple(inline(" ".join(block.markup for block in part)) for part in text[1:]),
        source=Source(name=facts.source, url=_source_url(blocks[end : end + 2])),
        verification=LABELS[facts.label],
        importance=facts.importance,
        minutes=facts.minutes,
    )


def _heads(blocks: Sequence[PageBlock], place: str) -> list[_Head]:
    """Return where stories begin; a heading's own line of facts is the first with a label."""
    starts = [at for at, block in enumerate(blocks) if begins_facts(block)]
    if not starts:
        raise InvalidBrief(place, 'not a hub page: there is no "<N> min read" line')
    tops: dict[int, list[int]] = {}
    for at in starts:
        if (top := _heading_above(blocks, at)) is not None:
            tops.setdefault(top, []).append(at)
    if not tops:
        missing = 'there is no "<Pillar> Daily Brief" line with a title under it'
        raise InvalidBrief(place, f'not a hub page: {missing} before the "min read" line')
    return [_head(blocks, top, lines) for top, lines in sorted(tops.items())]


def _head(blocks: Sequence[PageBlock], top: int, lines: Sequence[int]) -> _Head:
    facts_at = next((at for at in lines if read_facts(blocks, at)), lines[0])
    return _Head(top=top, facts_at=facts_at, level=_titled(blocks[top + 1 : facts_at])[0].heading)


def _refuse_unended(
    blocks: Sequence[PageBlock], main: _Head, following: Sequence[_Head], place: str
) -> None:
    """Refuse a text in which another story begins before the first one ends."""
    if main.level or not following:
        return
    if not _is_ended(blocks[main.facts_at : following[0].top]):
        both = " and ".join(_shown(blocks, head) for head in (main, following[0]))
        reason = f'cannot tell which story the page is about: {both}, without "View Source" between'
        raise InvalidBrief(place, reason)


def _shown(blocks: Sequence[PageBlock], head: _Head) -> str:
    block = _titled(blocks[head.top + 1 : head.facts_at])[0]
    return f"“{block.text:.60}” (line {block.line})"


def _is_ended(blocks: Sequence[PageBlock]) -> bool:
    return any(_view_source(b.text) or _MORE.fullmatch(b.text) for b in blocks)


def _heading_above(blocks: Sequence[PageBlock], at: int) -> int | None:
    """Return the nearest heading above the line of facts that has a title under it."""
    near = range(at - 2, max(at - 2 - _TITLE_LINES, -1), -1)
    return next(
        (top for top in near if _pillar(blocks[top]) and _titled(blocks[top + 1 : at])), None
    )


def _pillar(block: PageBlock) -> str:
    heading = _HEADING.fullmatch(block.loose or block.text)
    return heading["pillar"] if heading else ""


def _titled(between: Sequence[PageBlock]) -> list[PageBlock]:
    """Return what may be the title: headings if any, else all but a stray importance letter."""
    lines = [b for b in between if not is_letter(b) and not is_label(b.text)]
    return [block for block in lines if block.heading] or lines


def _find_title(between: Sequence[PageBlock], place: str) -> str:
    lines = _titled(between)
    if any(block.gap for block in lines[1:]):
        found = "; ".join(f'"{block.text[:40]}"' for block in lines)
        reason = f"cannot tell which line is the title; before the line of facts: {found}"
        raise InvalidBrief(place, reason)
    title = " ".join(block.text for block in lines)
    if not brief_key(title):
        raise InvalidBrief(place, f"the title {title!r} has neither letter nor digit")
    return title


def _find_end(blocks: Sequence[PageBlock], start: int, pillar: str, place: str) -> int:
    chrome = {f"{words} {pillar}".casefold() for words in ("stay ahead on", "view all")}
    chrome.add(f"more {pillar} intelligence".casefold())
    for at in range(start, len(blocks)):
        text = blocks[at].text
        if _view_source(text) or text.casefold() in chrome:
            return at
    missing = f'neither "View Source" nor "More {pillar} intelligence" closes the text'
    raise InvalidBrief(place, f"the page is cut short: {missing}")


def _view_source(line: str) -> re.Match[str] | None:
    return _VIEW_SOURCE.fullmatch(line) if len(line) <= _LINK_LENGTH else None


def _source_url(end: Sequence[PageBlock]) -> str:
    """Return the address of the "View Source" link, or the one behind or below it."""
    view = _view_source(end[0].text)
    if view is None:
        return ""
    below = _ADDRESS.fullmatch(end[1].text) if len(end) > 1 else None
    return end[0].href or view["url"] or (below["url"] if below else "")


def _paragraphs(blocks: Sequence[PageBlock]) -> Iterator[list[PageBlock]]:
    """Yield the blocks of each paragraph: one, or the lines it was wrapped into when saved."""
    width = max((len(block.text) for block in blocks), default=0)
    spaced = any(block.gap for block in blocks[1:])  # empty lines separate the paragraphs
    part = list(blocks[:1])
    for before, block in pairwise(blocks):
        full = len(before.text) + 1 + len(block.text.split()[0]) > width
        ended = block.gap or (not spaced and before.text[-1] in _SENTENCE_END)
        if width in _WRAPPED and full and not ended:
            part.append(block)
        else:
            yield part
            part = [block]
    if part:
        yield part
