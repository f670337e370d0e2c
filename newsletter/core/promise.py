"""Promise: whether each edition holds the story that the issue's own subject is about."""

from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.core.edition import Edition, holds_promise
from newsletter.core.issue import Issue


@dataclass(frozen=True, kw_only=True)
class Promise:
    """Who gets the issue's own subject or preheader, and who another one."""

    editions: int = 0  #: with the issue's own
    readers: int = 0  #: of those
    fallbacks: tuple[Edition, ...] = ()  #: without the story: each has a subject of its own
    fallback_readers: int = 0  #: of those


def promise_of(issue: Issue, editions: Iterable[tuple[Edition, int]]) -> Promise:
    """Return who gets what of the issue's wording; each edition comes with its readers."""
    if not (issue.wording.subject or issue.wording.preheader):
        return Promise()
    both = [(one, readers, holds_promise(issue, one.brief_ids)) for one, readers in editions]
    return Promise(
        editions=sum(holds for _, _, holds in both),
        readers=sum(readers for _, readers, holds in both if holds),
        fallbacks=tuple(one for one, _, holds in both if not holds),
        fallback_readers=sum(readers for _, readers, holds in both if not holds),
    )
