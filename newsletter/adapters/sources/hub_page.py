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
from dataclasses import dataclass
from itertools import pairwise

from newsletter.adapters.sources.cleaning import inline, plain
from newsletter.adapters.sources.fields import LABELS
from newsletter.core.brief import Brief, Importance, Source, brief_key
from newsletter.errors import InvalidBrief

_SENTENCE_END = ".!?”\"'"
_WRAPPED = range(50, 101)  #: longest line, in characters, of a text wrapped when it was saved
_FACT_LINES = 6  #: the line of facts may stand on so many lines
_TITLE_LINES = 8  #: the heading stands at most so many lines above the title's last
_FACTS_LENGTH = 300  #: characters; a longer line is prose
_LINK_LENGTH = 2_100  #: characters; "View Source" and its address
_GAP = r"[\s·•|,;:–—-]*"
_LABEL = "|".join(label.replace(" ", r"[\s-]+") for label in LABELS)
_READ = re.compile(r"\W*(?P<minutes>\d{1,4})\s*min(?:ute)?s?\s+read\b", re.IGNORECASE)
_FACTS = re.compile(
    rf"{_READ.pattern}{_GAP}(?P<source>.*?)(?<=\W){_GAP}(?P<label>{_LABEL})"
    rf"(?:{_GAP}\b(?P<importance>[HML]))?{_GAP}",
    re.IGNORECASE,
)
_LABEL_ALONE = re.compile(rf"{_GAP}(?:{_LABEL})(?:{_GAP}\b[HML])?{_GAP}", re.IGNORECASE)
_LETTER = re.compile(r"[HML]")
_HEADING = re.compile(r"(?:[HML] )?(?P<pillar>\S.{0,59}?) daily brief", re.IGNORECASE)
_VIEW_SOURCE = re.compile(r"\W*view source\W*?(?P<url>https?://[^\s)>\]]+)?\W*", re.IGNORECASE)
_ADDRESS = re.compile(r"<?(?P<url>https?://[^\s>]+)>?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class PageBlock:
    """A line of a text page, or a block of a marked-up one."""

    text: str  #: plain
    loose: str = ""  #: the same with a space at every inline element's edge, where CSS shows one
    markup: str = ""  #: inline HTML, not yet cleaned
    gap: bool = True  #: separated from the block before it, not merely its next line
    heading: bool = False  #: h1 to h6
    href: str = ""  #: of the first link in it


def read_hub_text(text: str, place: str) -> Brief:
    """Return the brief of a page that a browser saved, or a person copied, as text."""
    return read_page(tuple(_lines(text)), place)


def _lines(text: str) -> Iterator[PageBlock]:
    gap = True
    for line in map(plain, text.splitlines()):
        if line:
            yield PageBlock(text=line, markup=html.escape(line, quote=False), gap=gap)
        gap = not line


def read_page(blocks: Sequence[PageBlock], place: str) -> Brief:
    """Return the one brief of a hub page; InvalidBrief says which part of the page is missing."""
    top, facts_at = _find_heading(blocks, place)
    facts = _read_facts(blocks, facts_at)
    if facts is None:
        line = blocks[facts_at].text[:80]
        raise InvalidBrief(place, f'no label (Verified, Partial or Unverified) after "{line}"')
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


def _find_heading(blocks: Sequence[PageBlock], place: str) -> tuple[int, int]:
    """Return the index of the heading, and that of the line of facts below it."""
    starts = [at for at, block in enumerate(blocks) if _READ.match(block.loose or block.text)]
    if not starts:
        raise InvalidBrief(place, 'not a hub page: there is no "<N> min read" line')
    headed = [(top, at) for at in starts if (top := _heading_above(blocks, at)) is not None]
    if not headed:
        missing = 'there is no "<Pillar> Daily Brief" line with a title under it'
        raise InvalidBrief(place, f'not a hub page: {missing} before the "min read" line')
    complete = (pair for pair in headed if _read_facts(blocks, pair[1]))
    return next(complete, headed[0])


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
    lines = [block for block in between if not _LETTER.fullmatch(block.text)]
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


@dataclass(frozen=True, kw_only=True)
class _Facts:
    minutes: int
    source: str
    label: str  #: a key of LABELS
    importance: Importance
    end: int  #: the first block after them


def _read_facts(blocks: Sequence[PageBlock], at: int) -> _Facts | None:
    """Return the facts that begin in this block; an inline element's edge may separate words."""
    window = blocks[at : at + _FACT_LINES]
    for lines in ([b.text for b in window], [b.loose or b.text for b in window]):
        for count in range(1, len(lines) + 1):
            if _match_facts(lines[:count]):
                return _facts_of(lines[: _with_more_facts(lines, count)], at)
    return None


def _match_facts(lines: Sequence[str]) -> re.Match[str] | None:
    line = " ".join(lines)
    return _FACTS.fullmatch(line) if len(line) <= _FACTS_LENGTH else None


def _with_more_facts(lines: Sequence[str], count: int) -> int:
    """Return how many lines are facts: a source may end in a word that looked like the label."""
    facts = _match_facts(lines[:count])
    while facts and count < len(lines):
        line, complete = lines[count], _is_label(lines[count - 1]) and facts["source"].strip()
        more_label = not complete and _is_label(line)
        more_letter = not facts["importance"] and _LETTER.fullmatch(line)
        if not (more_label or more_letter):
            break
        count += 1
        facts = _match_facts(lines[:count])
    return count


def _is_label(line: str) -> bool:
    return len(line) <= _FACTS_LENGTH and _LABEL_ALONE.fullmatch(line) is not None


def _facts_of(lines: Sequence[str], at: int) -> _Facts | None:
    facts = _match_facts(lines)
    if facts is None:
        return None
    return _Facts(
        minutes=int(facts["minutes"]),
        source=plain(facts["source"]),
        label=" ".join(facts["label"].lower().replace("-", " ").split()),
        importance=Importance((facts["importance"] or "M").upper()),
        end=at + len(lines),
    )


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
