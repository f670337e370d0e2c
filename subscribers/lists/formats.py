"""The exports of other services, known by their columns, and what each column means.

Columns and words are compared without case, and with blanks for underscores. A column without a
meaning here is ignored and named in the report; but where a list is no known service's export, a
column that may say who left must be explained, or somebody who left would be written to again.
See docs/decisions/a-doubtful-list-stops.md.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TypeVar

from subscribers.errors import InvalidList
from subscribers.lists.fields import ColumnMeaning


class ImportedStatus(IntEnum):
    """A status in the service they come from; of two, the higher one counts."""

    SUBSCRIBED = 0
    PAUSED = 1
    UNCONFIRMED = 2
    LEFT = 3
    INVALID = 4
    BOUNCED = 5
    BLOCKED = 6
    COMPLAINED = 7


_Meaning = TypeVar("_Meaning")
_MEANINGS = frozenset(meaning.value for meaning in ColumnMeaning)

Words = Mapping[str, ImportedStatus]  #: "" is an empty cell, "*" any word that is not named

_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")

#: What status columns of any service may say.
WORDS: Words = {
    **dict.fromkeys(("active", "subscribed", "enabled", "confirmed", "*"),
                    ImportedStatus.SUBSCRIBED),
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


def _only(words: Mapping[str, _Meaning], *known: str) -> dict[str, _Meaning]:
    return {word: words[word] for word in known}


@dataclass(frozen=True, kw_only=True)
class Format:
    """A kind of list: whose export it is, and what its columns say."""

    name: str
    recognised_by: frozenset[str]  #: columns that only this kind has all of
    columns: Mapping[str, ColumnMeaning]
    statuses: Mapping[str, Words] = field(default_factory=dict[str, Words])  #: by column
    strict_topics: bool = False  #: a word that is no topic is a mistake; else it is a tag
    escaped: bool = False  #: cells are escaped for spreadsheets, as our own export does
    complete: bool = True  #: every column of it is known; no other can say who left


_OWN_COLUMNS = {
    meaning.value: meaning for meaning in ColumnMeaning if meaning is not ColumnMeaning.ATTRIBUTES
} | {
    "time zone": ColumnMeaning.ZONE,
    **dict.fromkeys(("subscribed at", "created at", "joined at"), ColumnMeaning.JOINED),
    "source": ColumnMeaning.NOTHING,
}

#: A list without a service: made by hand, by a spreadsheet, or by our own export.
OWN = Format(
    name="list",
    recognised_by=frozenset({"email"}),
    columns=_OWN_COLUMNS,
    statuses={"status": {word: WORDS[word] for word in WORDS if word != "*"}
               | {"": ImportedStatus.SUBSCRIBED}, "left": _LEFT},
    strict_topics=True,
    escaped=True,
    complete=False,
)  # fmt: skip

_NAMED = _only(_OWN_COLUMNS, "email", "name", "created at")

_MAILCHIMP_COLUMNS = {
    **_only(_OWN_COLUMNS, "first name", "last name", "timezone", "tags"),
    "email address": ColumnMeaning.EMAIL,
    "confirm time": ColumnMeaning.JOINED,
}
# Mailchimp exports a ZIP of one file for each status. Somebody in its list of the unsubscribed has
# left, whatever else the row meaning.
_MAILCHIMP_LEFT: Words = {"": ImportedStatus.LEFT, "*": ImportedStatus.LEFT}
_MAILCHIMP_REASONS: Words = {
    **_MAILCHIMP_LEFT,
    **dict.fromkeys(("spam", "abuse", "abuse complaint"), ImportedStatus.COMPLAINED),
}

#: The first kind whose columns (`recognised_by`) are all there is taken.
FORMATS: tuple[Format, ...] = (
    Format(
        name="Mailchimp, cleaned",
        recognised_by=frozenset({"email address", "clean time"}),
        columns={**_MAILCHIMP_COLUMNS, "clean time": ColumnMeaning.LEFT},
        statuses={"clean time": {"": ImportedStatus.BOUNCED, "*": ImportedStatus.BOUNCED}},
    ),
    Format(
        name="Mailchimp, unsubscribed",
        recognised_by=frozenset({"email address", "unsub time"}),
        columns={**_MAILCHIMP_COLUMNS, "unsub time": ColumnMeaning.LEFT},
        statuses={"unsub time": _MAILCHIMP_LEFT, "unsub reason": _MAILCHIMP_REASONS},
    ),
    Format(
        name="Mailchimp",
        recognised_by=frozenset({"email address", "confirm time", "euid"}),
        columns=_MAILCHIMP_COLUMNS,
        statuses={"confirm time": {"": ImportedStatus.UNCONFIRMED, "*": ImportedStatus.SUBSCRIBED}},
    ),
    Format(
        name="Substack",
        recognised_by=frozenset({"email", "active subscription", "email disabled"}),
        columns=_NAMED,
        statuses={
            "email disabled": dict.fromkeys(("", *_NO), ImportedStatus.SUBSCRIBED)
                              | dict.fromkeys(_YES, ImportedStatus.LEFT)
        },
    ),
    Format(
        name="Ghost",
        recognised_by=frozenset({"email", "subscribed to emails"}),
        columns={**_NAMED, "labels": ColumnMeaning.TAGS},
        statuses={
            "subscribed to emails": dict.fromkeys(_YES, ImportedStatus.SUBSCRIBED)
                                    | dict.fromkeys(("", *_NO), ImportedStatus.LEFT),
            "deleted at": _LEFT,
        },
    ),
    Format(
        name="listmonk",
        recognised_by=frozenset({"uuid", "email", "attributes", "status"}),
        columns={**_NAMED, "attributes": ColumnMeaning.ATTRIBUTES},
        statuses={"status": _only(WORDS, "enabled", "disabled", "blocklisted", "blacklisted")},
    ),
    Format(
        name="Buttondown",
        recognised_by=frozenset({"email", "subscriber type", "metadata"}),
        columns={
            **_only(_OWN_COLUMNS, "email", "tags"),
            "creation date": ColumnMeaning.JOINED,
            "unsubscription date": ColumnMeaning.LEFT,
        },
        statuses={
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
        recognised_by=frozenset({"email", "status", "created at"}),
        columns={
            **_only(_OWN_COLUMNS, "email", "first name", "last name", "tags", "created at"),
            "unsubscribed at": ColumnMeaning.LEFT,
        },
        statuses={
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
    known = next((kind for kind in FORMATS if kind.recognised_by <= columns), None)
    if known is None and any(mapping.get(column) is ColumnMeaning.EMAIL for column in columns):
        known = OWN
    return known and _explained(known, mapping)


def _explained(kind: Format, mapping: Mapping[str, ColumnMeaning]) -> Format:
    if not mapping:
        return kind
    taken = {meaning for meaning in mapping.values() if meaning is not ColumnMeaning.NOTHING}
    columns = {column: meaning for column, meaning in kind.columns.items() if meaning not in taken}
    statuses = {column: words for column, words in kind.statuses.items() if column not in mapping}
    for column, meaning in mapping.items():
        if meaning in (ColumnMeaning.STATUS, ColumnMeaning.LEFT):
            statuses[column] = OWN.statuses[meaning]
    return replace(
        kind,
        columns={**columns, **mapping},
        statuses=statuses,
        strict_topics=kind.strict_topics and ColumnMeaning.TOPICS not in taken,
    )


def read_mapping(said: Iterable[str]) -> dict[str, ColumnMeaning]:
    """Read explanations such as `E-Mail=email`; raise InvalidList."""
    mapping: dict[str, ColumnMeaning] = {}
    for text in said:
        column, equals, word = text.rpartition("=")
        if not equals or normal(word) not in _MEANINGS or not column.strip():
            raise InvalidList(
                f"“{text}” explains no column; write THEIR COLUMN=WORD, and for WORD one of: "
                + ", ".join(ColumnMeaning)
            )
        mapping[normal(column)] = ColumnMeaning(normal(word))
    return mapping


def unexplained(kind: Format, header: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that may say who left, and whose meaning is not known."""
    if kind.complete:
        return ()
    known = {*kind.columns, *kind.statuses}
    return tuple(c for c in header if c not in known and _MAY_SAY_WHO_LEFT.search(c))


def service_of(name: str) -> str:
    """Return the service that a kind of list comes from, for a sentence."""
    return "the list" if name == OWN.name else name.partition(",")[0]
