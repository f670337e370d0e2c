"""The size of a letter, as Gmail counts it: it cuts a letter that is too large, and its links.

Gmail counts the bytes of the HTML as it is displayed, in UTF-8, not those of quoted-printable. The
addresses of tracked links come on top of it, some kilobytes for a usual letter.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.core.delivery import Recipient
from newsletter.core.edition import Edition, Letter
from newsletter.core.mailing import Envelope, personal, personalized

CLIPPED = 102_000  #: bytes of HTML after which Gmail cuts a letter, and with it the way out
NEARLY_CLIPPED = 90_000

#: Nobody's delivery: such links open nothing.
NOBODY = Recipient(0, "reader@example.com", subscription_id=0, link_key=bytes(16))


@dataclass(frozen=True, kw_only=True)
class EditionSize:
    """The bytes of an edition's HTML, personal parts included."""

    edition: Edition
    bytes: int

    @property
    def is_clipped(self) -> bool:
        return self.bytes > CLIPPED

    @property
    def is_large(self) -> bool:
        return self.bytes > NEARLY_CLIPPED

    @property
    def sentence(self) -> str:
        """Return how large it is, and what Gmail does to it."""
        stories = f"of {self.edition.story_count}"
        size = f"Edition {self.edition.key} {stories} has {self.bytes / 1000:.0f} kB of HTML"
        if self.is_clipped:
            return f"{size}; Gmail cuts a letter after {CLIPPED / 1000:.0f}, and its links to leave"
        return f"{size}; from {CLIPPED / 1000:.0f} on Gmail cuts a letter"


def size_of(envelope: Envelope, edition: Edition, letter: Letter) -> EditionSize:
    """Return the size of an edition's letter with a recipient's values in it."""
    shown = personalized(letter, personal(envelope, NOBODY))
    return EditionSize(edition=edition, bytes=len(shown.html.encode()))


def refusal(sizes: Iterable[EditionSize]) -> str | None:
    """Return why an issue of these sizes cannot be approved; None if it can."""
    clipped = next((one for one in sizes if one.is_clipped), None)
    return clipped and f"{clipped.sentence}: leave out a story, or shorten what is long"
