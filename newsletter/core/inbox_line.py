"""Inbox line: what an inbox shows of a letter before it is opened."""

from dataclasses import dataclass

from newsletter.core.edition import Edition
from newsletter.core.publication import Newsletter

#: Characters of a subject that phones, small and large, and desktops, narrow and wide, show.
CUTS = (33, 41, 60, 70)


@dataclass(frozen=True, kw_only=True)
class InboxLine:
    """Sender, subject and preheader, and the subject as narrower inboxes cut it."""

    sender: str
    subject: str
    preheader: str

    @property
    def cuts(self) -> dict[int, str]:
        """Return what is left of the subject within so many characters."""
        return {width: cut_subject(self.subject, width) for width in CUTS}


def inbox_line(newsletter: Newsletter, edition: Edition) -> InboxLine:
    return InboxLine(
        sender=newsletter.sender.name, subject=edition.subject, preheader=edition.preheader
    )


def cut_subject(subject: str, width: int) -> str:
    """Return a subject as an inbox cuts it: in the middle of a word.

    >>> cut_subject("A foundry halves the water", 12)
    'A foundry h…'
    """
    return subject if len(subject) <= width else subject[: width - 1] + "…"
