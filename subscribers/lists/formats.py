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


class ColumnMeaning(StrEnum):
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


class ImportedStatus(IntEnum):
    """How somebody stands in the service they come from; of two, the higher one counts."""

    SUBSCRIBED = 0
    PAUSED = 1
    UNCONFIRMED = 2
    LEFT = 3
    INVALID = 4
    BOUNCED = 5
    BLOCKED = 6
    COMPLAINED = 7


_SAYINGS = frozenset(says.value for says in ColumnMeaning)

Words = Mapping[str, ImportedStatus]  #: "" is an empty cell, "*" any word that is not named

_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")

#: What status columns of any service may say.
WORDS: Words = {
    **dict.fromkeys(("active", "subscribed", "enabled", "confirmed", "*"), ImportedStatus.SUBSCRIBED),
    **dict.fromkeys(("paused", "snoozed"), ImportedStatus.PAUSED),
    **dict.fromkeys(
        ("pending", "unconfirmed", "unactivated", "validating", "nonsubscribed", "non-subscribed"),
        ImportedStatus.UNCONFIRMED,
    ),
    **dict.fromkeys(
        ("ended", "left", "unsubscribed", "inactive", "disabled", "opted out", "optout", "removed",
         "deleted", "archived", "cancelled", "canceled"),
        ImportedStatus.LEFT,
    ),
    **dict.fromkeys(("invalid", "malformed"), ImportedStatus.INVALID),
    **dict.fromkeys(("bounced", "bounce", "cleaned", "hard bounced", "undeliverable"),
                    ImportedStatus.BOUNCED),
    **dict.fromkeys(("blocklisted", "blacklisted", "blocked", "suppressed", "banned", "spammy"),
                    ImportedStatus.BLOCKED),
    **dict.fromkeys(("complained", "complaint", "spam", "spam complaint", "abuse"),
                    ImportedStatus.COMPLAINED),
}  # fmt: skip


#: A column of moments at which people left: who has one has left.
_LEFT: Words = {**dict.fromkeys(("", *_NO), ImportedStatus.SUBSCRIBED), "*": ImportedStatus.LEFT}


def _only(words: Words, *known: str) -> Words:
    return {word: words[word] for word in known}


@dataclass(frozen=True, kw_only=True)
class Format:
    """A kind of list: whose export it is, and what its columns say."""

    name: str
    tells: frozenset[str]  #: columns that, all there, tell this kind from the others
    columns: Mapping[str, ColumnMeaning]
    standings: Mapping[str, Words] = field(default_factory=dict[str, Words])  #: by column
    strict_topics: bool = False  #: a word that is no topic is a mistake; else it is a tag
    armed: bool = False  #: cells are armed against spreadsheets, as our own export arms them
    complete: bool = True  #: every column of it is known, so that others say nothing of leaving


_OWN_COLUMNS = {
    says.value: says for says in ColumnMeaning if says is not ColumnMeaning.ATTRIBUTES
} | {
    "time zone": ColumnMeaning.ZONE,
    **dict.fromkeys(("subscribed at", "created at", "joined at"), ColumnMeaning.JOINED),
    "source": ColumnMeaning.NOTHING,
}

#: A list without a service: made by hand, by a spreadsheet, or by our own export.
OWN = Format(
    name="list",
    tells=frozenset({"email"}),
    columns=_OWN_COLUMNS,
    standings={"status": {word: WORDS[word] for word in WORDS if word != "*"}
               | {"": ImportedStatus.SUBSCRIBED}, "left": _LEFT},
    strict_topics=True,
    armed=True,
    complete=False,
)  # fmt: skip

_NAMED = {
    "email": ColumnMeaning.EMAIL,
    "name": ColumnMeaning.NAME,
    "created at": ColumnMeaning.JOINED,
}

_MAILCHIMP_COLUMNS = {
    "email address": ColumnMeaning.EMAIL,
    "first name": ColumnMeaning.FIRST_NAME,
    "last name": ColumnMeaning.LAST_NAME,
    "timezone": ColumnMeaning.ZONE,
    "tags": ColumnMeaning.TAGS,
    "confirm time": ColumnMeaning.JOINED,
}
# Mailchimp exports a ZIP of one file for each status. Somebody in its list of the unsubscribed has
# left, whatever else the row says.
_MAILCHIMP_LEFT: Words = {"": ImportedStatus.LEFT, "*": ImportedStatus.LEFT}
_MAILCHIMP_REASONS: Words = {
    **dict.fromkeys(("", "*"), ImportedStatus.LEFT),
    **dict.fromkeys(("spam", "abuse", "abuse complaint"), ImportedStatus.COMPLAINED),
}

