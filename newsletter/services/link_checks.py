"""Checks the links of issues that wait to leave, through the one guarded fetcher.

The scheduler runs it; no page request waits for a stranger's server.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.core.link_check import LinkCheck, due_links, picture_links, story_links
from newsletter.core.publication import Newsletter
from newsletter.core.timetable import hours_of
from newsletter.ports import CheckLink, Clock
from newsletter.stores.issue_history import IssueHistory
from newsletter.stores.issues import IssueStore
from newsletter.stores.link_checks import LinkCheckStore

_A_HOST = 2  #: requests at once
_AT_ONCE = 8  #: in all


@dataclass(eq=False)
class LinkChecks:
    """Checks the links of each newsletter's waiting issues when that is due."""

    newsletters: Mapping[str, Newsletter]
    issues: IssueStore
    history: IssueHistory
    store: LinkCheckStore
    check: Callable[[], CheckLink]  #: called late: most runs check nothing
    clock: Clock

    def run(self) -> int:
        """Check what is due now; return how many links that were. Harmless to repeat."""
        due = {url for one in self.newsletters.values() for url in self._due(one)}
        checked = self.check_all(sorted(due))
        self.store.save(checked)
        return len(checked)

    def check_all(self, urls: Iterable[str]) -> tuple[LinkCheck, ...]:
        """Ask for each link, for at most two of a host at a time."""
        lanes = list(_lanes(urls))
        if not lanes:
            return ()
        check, now = self.check(), self.clock.now()

        def work(lane: Sequence[str]) -> list[LinkCheck]:
            return [check(url, now) for url in lane]

        with ThreadPoolExecutor(min(_AT_ONCE, len(lanes))) as pool:
            return tuple(one for lane in pool.map(work, lanes) for one in lane)

    def _due(self, newsletter: Newsletter) -> set[str]:
        due: set[str] = set()
        for waiting in self.history.waiting(newsletter.slug):
            stored = self.issues.get(waiting.issue_id)
            set_in_type = "".join(span.text for span in stored.need_galley().html)
            urls = (*story_links(stored.issue), *picture_links(set_in_type))
            send = hours_of(newsletter.timetable, waiting.date).send
            now = self.clock.now()
            if now < send:  # one that left is not looked at again
                known = self.store.find(urls)
                due.update(
                    due_links(urls, known, assembled=waiting.assembled_at, send=send, now=now)
                )
        return due


def _lanes(urls: Iterable[str]) -> Iterable[Sequence[str]]:
    """Yield the links in lanes: one after another within each, and at most two for a host."""
    hosts: dict[str, list[str]] = defaultdict(list)
    for url in urls:
        hosts[urlsplit(url).hostname or ""].append(url)
    for links in hosts.values():
        yield from (lane for lane in (links[part::_A_HOST] for part in range(_A_HOST)) if lane)
