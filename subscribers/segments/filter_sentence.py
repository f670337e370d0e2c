"""A filter in words."""

from collections.abc import Iterable

from subscribers.segments.filters import Filter, SubscriberState
from subscribers.segments.issues import IssueRef

_WHO = {
    None: "everyone",
    SubscriberState.MAILABLE: "everyone who may be written to",
    SubscriberState.ACTIVE: "everyone who has not left",
    SubscriberState.PAUSED: "everyone who paused",
    SubscriberState.ENDED: "everyone who left",
    SubscriberState.SUPPRESSED: "everyone on the suppression list",
}


def describe(chosen: Filter) -> str:
    """Return a filter as a sentence without a full stop."""
    among = "; or ".join(describe(one) for one in chosen.any_of)
    own = ", ".join(words for given, words in _parts(chosen) if given)
    if not among:
        return own
    return among if chosen == Filter(any_of=chosen.any_of) else f"{own}, and of them {among}"


def _parts(chosen: Filter) -> Iterable[tuple[object, str]]:
    yield True, _WHO[chosen.status]
    yield chosen.topics, f"with a choice of {_listed(chosen.topics, 'or')}"
    yield chosen.tags, f"tagged {_listed(chosen.tags, 'or')}"
    yield chosen.tags_all, f"tagged {_listed(chosen.tags_all, 'and')}"
    yield chosen.tags_none, f"not tagged {_listed(chosen.tags_none, 'or')}"
    yield chosen.frequency, f"{chosen.frequency} readers"
    yield chosen.zones, f"in {_listed(chosen.zones, 'or')}"
    yield chosen.domains, f"at {_listed(chosen.domains, 'or')}"
    yield chosen.not_domains, f"not at {_listed(chosen.not_domains, 'or')}"
    yield chosen.source, f"who came by {chosen.source}"
    yield chosen.joined_since, f"who joined on {chosen.joined_since} or later"
    yield chosen.joined_before, f"who joined before {chosen.joined_before}"
    yield from _engagement(chosen)


def _engagement(chosen: Filter) -> Iterable[tuple[object, str]]:
    days = chosen.not_engaged_within
    yield chosen.engaged_within, f"who opened or clicked within {chosen.engaged_within} days"
    yield days, f"who have been subscribed for {days} days without opening or clicking"
    yield chosen.received, f"who got {_issues(chosen.received)}"
    yield chosen.opened, f"who opened {_issues(chosen.opened)}"
    yield chosen.not_opened, f"who got {_issues(chosen.not_opened)} and opened none"
    yield chosen.clicked, f"who followed a link in {_issues(chosen.clicked)}"
    yield chosen.not_clicked, f"who got {_issues(chosen.not_clicked)} and followed no link in it"
    stories = _listed(map(str, chosen.clicked_stories), "or")
    yield chosen.clicked_stories, f"who followed the link of the story {stories}"


def _issues(asked: Iterable[IssueRef]) -> str:
    return _listed(map(_issue, asked), "or")


def _issue(ref: IssueRef) -> str:
    if ref.day:
        return f"the issue of {ref.day}{f', {ref.newsletter}' if ref.newsletter else ''}"
    whose = f" of {ref.newsletter}" if ref.newsletter else ""
    which = "the last issue" if ref.latest == 1 else f"one of the last {ref.latest} issues"
    return which + whose


def _listed(words: Iterable[str], last: str) -> str:
    *most, end = sorted(words) or [""]
    return f"{', '.join(most)} {last} {end}" if most else end
