"""Installation: one database of this service, as its letters name it.

Several may share a SendGrid account, which posts every event to each of them.
See docs/decisions/events-act-on-own-letters.md.
"""

from dataclasses import dataclass
from datetime import datetime

ID_LENGTH = 16  #: hexadecimal digits


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What this installation calls itself in its letters, and since when."""

    id: str
    since: datetime
