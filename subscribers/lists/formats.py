"""The exports of other services, known by their columns, and what each column says.

Columns and words are compared without case, and with blanks for underscores. A column that says
nothing to us is passed over by name; but where a list is nobody's known export, a column that may
say who left must be explained (`explained`), or somebody who left would be written to again.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum

from subscribers.errors import InvalidList


class Says(StrEnum):
    """What a column tells of its subscriber."""

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
    LEFT = "left"  #: when they left, bounced or complained
    SUPPRESSED = "suppressed"  #: why the address must not be written to, in our own words
    PAUSED_UNTIL = "paused until"
    ATTRIBUTES = "attributes"  #: a JSON object that may hold tags and a time zone
    NOTHING = "ignore"


class Footing(IntEnum):
    """How somebody stands in the service they come from; of two, the higher one counts."""

    SUBSCRIBED = 0
    PAUSED = 1
    UNCONFIRMED = 2
    LEFT = 3
    INVALID = 4
    BOUNCED = 5
    BLOCKED = 6
    COMPLAINED = 7


_SAYINGS = frozenset(says.value for says in Says)

Words = Mapping[str, Footing]  #: "" is an empty cell, "*" any word that is not named

_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")

#: What status columns of any service may say.
WORDS: Words = {
    **dict.fromkeys(("active", "subscribed", "enabled", "confirmed", "*"), Footing.SUBSCRIBED),
    **dict.fromkeys(("paused", "snoozed"), Footing.PAUSED),
    **dict.fromkeys(
        ("pending", "unconfirmed", "unactivated", "validating", "nonsubscribed", "non-subscribed"),
        Footing.UNCONFIRMED,
    ),
    **dict.fromkeys(
        ("ended", "left", "unsubscribed", "inactive", "disabled", "opted out", "optout", "removed",
         "deleted", "archived", "cancelled", "canceled"),
        Footing.LEFT,
    ),
    **dict.fromkeys(("invalid", "malformed"), Footing.INVALID),
    **dict.fromkeys(("bounced", "bounce", "cleaned", "hard bounced", "undeliverable"),
                    Footing.BOUNCED),
    **dict.fromkeys(("blocklisted", "blacklisted", "blocked", "suppressed", "banned", "spammy"),
                    Footing.BLOCKED),
    **dict.fromkeys(("complained", "complaint", "spam", "spam complaint", "abuse"),
                    Footing.COMPLAINED),
}  # fmt: skip


#: A column of moments at which people left: who has one has left.
_LEFT: Words = {**dict.fromkeys(("", *_NO), Footing.SUBSCRIBED), "*": Footing.LEFT}


def _only(words: Words, *known: str) -> Words:
    return {word: words[word] for word in known}


@dataclass(frozen=True, kw_only=True)
class Format:
    """A kind of list: whose export it is, and what its columns say."""

    name: str
    tells: frozenset[str]  #: columns that, all there, tell this kind from the others
    columns: Mapping[str, Says]
    standings: Mapping[str, Words] = field(default_factory=dict[str, Words])  #: by column
    strict_topics: bool = False  #: a word that is no topic is a mistake; else it is a tag
    armed: bool = False  #: cells are armed against spreadsheets, as our own export arms them
    complete: bool = True  #: every column of it is known, so that others say nothing of leaving


_OWN_COLUMNS = {says.value: says for says in Says if says is not Says.ATTRIBUTES} | {
    "time zone": Says.ZONE,
    **dict.fromkeys(("subscribed at", "created at", "joined at"), Says.JOINED),
    "source": Says.NOTHING,
}

#: A list without a service: made by hand, by a spreadsheet, or by our own export.
OWN = Format(
    name="list",
    tells=frozenset({"email"}),
    columns=_OWN_COLUMNS,
    standings={"status": {word: WORDS[word] for word in WORDS if word != "*"}
               | {"": Footing.SUBSCRIBED}, "left": _LEFT},
    strict_topics=True,
    armed=True,
    complete=False,
)  # fmt: skip

_NAMED = {"email": Says.EMAIL, "name": Says.NAME, "created at": Says.JOINED}

_MAILCHIMP_COLUMNS = {
    "email address": Says.EMAIL,
    "first name": Says.FIRST_NAME,
    "last name": Says.LAST_NAME,
    "timezone": Says.ZONE,
    "tags": Says.TAGS,
    "confirm time": Says.JOINED,
}
# Mailchimp exports a ZIP of one file for each status. Somebody in its list of the unsubscribed has
# left, whatever else the row says.
_MAILCHIMP_LEFT: Words = {"": Footing.LEFT, "*": Footing.LEFT}
_MAILCHIMP_REASONS: Words = {
    **dict.fromkeys(("", "*"), Footing.LEFT),
    **dict.fromkeys(("spam", "abuse", "abuse complaint"), Footing.COMPLAINED),
}

#: The first kind whose telling columns are all there is taken.
FORMATS: tuple[Format, ...] = (
    Format(
        name="Mailchimp, cleaned",
        tells=frozenset({"email address", "clean time"}),
        columns={**_MAILCHIMP_COLUMNS, "clean time": Says.LEFT},
        standings={"clean time": {"": Footing.BOUNCED, "*": Footing.BOUNCED}},
    ),
    Format(
        name="Mailchimp, unsubscribed",
        tells=frozenset({"email address", "unsub time"}),
        columns={**_MAILCHIMP_COLUMNS, "unsub time": Says.LEFT},
        standings={"unsub time": _MAILCHIMP_LEFT, "unsub reason": _MAILCHIMP_REASONS},
    ),
    Format(
        name="Mailchimp",
        tells=frozenset({"email address", "confirm time", "euid"}),
        columns=_MAILCHIMP_COLUMNS,
        standings={"confirm time": {"": Footing.UNCONFIRMED, "*": Footing.SUBSCRIBED}},
    ),
    Format(
        name="Substack",
        tells=frozenset({"email", "active subscription", "email disabled"}),
        columns=_NAMED,
        standings={
            "email disabled": {
                **dict.fromkeys(("", *_NO), Footing.SUBSCRIBED),
                **dict.fromkeys(_YES, Footing.LEFT),
            }
        },
    ),
    Format(
        name="Ghost",
        tells=frozenset({"email", "subscribed to emails"}),
        columns={
            **_NAMED,
            "labels": Says.TAGS,
        },
        standings={
            "subscribed to emails": {
                **dict.fromkeys(_YES, Footing.SUBSCRIBED),
                **dict.fromkeys(("", *_NO), Footing.LEFT),
            },
            "deleted at": _LEFT,
        },
    ),
    Format(
        name="listmonk",
        tells=frozenset({"uuid", "email", "attributes", "status"}),
        columns={
            **_NAMED,
            "attributes": Says.ATTRIBUTES,
        },
        standings={"status": _only(WORDS, "enabled", "disabled", "blocklisted", "blacklisted")},
    ),
    Format(
        name="Buttondown",
        tells=frozenset({"email", "subscriber type", "metadata"}),
        columns={
            "email": Says.EMAIL,
            "tags": Says.TAGS,
            "creation date": Says.JOINED,
            "unsubscription date": Says.LEFT,
        },
        standings={
            # "paused" is a rest from paying: who rests is still subscribed.
            "subscriber type": {
                **dict.fromkeys(
                    ("regular", "premium", "gifted", "trialed", "unpaid", "churning", "churned",
                     "past due", "paused"),
                    Footing.SUBSCRIBED,
                ),
                "removed": Footing.BLOCKED,
                **_only(WORDS, "unactivated", "unsubscribed", "disabled", "undeliverable",
                        "malformed", "spammy", "blocked", "complained"),
            },
            "unsubscription date": _LEFT,
        },
    ),
    Format(
        name="beehiiv",
        tells=frozenset({"email", "status", "created at"}),
        columns={
            "email": Says.EMAIL,
            "first name": Says.FIRST_NAME,
            "last name": Says.LAST_NAME,
            "tags": Says.TAGS,
            "created at": Says.JOINED,
            "unsubscribed at": Says.LEFT,
        },
        standings={
            "status": {
                "needs attention": Footing.UNCONFIRMED,
                **_only(WORDS, "active", "inactive", "pending", "validating", "invalid", "paused",
                        "unsubscribed"),
            },
            "unsubscribed at": _LEFT,
        },
        complete=False,  # its columns are common ones, and publications add their own
    ),
    OWN,
)  # fmt: skip

_MAY_SAY_WHO_LEFT = re.compile(
    r"status|state|unsub|subscribed|opt.?out|opted|bounc|clean|complain|spam|block|black|suppress"
    r"|delet|disabled|remov|active|confirm|left|cancel|consent",
)


def normal(header: str) -> str:
    """Return a column's name or a word as they are compared."""
    return " ".join(header.replace("_", " ").lower().split())


