"""How much a letter prints of a story: what leads it in full, the rest in a sentence."""

import re
from enum import StrEnum

from newsletter.core.brief import Brief, Importance

_END = re.compile(r"[.!?…؟۔]+[\"'”’»)\]]*(?=\s)|[。！？]+[」』”’）]*")
#: After these, or one letter, a full stop ends no sentence.
_ABBREVIATIONS = frozenset({
    "approx", "co", "corp", "dr", "fig", "gen", "gov", "inc", "jr", "ltd", "mr", "mrs", "ms",
    "no", "prof", "rep", "sen", "sr", "st", "vs",
})  # fmt: skip
_SHORTEST = 6  #: characters; what is shorter is a call, not a sentence


class StorySize(StrEnum):
    """How large a story is printed."""

    LEAD = "lead"  #: at the top: the whole summary, and why it matters
    STORY = "story"  #: under its topic: one sentence, and why it matters
    SMALL = "small"  #: of low importance: one sentence


def size_of(brief: Brief, *, lead: bool) -> StorySize:
    """Return the size of a story by its place and its importance."""
    if lead:
        return StorySize.LEAD
    return StorySize.SMALL if brief.importance is Importance.LOW else StorySize.STORY


def printed_text(brief: Brief, size: StorySize) -> str:
    """Return what is printed below the headline: the summary, or one sentence."""
    if size is StorySize.LEAD:
        return brief.summary
    return brief.line or first_sentence(brief.summary)


def printed_why(brief: Brief, size: StorySize) -> str:
    return "" if size is StorySize.SMALL else brief.why


def printed(brief: Brief, size: StorySize) -> tuple[object, ...]:
    """Return what readers see of a story, and what places it: equal if none sees a change."""
    texts = (brief.title, brief.short, printed_text(brief, size), printed_why(brief, size))
    facts = (brief.source, brief.verification, brief.unconfirmed, brief.minutes)
    picture = brief.picture if size is StorySize.LEAD else None
    return (*texts, *facts, picture, brief.importance, brief.pillar.casefold())


def printed_words(brief: Brief, size: StorySize) -> int:
    """Count the words a letter prints of a story of this size."""
    texts = (brief.title, printed_text(brief, size), printed_why(brief, size), brief.unconfirmed)
    return sum(len(text.split()) for text in texts)


def first_sentence(text: str) -> str:
    """Return the text up to the end of its first sentence; the whole if none ends before.

    >>> first_sentence("The U.S. plant opens. It is large.")
    'The U.S. plant opens.'
    """
    for end in _END.finditer(text):
        said = text[: end.end()].strip()
        if len(said) >= _SHORTEST and not _is_abbreviation(said):
            return said
    return text.strip()


def _is_abbreviation(said: str) -> bool:
    """Return whether what ends here may be an abbreviation, in which case the sentence goes on."""
    if not said.endswith("."):
        return False
    last = said[:-1].rpartition(" ")[2].lstrip("(“‘\"'").casefold()
    return last in _ABBREVIATIONS or len(last.rpartition(".")[2]) <= 1
