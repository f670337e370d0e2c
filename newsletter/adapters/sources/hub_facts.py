"""The line of facts of a hub page: reading time, source, label and importance."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.adapters.sources.cleaning import plain
from newsletter.adapters.sources.fields import LABELS
from newsletter.core.brief import Importance

_FACT_LINES = 6  #: the line of facts may stand on so many lines
_FACTS_LENGTH = 300  #: characters; a longer line is prose
_GAP = r"[\s·•|,;:–—-]*"
_LABEL = "|".join(label.replace(" ", r"[\s-]+") for label in LABELS)
_READ = re.compile(r"\W*(?P<minutes>\d{1,4})[\s-]*min(?:ute)?s?[\s-]+read\b", re.IGNORECASE)
_FACTS = re.compile(
    rf"{_READ.pattern}{_GAP}(?P<source>.*?)(?<=\W){_GAP}(?P<label>{_LABEL})"
    rf"(?:{_GAP}\b(?P<importance>[HML]))?{_GAP}",
    re.IGNORECASE,
)
_UNLABELLED = re.compile(
    rf"{_READ.pattern}{_GAP}(?P<source>.*?)(?:(?<=\W)(?P<importance>[HML]))?{_GAP}",
    re.IGNORECASE | re.DOTALL,
)
_LABEL_ALONE = re.compile(rf"{_GAP}(?P<label>{_LABEL})(?:{_GAP}\b[HML])?{_GAP}", re.IGNORECASE)
_LETTER = re.compile(r"[HML]")
_PARTED = re.compile(r"\s*[·•|]\s*")


@dataclass(frozen=True, kw_only=True)
class PageBlock:
    """A line of a text page, or a block of a marked-up one."""

    text: str  #: plain
    loose: str = ""  #: the same with a space at every inline element's edge, where CSS shows one
    markup: str = ""  #: inline HTML, not yet cleaned
    gap: bool = True  #: separated from the block before it, not merely its next line
    heading: int = 0  #: 1 to 6; 0: it is none
    line: int = 0  #: where it stands in the file, counted from 1
    href: str = ""  #: of the first link in it


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What stands between the title and the text."""

    minutes: int
    source: str
    label: str  #: a key of LABELS
    importance: Importance
    end: int  #: the first block after them


def read_facts(blocks: Sequence[PageBlock], at: int) -> Facts | None:
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
        line, complete = lines[count], is_label(lines[count - 1]) and facts["source"].strip()
        more_label = not complete and is_label(line)
        more_letter = not facts["importance"] and _LETTER.fullmatch(line)
        if not (more_label or more_letter):
            break
        count += 1
        facts = _match_facts(lines[:count])
    return count


def is_label(line: str) -> bool:
    return len(line) <= _FACTS_LENGTH and _LABEL_ALONE.fullmatch(line) is not None


def _facts_of(lines: Sequence[str], at: int) -> Facts | None:
    facts = _match_facts(lines)
    if facts is None:
        return None
    return Facts(
        minutes=int(facts["minutes"]),
        source=plain(facts["source"]),
        label=_label(facts["label"]),
        importance=Importance((facts["importance"] or "M").upper()),
        end=at + len(lines),
    )


def _label(written: str) -> str:
    return " ".join(written.lower().replace("-", " ").split())


def begins_facts(block: PageBlock) -> bool:
    return _READ.match(block.loose or block.text) is not None


def is_letter(block: PageBlock) -> bool:
    return _LETTER.fullmatch(block.text) is not None


def unlabelled_facts(blocks: Sequence[PageBlock], at: int) -> Facts:
    """Return the facts of a line without a label: unverified, but for one right above it."""
    found = _UNLABELLED.fullmatch((blocks[at].loose or blocks[at].text)[:_FACTS_LENGTH])
    above = _LABEL_ALONE.fullmatch(blocks[at - 1].text[:_FACTS_LENGTH])
    return Facts(
        minutes=int(found["minutes"]) if found else 0,
        source=plain(found["source"]) if found else "",
        label=_label(above["label"]) if above else "unverified",
        importance=Importance(((found and found["importance"]) or "M").upper()),
        end=at + 1,
    )


def in_usual_order(text: str) -> str:
    """Return a line of facts whose parts are separated by dots or bars as this site orders them."""
    parts = [part for part in _PARTED.split(text) if part]
    if len(text) > _FACTS_LENGTH or len(parts) < len(("minutes", "label")):
        return text
    minutes = [part for part in parts if _READ.fullmatch(part)]
    label = [part for part in parts if _LABEL_ALONE.fullmatch(part)]
    letter = [part for part in parts if _LETTER.fullmatch(part)]
    source = [part for part in parts if part not in (*minutes, *label, *letter)]
    known = len(minutes) == len(label) == 1 and len(source) <= 1
    return " · ".join((*minutes, *source, *label, *letter)) if known else text
