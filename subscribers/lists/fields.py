"""What a list may say of a subscription: the meanings of its columns, and the texts it stores.

A text of a subscription that lists may say is one entry in `TEXTS`: it is then read, staged,
imported, compared with a known subscription, undone and exported like the others.
"""

from enum import StrEnum
from typing import NamedTuple


class ColumnMeaning(StrEnum):
    """What a column says about its subscriber."""

    EMAIL = "email"
    NAME = "name"
    FIRST_NAME = "first name"
    LAST_NAME = "last name"
    TOPICS = "topics"
    ZONE = "timezone"
    FREQUENCY = "frequency"
    TAGS = "tags"
    JOINED = "joined"
    STATUS = "status"
    SUBSCRIBED = "subscribed"  #: "yes" for those who may be written to
    LEFT = "left"  #: when they left, bounced or complained; or "yes" for those who did
    SUPPRESSED = "suppressed"  #: why the address must not be written to, in our own words
    PAUSED_UNTIL = "paused until"
    ATTRIBUTES = "attributes"  #: a JSON object that may hold tags and a time zone
    NOTHING = "ignore"


class TextField(NamedTuple):
    """A text column of `subscription` that lists may say."""

    meaning: ColumnMeaning
    default: str  #: SQL; of a new subscription whose list does not say it
    free: bool = False  #: any text on one line; else `cell_parsers` has a parser of its own


#: By the column's name, which is the staged field's name, too.
TEXTS = {
    "zone": TextField(ColumnMeaning.ZONE, default="%(zone)s"),
    "frequency": TextField(ColumnMeaning.FREQUENCY, default="'daily'"),
}


def for_each_text(template: str, separator: str = ",\n") -> str:
    """Return a piece of SQL for each text: `{name}` its column, `{title}` its export's column."""
    return separator.join(
        template.replace("{name}", name).replace("{title}", text.meaning.value)
        for name, text in TEXTS.items()
    )