def recognise(header: Iterable[str], mapping: Mapping[str, Says]) -> Format | None:
    """Return which kind of list this is; a column may be explained by `mapping`, a normal name."""
    columns = set(header)
    known = next((kind for kind in FORMATS if kind.tells <= columns), None)
    if known is None and any(mapping.get(column) is Says.EMAIL for column in columns):
        known = OWN
    return known and _explained(known, mapping)


def _explained(kind: Format, mapping: Mapping[str, Says]) -> Format:
    if not mapping:
        return kind
    taken = {says for says in mapping.values() if says is not Says.NOTHING}
    columns = {column: says for column, says in kind.columns.items() if says not in taken}
    standings = {column: words for column, words in kind.standings.items() if column not in mapping}
    for column, says in mapping.items():
        if says in (Says.STATUS, Says.LEFT):
            standings[column] = OWN.standings[says]
    return replace(
        kind,
        columns={**columns, **mapping},
        standings=standings,
        strict_topics=kind.strict_topics and Says.TOPICS not in taken,
    )


def read_mapping(said: Iterable[str]) -> dict[str, Says]:
    """Read explanations such as `E-Mail=email`; raise InvalidList."""
    mapping: dict[str, Says] = {}
    for text in said:
        column, equals, word = text.rpartition("=")
        if not equals or normal(word) not in _SAYINGS or not column.strip():
            raise InvalidList(
                f"“{text}” explains no column; say THEIR COLUMN=WORD, and for WORD one of: "
                + ", ".join(Says)
            )
        mapping[normal(column)] = Says(normal(word))
    return mapping


def unexplained(kind: Format, header: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that may say who left, where nobody knows what they say."""
    if kind.complete:
        return ()
    known = {*kind.columns, *kind.standings}
    return tuple(c for c in header if c not in known and _MAY_SAY_WHO_LEFT.search(c))


def service_of(name: str) -> str:
    """Return the service that a kind of list comes from, for a sentence."""
    return "the list" if name == OWN.name else name.partition(",")[0]
