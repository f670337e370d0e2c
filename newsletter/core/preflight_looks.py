"""The checks before sending that a person answers with a tick, and what is worth knowing."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from statistics import median

from newsletter.core.edition import SUBJECT_LENGTH, edition_of
from newsletter.core.link_check import LinkState, picture_links, same_site
from newsletter.core.preflight import PreflightContext, PreflightFinding, PreflightGrade
from newsletter.core.preflight_stops import stops
from newsletter.core.similarity import alike

_REMEMBERED = timedelta(days=14)  #: how long a story is not printed again
_UNUSUAL = 0.3  #: of the usual number, more or less
_SUBJECTS = 30  #: whose subjects are not used again
_FEWEST = 3  #: issues of a weekday that make something usual
_WORDS_SHOWN = 20
_PICTURE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_LARGE = 200_000  #: bytes of a picture
_ALT = re.compile(r"\salt=", re.IGNORECASE)


def preflight(context: PreflightContext) -> tuple[PreflightFinding, ...]:
    """Return all findings: what stops the issue first, then what to look at, then the rest."""
    found = list(stops(context))
    if context.issue.entries:
        for check in (_links, _shared_links, _lost_promise, _subjects, _words, _repeats):
            found += check(context)
        for check in (_unusual, _without_story, _contrast, _pictures, _remarks):
            found += check(context)
    order = list(PreflightGrade)
    return tuple(sorted(found, key=lambda one: order.index(one.grade)))


def _look(key: str, sentence: str, *, place: str = "", mend: str = "") -> PreflightFinding:
    return PreflightFinding(
        key=key, grade=PreflightGrade.LOOK, sentence=sentence, place=place, mend=mend
    )


def _remark(key: str, sentence: str, place: str = "") -> PreflightFinding:
    return PreflightFinding(key=key, grade=PreflightGrade.REMARK, sentence=sentence, place=place)


def _links(context: PreflightContext) -> Iterator[PreflightFinding]:
    for entry in context.issue.entries:
        url, place = entry.brief.source.url, entry.brief.title
        check = context.links.get(url)
        if not url:
            continue
        if check is None:
            yield _remark(f"unchecked {url}", f"The link was not checked yet: {url}", place)
        elif check.state is LinkState.DEAD:
            sentence = f"The link is dead, {check.reason}: {url}"
            yield _look(f"dead {url}", sentence, place=place, mend="Change it, or hold the brief.")
        elif check.state is LinkState.UNSURE:
            sentence = f"The link could not be checked, {check.reason}: {url}"
            yield _remark(f"unsure {url}", sentence, place)
        elif not same_site(url, check.final_url):
            sentence = f"The link ends on another site: {url} leads to {check.final_url}"
            yield _look(f"moved {url} {check.final_url}", sentence, place=place)


def _shared_links(context: PreflightContext) -> Iterator[PreflightFinding]:
    stories: dict[str, list[str]] = defaultdict(list)
    for entry in context.issue.entries:
        if entry.brief.source.url:
            stories[entry.brief.source.url].append(entry.brief.title)
    for url, titles in stories.items():
        if len(titles) > 1:
            sentence = f"{len(titles)} stories have one link: {url}"
            yield _look(f"shared {url}", sentence, place="; ".join(titles))


def _lost_promise(context: PreflightContext) -> Iterator[PreflightFinding]:
    wording, entries = context.issue.wording, context.issue.entries
    line = wording.subject or wording.preheader
    if line and wording.about not in {None, *(entry.brief_id for entry in entries)}:
        sentence = f"Nobody gets “{line}”: the story that it promises is not in the issue."
        mend = "Choose the story that it promises, or empty the field."
        yield _look(f"lost promise {line}", sentence, mend=mend)


def _subjects(context: PreflightContext) -> Iterator[PreflightFinding]:
    """Look at each subject once, in however many editions it stands."""
    earlier = {one.subject.casefold(): one.date for one in context.past[:_SUBJECTS]}
    for edition in {one.subject: one for one in context.editions}.values():
        subject, place = edition.subject, f"edition {edition.key}"
        if len(subject) > SUBJECT_LENGTH:
            sentence = (
                f"A subject has {len(subject)} characters, more than {SUBJECT_LENGTH}: {subject}"
            )
            yield _look(f"long subject {subject}", sentence, place=place, mend="Shorten it.")
        if printed := earlier.get(subject.casefold()):
            sentence = f"The subject is that of {printed}: {subject}"
            yield _look(f"old subject {subject}", sentence, place=place)
        opening = subject.rstrip("…").casefold().strip()
        if opening and opening in edition.preheader.casefold():
            sentence = f"The preheader repeats the subject: {edition.preheader}"
            yield _look(f"repeated subject {subject}", sentence, place=place)


def _words(context: PreflightContext) -> Iterator[PreflightFinding]:
    words = context.new_words
    if words:
        more = len(words) - _WORDS_SHOWN
        tail = f" and {more} more" if more > 0 else ""
        shown = ", ".join(words[:_WORDS_SHOWN]) + tail
        key = f"new words {' '.join(words)}"
        yield _look(key, f"Never printed before: {shown}.", mend="Check how they are spelled.")


def _repeats(context: PreflightContext) -> Iterator[PreflightFinding]:
    since = context.issue.date - _REMEMBERED
    recent = [(one.date, title) for one in context.past for title in one.titles if one.date > since]
    for entry in context.issue.entries:
        if context.newsletter.week_of:  # a digest repeats its week
            return
        for day, title in recent:
            if alike(entry.brief.title, title):
                sentence = f"It is like a story printed on {day}: {title}"
                yield _look(f"repeat {entry.brief_id} {day}", sentence, place=entry.brief.title)
                break


def _unusual(context: PreflightContext) -> Iterator[PreflightFinding]:
    weekday = context.issue.date.weekday()
    usual = [one for one in context.past if one.date.weekday() == weekday]
    if len(usual) < _FEWEST:
        return
    numbers = {
        "stories": (len(context.issue.entries), median(len(one.titles) for one in usual)),
        "readers": (context.forecast.readers, median(one.readers for one in usual)),
    }
    for name, (now, before) in numbers.items():
        if abs(now - before) > _UNUSUAL * before:
            day = f"{context.issue.date:%A}"
            sentence = f"{now:,} {name}; a {day} usually has {before:,.0f}."
            yield _look(f"unusual {name}", sentence, place=name)


def _without_story(context: PreflightContext) -> Iterator[PreflightFinding]:
    people = sum(one.people for one in context.forecast.without_story)
    if not people:
        return
    topics = {slug for one in context.forecast.without_story for slug in one.topics.slugs}
    titles = [topic.title for topic in context.newsletter.topics if topic.slug in topics]
    whom = "1 reader chose" if people == 1 else f"{people:,} readers chose"
    sentence = f"{whom} only topics of which there is nothing today: {', '.join(titles)}."
    yield _look(f"without story {' '.join(sorted(topics))}", sentence, place="topics")


def _contrast(context: PreflightContext) -> Iterator[PreflightFinding]:
    for one in context.contrasts:
        sentence = (
            f"Text is hard to read in {one.scheme}: {one.text_color} on {one.background} has a "
            f"contrast of {one.ratio}, less than 4.5: {one.sample}"
        )
        key = f"contrast {one.scheme} {one.text_color} {one.background}"
        yield _look(key, sentence, place="template", mend="Change one of the colors.")


def _pictures(context: PreflightContext) -> Iterator[PreflightFinding]:
    html = context.whole.html if context.whole else ""
    for tag in dict.fromkeys(_PICTURE.findall(html)):
        if not _ALT.search(tag):
            sentence = f"A picture has no alternative text: {tag[:80]}"
            yield _look(f"alt {tag}", sentence, place="template", mend="Give it an alt attribute.")
    for url in picture_links(html):
        check = context.links.get(url)
        if check and check.state is not LinkState.FINE:
            sentence = f"A picture cannot be loaded, {check.reason}: {url}"
            yield _look(f"picture {url}", sentence, place="template")
        elif check and check.length > _LARGE:
            sentence = f"A picture has {check.length / 1000:.0f} kB: {url}"
            yield _look(f"large picture {url}", sentence, place="template", mend="Make it smaller.")


def _remarks(context: PreflightContext) -> Iterator[PreflightFinding]:
    ids = (entry.brief_id for entry in context.issue.entries)
    minutes = edition_of(context.issue, ids).minutes
    yield _remark("minutes", f"Everything takes {minutes} min to read.")
    for name, size in (("smallest", context.smallest), ("largest", context.largest)):
        if size:
            sentence = f"The {name} edition has {size.bytes / 1000:.1f} kB of HTML."
            yield _remark(f"{name} size", sentence, f"edition {size.edition.key}")
