"""The gate: named checks, their findings, and the verdict on a brief.

To add a check, write a function with `@check` here, in its place among the others: its name is the
function's, and every brief passes it from then on. The module is long because it is a list.
"""

import html
import re
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import wraps

from newsletter.core.boilerplate import boilerplate_in
from newsletter.core.brief import Brief, Verification
from newsletter.core.characters import misread
from newsletter.core.picture import why_unfit_picture
from newsletter.core.publication import Newsletter
from newsletter.core.similarity import alike
from newsletter.core.web_address import same_page, same_site, why_unfit


class Ruling(StrEnum):
    """What becomes of a brief."""

    ACCEPTED = "accepted"  #: may be printed
    HELD = "held"  #: waits for a person, or for a correction
    REJECTED = "rejected"  #: will not be printed as it is


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found; every finding is stored, also the good ones."""

    check: str = ""  #: its name, which `@check` fills in
    passed: bool
    reason: str  #: one sentence a marketer understands, with the evidence
    otherwise: Ruling = Ruling.HELD  #: what a failure leads to
    waivable: bool = True  #: whether a person may accept the brief all the same
    waived: bool = False  #: a person did


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The ruling on a brief, with all its findings and its final topics."""

    ruling: Ruling
    findings: tuple[Finding, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class KnownBrief:
    """Another brief, as far as the duplicate check needs it."""

    brief_id: int
    title: str
    url: str
    printed: bool  #: in an issue already approved or sent


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """What the checks may know besides the brief itself."""

    newsletter: Newsletter
    now: datetime
    topics: tuple[str, ...]  #: known ones only: the author's, else those the keyword rules suggest
    others: tuple[KnownBrief, ...]  #: recent briefs of the same pillar, this one left out
    received: datetime | None = None  #: when its first revision came; None: now


Check = Callable[[Brief, CheckContext], Finding]

CHECKS: list[Check] = []  #: every brief passes all of them, in this order


def check(function: Check) -> Check:
    """Add a function to the checks, under its own name."""

    @wraps(function)
    def named(brief: Brief, context: CheckContext) -> Finding:
        return replace(function(brief, context), check=function.__name__)

    CHECKS.append(named)
    return named


TITLE_LENGTH = range(8, 201)  #: characters; a shorter title says nothing, a longer one is a text
SUMMARY_LENGTH = range(40, 1201)  #: characters; a sentence at least, a short paragraph at most
WHY_LENGTH = range(1, 401)  #: characters; a sentence or two
SOURCE_NAME_LENGTH = range(1, 81)  #: characters; a name, not a list of them
SHORT_LENGTH = 60  #: characters of a subject
LINE_LENGTH = 250  #: characters of one sentence
MINUTES = range(1, 61)  #: a longer reading time is a slip of the pen
_CLOCK_SKEW = timedelta(hours=1)  #: how far ahead of ours a publisher's clock may be
#: What would be read as ours or SendGrid's: edition and recipient tags, piece marks, <%tags%>.
_TAG_SYNTAX = ("-nl_", "<!--[[", "<!--]]", "<%")


def ruling_of(findings: Iterable[Finding]) -> Ruling:
    """Return the worst ruling that a failed and unwaived finding leads to."""
    failed = {f.otherwise for f in findings if not (f.passed or f.waived)}
    for worst in (Ruling.REJECTED, Ruling.HELD):
        if worst in failed:
            return worst
    return Ruling.ACCEPTED


def verify(
    brief: Brief, context: CheckContext, *, waived: AbstractSet[str] = frozenset()
) -> Verdict:
    """Put the brief through every check and rule on it; `waived` names checks a person waived."""
    found = (one(brief, context) for one in CHECKS)
    findings = tuple(
        replace(f, waived=not f.passed and f.waivable and f.check in waived) for f in found
    )
    return Verdict(ruling=ruling_of(findings), findings=findings, topics=context.topics)


@check
def minimum_verification(brief: Brief, context: CheckContext) -> Finding:
    """Never unverified, whatever the newsletter's minimum; below its minimum: held."""
    label, minimum = brief.verification, context.newsletter.minimum_verification
    unverified = label is Verification.UNVERIFIED
    passed = not unverified and label.rank >= minimum.rank
    rest = "" if passed else ", and is never printed" if unverified else f"; {minimum} is required"
    otherwise = Ruling.REJECTED if unverified else Ruling.HELD
    reason = f"The brief is labelled {label}{rest}."
    return Finding(passed=passed, reason=reason, otherwise=otherwise, waivable=False)


@check
def source_name(brief: Brief, _: CheckContext) -> Finding:
    """Somebody must have reported it."""
    name = brief.source.name
    passed = any(character.isalnum() for character in name)
    if passed and len(name) not in SOURCE_NAME_LENGTH:
        return _length_finding("source's name", name, SOURCE_NAME_LENGTH)
    reason = f"The source is {name}." if passed else "No source is named; add who reported it."
    return Finding(passed=passed, reason=reason, waivable=False)


@check
def source_url(brief: Brief, _: CheckContext) -> Finding:
    """Readers must be able to follow the story to its source."""
    url = brief.source.url
    if not url:
        reason = "There is no link to the source; add the address where the story can be read."
        return Finding(passed=False, reason=reason, waivable=False)
    trouble = why_unfit(url)
    refused = f"The source link {url:.200} cannot be used: {trouble}."
    reason = refused if trouble else f"The source can be read at {url}."
    return Finding(passed=not trouble, reason=reason, waivable=False)


@check
def title_length(brief: Brief, _: CheckContext) -> Finding:
    """A title is there, and is a title."""
    return _length_finding("title", brief.title, TITLE_LENGTH)


@check
def summary_length(brief: Brief, _: CheckContext) -> Finding:
    """A summary is there, and is a summary."""
    return _length_finding("summary", brief.summary, SUMMARY_LENGTH)


@check
def readable(brief: Brief, _: CheckContext) -> Finding:
    """All of it could be read as its source meant it, in characters that are its own."""
    doubts = [doubt.reason for doubt in brief.doubts]
    texts = (brief.title, brief.summary, brief.why, *brief.body, brief.source.name)
    if wrong := next((found for text in texts if (found := misread(text))), ""):
        doubts.append(f"“{wrong}” was read in the wrong encoding, or could not be read.")
    reason = " ".join(doubts) or "All of it could be read."
    return Finding(passed=not doubts, reason=reason)


@check
def prose(brief: Brief, _: CheckContext) -> Finding:
    """A summary is somebody's sentence, not what a publishing system adds to every text."""
    found = boilerplate_in(brief.summary)
    reason = f"The summary holds what is no prose: “{found}”." if found else "The summary is prose."
    return Finding(passed=not found, reason=reason)


@check
def why_length(brief: Brief, _: CheckContext) -> Finding:
    """Why it matters is a sentence or two; none is fine."""
    if not brief.why.strip():
        return Finding(passed=True, reason="It does not say why it matters.")
    return _length_finding("why", brief.why, WHY_LENGTH)


@check
def known_topic(brief: Brief, context: CheckContext) -> Finding:
    """Without a topic no reader has chosen it, and no section prints it."""
    known = context.newsletter.topic_slugs
    strange = ", ".join(slug for slug in brief.topics if slug not in known)
    ignored = f" Not a topic of {context.newsletter.name}: {strange}." if strange else ""
    passed = bool(context.topics)
    missing = f"No topic fits; give it one of {', '.join(known)}."
    reason = f"It is about {', '.join(context.topics)}." if passed else missing
    return Finding(passed=passed, reason=reason + ignored, waivable=False)


@check
def freshness(brief: Brief, context: CheckContext) -> Finding:
    """News is new, and not of tomorrow; a brief without a date counts from its arrival."""
    since = brief.published or context.received
    if since is None:
        return Finding(passed=True, reason="It gives no date and counts as new.")
    age, limit = context.now - since, context.newsletter.caps.age_hours
    if age < -_CLOCK_SKEW:
        reason = f"Its date is in the future: {brief.published:%d %B %Y %H:%M}."
        return Finding(passed=False, reason=reason)
    hours = max(0, int(age / timedelta(hours=1)))
    passed = age <= timedelta(hours=limit)
    reason = f"It is {hours} hours old; stories may be {limit} hours old."
    return Finding(passed=passed, reason=reason)


@check
def duplicate(brief: Brief, context: CheckContext) -> Finding:
    """No story twice: held if it repeats a waiting brief, rejected if that one was printed."""
    same = [known for known in context.others if _same_story(brief, known)]
    if not same:
        reason = f"No other of {len(context.others)} recent briefs has this story."
        return Finding(passed=True, reason=reason)
    known = max(same, key=lambda known: known.printed)
    how = "links to the same page as" if same_page(brief.source.url, known.url) else "reads like"
    state = ", which was printed" if known.printed else ""
    reason = f"It {how} brief {known.brief_id}, “{known.title}”{state}."
    otherwise = Ruling.REJECTED if known.printed else Ruling.HELD
    return Finding(passed=False, reason=reason, otherwise=otherwise)


@check
def tag_syntax(brief: Brief, _: CheckContext) -> Finding:
    """Nothing that is printed may be taken for a tag of the letter."""
    printed = {
        "title": brief.title,
        "summary": brief.summary,
        "why": brief.why,
        "body": "\n".join(brief.body),
        "pillar": brief.pillar,
        "source name": brief.source.name,
        "source link": brief.source.url,
        "short line": brief.short,
        "sentence": brief.line,
        "what is not confirmed": brief.unconfirmed,
        "picture": brief.picture.url,
        "picture’s text": brief.picture.alt,
    }
    found = [name for name, text in printed.items() if has_tag_syntax(text)]
    reason = "Nothing in it can be mistaken for a tag of the letter."
    if found:
        tags = ", ".join(_TAG_SYNTAX)
        reason = f"Its {', '.join(found)} would be read as a tag of the letter ({tags})."
    otherwise = Ruling.REJECTED
    return Finding(passed=not found, reason=reason, otherwise=otherwise, waivable=False)


@check
def minutes_plausible(brief: Brief, _: CheckContext) -> Finding:
    """A reading time that a reader would believe; none is fine."""
    if brief.minutes == 0:
        return Finding(passed=True, reason="It gives no reading time.")
    passed = brief.minutes in MINUTES
    doubt = "" if passed else f"; {MINUTES[0]} to {MINUTES[-1]} would be plausible"
    return Finding(passed=passed, reason=f"It takes {brief.minutes} min to read{doubt}.")


@check
def short_texts(brief: Brief, _: CheckContext) -> Finding:
    """What is printed in place of the title or the summary is shorter than they are; none is fine.

    The short line is a subject.
    """
    limits = {"short line": (brief.short, SHORT_LENGTH), "sentence": (brief.line, LINE_LENGTH)}
    long = [
        f"Its {name} has {len(text)} characters; {limit} fit."
        for name, (text, limit) in limits.items()
        if len(text) > limit
    ]
    given = " and ".join(f"a {name}" for name, (text, _) in limits.items() if text)
    said = f"It has {given} of its own." if given else "It gives no shorter text."
    return Finding(passed=not long, reason=" ".join(long) or said)


@check
def picture(brief: Brief, _: CheckContext) -> Finding:
    """A picture that can be printed, with a text for those who do not see it; none is fine.

    Whoever accepts the brief all the same has it printed without.
    """
    if not brief.picture.url:
        return Finding(passed=True, reason="It has no picture.")
    trouble = why_unfit_picture(brief.picture)
    fine = f"Its picture shows: {brief.picture.alt}"
    reason = f"Its picture would not be printed: {trouble}." if trouble else fine
    return Finding(passed=not trouble, reason=reason)


def _length_finding(noun: str, text: str, fit: range) -> Finding:
    """Judge a length in characters; what is too short or long may be waived, nothing may not."""
    if not text.strip():
        return Finding(passed=False, reason=f"It has no {noun}.", waivable=False)
    passed = len(text) in fit
    doubt = "" if passed else f"; {fit[0]} to {fit[-1]} are expected"
    return Finding(passed=passed, reason=f"The {noun} has {len(text)} characters{doubt}.")


def _same_story(brief: Brief, known: KnownBrief) -> bool:
    """One page is one story; a title that recurs on another page of the same site is a column."""
    if same_page(brief.source.url, known.url):
        return True
    recurring = brief.title.casefold() == known.title.casefold() and same_site(
        brief.source.url, known.url
    )
    return not recurring and alike(brief.title, known.title)


def has_tag_syntax(text: str) -> bool:
    """Look at the text as it stands, as it reads, and as it reads without inline elements."""
    reads = html.unescape(text)
    bare = html.unescape(re.sub(r"</?[A-Za-z][^<>]*>", "", text))
    return any(tag in form.casefold() for tag in _TAG_SYNTAX for form in (text, reads, bare))