#: The first kind whose telling columns are all there is taken.
FORMATS: tuple[Format, ...] = (
    Format(
        name="Mailchimp, cleaned",
        tells=frozenset({"email address", "clean time"}),
        columns={**_MAILCHIMP_COLUMNS, "clean time": ColumnMeaning.LEFT},
        standings={"clean time": {"": ImportedStatus.BOUNCED, "*": ImportedStatus.BOUNCED}},
    ),
    Format(
        name="Mailchimp, unsubscribed",
        tells=frozenset({"email address", "unsub time"}),
        columns={**_MAILCHIMP_COLUMNS, "unsub time": ColumnMeaning.LEFT},
        standings={"unsub time": _MAILCHIMP_LEFT, "unsub reason": _MAILCHIMP_REASONS},
    ),
    Format(
        name="Mailchimp",
        tells=frozenset({"email address", "confirm time", "euid"}),
        columns=_MAILCHIMP_COLUMNS,
        standings={"confirm time": {"": ImportedStatus.UNCONFIRMED, "*": ImportedStatus.SUBSCRIBED}},
    ),
    Format(
        name="Substack",
        tells=frozenset({"email", "active subscription", "email disabled"}),
        columns=_NAMED,
        standings={
            "email disabled": {
                **dict.fromkeys(("", *_NO), ImportedStatus.SUBSCRIBED),
                **dict.fromkeys(_YES, ImportedStatus.LEFT),
            }
        },
    ),
    Format(
        name="Ghost",
        tells=frozenset({"email", "subscribed to emails"}),
        columns={
            **_NAMED,
            "labels": ColumnMeaning.TAGS,
        },
        standings={
            "subscribed to emails": {
                **dict.fromkeys(_YES, ImportedStatus.SUBSCRIBED),
                **dict.fromkeys(("", *_NO), ImportedStatus.LEFT),
            },
            "deleted at": _LEFT,
        },
    ),
    Format(
        name="listmonk",
        tells=frozenset({"uuid", "email", "attributes", "status"}),
        columns={
            **_NAMED,
            "attributes": ColumnMeaning.ATTRIBUTES,
        },
        standings={"status": _only(WORDS, "enabled", "disabled", "blocklisted", "blacklisted")},
    ),
    Format(
        name="Buttondown",
        tells=frozenset({"email", "subscriber type", "metadata"}),
        columns={
            "email": ColumnMeaning.EMAIL,
            "tags": ColumnMeaning.TAGS,
            "creation date": ColumnMeaning.JOINED,
            "unsubscription date": ColumnMeaning.LEFT,
        },
        standings={
            # "paused" is a rest from paying: who rests is still subscribed.
            "subscriber type": {
                **dict.fromkeys(
                    ("regular", "premium", "gifted", "trialed", "unpaid", "churning", "churned",
                     "past due", "paused"),
                    ImportedStatus.SUBSCRIBED,
                ),
                "removed": ImportedStatus.BLOCKED,
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
            "email": ColumnMeaning.EMAIL,
            "first name": ColumnMeaning.FIRST_NAME,
            "last name": ColumnMeaning.LAST_NAME,
            "tags": ColumnMeaning.TAGS,
            "created at": ColumnMeaning.JOINED,
            "unsubscribed at": ColumnMeaning.LEFT,
        },
        standings={
            "status": {
                "needs attention": ImportedStatus.UNCONFIRMED,
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


def recognise(header: Iterable[str], mapping: Mapping[str, ColumnMeaning]) -> Format | None:
    """Return which kind of list this is; a column may be explained by `mapping`, a normal name."""
    columns = set(header)
    known = next((kind for kind in FORMATS if kind.tells <= columns), None)
    if known is None and any(mapping.get(column) is ColumnMeaning.EMAIL for column in columns):
        known = OWN
    return known and _explained(known, mapping)


def _explained(kind: Format, mapping: Mapping[str, ColumnMeaning]) -> Format:
    if not mapping:
        return kind
    taken = {says for says in mapping.values() if says is not ColumnMeaning.NOTHING}
    columns = {column: says for column, says in kind.columns.items() if says not in taken}
    standings = {column: words for column, words in kind.standings.items() if column not in mapping}
    for column, says in mapping.items():
        if says in (ColumnMeaning.STATUS, ColumnMeaning.LEFT):
            standings[column] = OWN.standings[says]
    return replace(
        kind,
        columns={**columns, **mapping},
        standings=standings,
        strict_topics=kind.strict_topics and ColumnMeaning.TOPICS not in taken,
    )


def read_mapping(said: Iterable[str]) -> dict[str, ColumnMeaning]:
    """Read explanations such as `E-Mail=email`; raise InvalidList."""
    mapping: dict[str, ColumnMeaning] = {}
    for text in said:
        column, equals, word = text.rpartition("=")
        if not equals or normal(word) not in _SAYINGS or not column.strip():
            raise InvalidList(
                f"“{text}” explains no column; say THEIR COLUMN=WORD, and for WORD one of: "
                + ", ".join(ColumnMeaning)
            )
        mapping[normal(column)] = ColumnMeaning(normal(word))
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
