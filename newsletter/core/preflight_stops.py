"""The checks before sending that stop an issue: it would be wrong, unlawful or clipped."""

import re
from collections.abc import Iterator
from html import unescape

from newsletter.core.edition import UNSUBSCRIBE_URL
from newsletter.core.galley import plain_line
from newsletter.core.letter_size import CLIPPED
from newsletter.core.preflight import PreflightContext, PreflightFinding, PreflightGrade

_LEFT_OVER = re.compile(r"-nl_[a-z_]+-|\{\{|\[\[")
_TAG = re.compile(r"<style\b.*?</style>|<!--.*?-->|<[^>]*>", re.DOTALL | re.IGNORECASE)


def stops(context: PreflightContext) -> Iterator[PreflightFinding]:
    """Yield why an issue cannot be approved."""
    if not context.issue.entries or context.whole is None:
        yield _stop("nothing", "There is no accepted brief to print.", mend="Accept a brief.")
        return
    for check in (_tags, _ways_out, _obstacles, _size, _subjects, _templates):
        yield from check(context)


def _stop(key: str, sentence: str, *, place: str = "", mend: str = "") -> PreflightFinding:
    return PreflightFinding(
        key=key, grade=PreflightGrade.STOPS, sentence=sentence, place=place, mend=mend
    )


def _tags(context: PreflightContext) -> Iterator[PreflightFinding]:
    """Look in the letter that prints everything, which holds all that any edition holds."""
    shown = context.shown
    parts = {"HTML part": shown.html, "text part": shown.text} if shown else {}
    for place, text in (*parts.items(), *_inbox_lines(context)):
        if found := _LEFT_OVER.search(text):
            around = " ".join(text[max(0, found.start() - 30) : found.end() + 30].split())
            sentence = f"A tag was left over: {found[0]!r} in {around!r}."
            mend = "Mend the brief or the template that prints it."
            yield _stop(f"tag {found[0]} {place}", sentence, place=place, mend=mend)


def _inbox_lines(context: PreflightContext) -> Iterator[tuple[str, str]]:
    """Yield each subject and preheader once, with its first edition: thousands share a few."""
    for part in ("subject", "preheader"):
        first: dict[str, str] = {}
        for one in context.editions:
            first.setdefault(getattr(one, part), one.key)
        yield from ((f"{part} of edition {key}", text) for text, key in first.items())


def _ways_out(context: PreflightContext) -> Iterator[PreflightFinding]:
    assert context.whole  # looked at by `stops`
    address = plain_line(context.newsletter.postal_address)
    for name, text in (("HTML", context.whole.html), ("text", context.whole.text)):
        if UNSUBSCRIBE_URL not in text:
            sentence = f"The {name} part has no link to unsubscribe."
            yield _stop(f"unsubscribe {name}", sentence, place="template", mend="Put it back.")
        if not address or address not in _visible(text):
            sentence = f"The {name} part has no postal address."
            mend = "Set postal_address in the newsletter's file, and print it in the template."
            yield _stop(f"address {name}", sentence, place="postal_address", mend=mend)


def _visible(text: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", text)).split())


def _obstacles(context: PreflightContext) -> Iterator[PreflightFinding]:
    for sentence in context.obstacles:
        yield _stop(f"obstacle {sentence}", sentence, place="settings")


def _size(context: PreflightContext) -> Iterator[PreflightFinding]:
    largest = context.largest
    if largest is None or not largest.is_large:
        return
    place, mend = f"edition {largest.edition.key}", "Leave out a story, or shorten summaries."
    size = f"The largest edition has {largest.bytes / 1000:.0f} kB of HTML"
    many = context.large_editions
    tail = f" {many} editions have more than 90." if many > 1 else ""
    if largest.is_clipped:
        below = f"Gmail cuts a letter after {CLIPPED / 1000:.0f}, and the links below."
        sentence = f"{size}; {below}{tail}"
        yield _stop("size", sentence, place=place, mend=mend)
        return
    yield PreflightFinding(
        key="size",
        grade=PreflightGrade.LOOK,
        sentence=f"{size}; from {CLIPPED / 1000:.0f} on Gmail cuts a letter.{tail}",
        place=place,
        mend=mend,
    )


def _subjects(context: PreflightContext) -> Iterator[PreflightFinding]:
    for edition in context.editions:
        if not edition.subject.strip():
            place = f"edition {edition.key}"
            yield _stop(f"no subject {edition.key}", "An edition has no subject.", place=place)


def _templates(context: PreflightContext) -> Iterator[PreflightFinding]:
    if context.other_templates:
        sentence = "What is stored was set with other templates or settings than there are now."
        yield _stop("templates", sentence, place="templates", mend="Assemble it again.")
