"""Stops an issue, however far it has come: one press, and no letter is claimed after it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredIssue
from newsletter.errors import NotAllowed
from newsletter.services.publishing import Publishing
from newsletter.services.sending_limits import SendingLimits


@dataclass(eq=False)
class Halting:
    """Pauses what is leaving, and takes back the approval of what has not left yet."""

    publishing: Publishing
    limits: SendingLimits

    def stop(self, newsletter: Newsletter, on: date, *, actor: str, because: str) -> StoredIssue:
        """Stop the issue and return it; one that neither leaves nor waits to leave stays as it is.

        An issue that is being planned is approved until that is done: to take it back waits for
        that, and then it is paused.
        """

        def pause() -> StoredIssue:
            stored = self.publishing.issue(newsletter, on)
            return self.limits.pause(stored, actor=actor, because=because)

        def take_back() -> StoredIssue:
            return self.publishing.withdraw(newsletter, on, actor=actor, because=because)

        acts: tuple[Callable[[], StoredIssue], ...] = (pause, take_back, pause)
        for act in acts:
            with suppress(NotAllowed):
                return act()
        return self.publishing.issue(newsletter, on)
