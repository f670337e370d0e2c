"""The latest answer of each link that was checked."""

from collections.abc import Iterable
from dataclasses import asdict

from newsletter.core.link_check import LinkCheck, LinkState
from subscribers.db.transaction import DatabaseStore, execute, transaction

_FIND = """
    SELECT url, state, reason, final_url, length, at FROM link_check WHERE url = ANY(%(urls)s)
"""

_SAVE = """
    INSERT INTO link_check (url, state, reason, final_url, length, at)
    VALUES (%(url)s, %(state)s, %(reason)s, %(final_url)s, %(length)s, %(at)s)
    ON CONFLICT (url) DO UPDATE SET
        state = excluded.state, reason = excluded.reason, final_url = excluded.final_url,
        length = excluded.length, at = excluded.at
"""


class LinkCheckStore(DatabaseStore):
    """Stores what a link answered last."""

    def find(self, urls: Iterable[str]) -> tuple[LinkCheck, ...]:
        """Return what is known of these links; nothing of one that was never checked."""
        found = self._rows(_FIND, urls=list(urls))
        return tuple(LinkCheck(state=LinkState(row.pop("state")), **row) for row in found)

    def save(self, checks: Iterable[LinkCheck]) -> None:
        with transaction(self._engine) as session:
            for check in sorted(checks, key=lambda one: one.url):
                execute(session, _SAVE, asdict(check))
