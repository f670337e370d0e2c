"""The exports of other services, known by their columns, and what each column means.

Columns and words are compared without case, and with blanks for underscores. A column that is not
in a format's table is ignored and named in the report; but in a list that is not known as a whole,
each column must be known or explained, or somebody who left would be written to again. What a
service does not document is not guessed here. See docs/decisions/a-doubtful-list-stops.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from subscribers.lists.column_names import READ
from subscribers.lists.fields import ColumnMeaning
from subscribers.lists.list_format import EXPLAINED, OWN, Format
from subscribers.lists.statuses import (
    LEFT_IF_SAID,
    NO,
    SUBSCRIBED_IF_SAID,
    YES,
    ImportedStatus,
    Words,
    only,
)


def _meanings(*columns: str) -> dict[str, ColumnMeaning]:
    return {column: READ[column] for column in columns}


_NAMED = _meanings("email", "name", "created at")
_FULL_NAMES = _meanings("first name", "last name")

_MAILCHIMP_COLUMNS = {
    **_FULL_NAMES,
    **_meanings("email address", "timezone", "tags", "interests"),
    "optin time": ColumnMeaning.NOTHING,
    "confirm time": ColumnMeaning.JOINED,
}
# Mailchimp exports a ZIP of one file for each status. Somebody in its list of the unsubscribed has
# left, whatever else the row says.
_MAILCHIMP_LEFT: Words = {"": ImportedStatus.LEFT, "*": ImportedStatus.LEFT}
_MAILCHIMP_REASONS: Words = {
    **_MAILCHIMP_LEFT,
    **dict.fromkeys(("spam", "abuse", "abuse complaint"), ImportedStatus.COMPLAINED),
}
_MAILCHIMP_EXPORT = (
    "Audience → All contacts → Export audience: a ZIP of one file for each status. Unpack it, and"
    " import the unsubscribed and the cleaned first."
)
_LISTMONK = {**_NAMED, "attributes": ColumnMeaning.ATTRIBUTES}
_LISTMONK_WORDS = only("enabled", "disabled", "blocklisted", "blacklisted")

#: The first kind whose columns (`recognised_by`) are all there is taken.
FORMATS: tuple[Format, ...] = (
    Format(
        name="Mailchimp, cleaned",
        recognised_by=frozenset({"email address", "clean time"}),
        columns={**_MAILCHIMP_COLUMNS, "clean time": ColumnMeaning.LEFT},
        statuses={"clean time": {"": ImportedStatus.BOUNCED, "*": ImportedStatus.BOUNCED}},
        export=_MAILCHIMP_EXPORT,
    ),
    Format(
        name="Mailchimp, unsubscribed",
        recognised_by=frozenset({"email address", "unsub time"}),
        columns={**_MAILCHIMP_COLUMNS, "unsub time": ColumnMeaning.LEFT},
        statuses={"unsub time": _MAILCHIMP_LEFT, "unsub reason": _MAILCHIMP_REASONS},
        export=_MAILCHIMP_EXPORT,
    ),
    Format(
        name="Mailchimp",
        recognised_by=frozenset({"email address", "confirm time", "euid"}),
        columns=_MAILCHIMP_COLUMNS,
        statuses={"confirm time": {"": ImportedStatus.UNCONFIRMED, "*": ImportedStatus.SUBSCRIBED}},
        export=_MAILCHIMP_EXPORT,
    ),
    Format(
        name="Mailchimp, chosen columns",
        recognised_by=frozenset({"email address", "member rating", "optin time"}),
        columns={**_MAILCHIMP_COLUMNS, "optin time": ColumnMeaning.JOINED},
        complete=False,
        export=_MAILCHIMP_EXPORT,
    ),
    Format(
        name="Substack",
        recognised_by=frozenset({"email", "active subscription", "email disabled"}),
        columns=_NAMED,
        statuses={
            "email disabled": dict.fromkeys(("", *NO), ImportedStatus.SUBSCRIBED)
                              | dict.fromkeys(YES, ImportedStatus.LEFT)
        },
        export="Settings → Exports → Create new export; in the ZIP, the list of emails.",
    ),
    Format(
        name="Ghost",
        recognised_by=frozenset({"email", "subscribed to emails"}),
        columns={**_NAMED, "labels": ColumnMeaning.TAGS},
        statuses={
            "subscribed to emails": dict.fromkeys(YES, ImportedStatus.SUBSCRIBED)
                                    | dict.fromkeys(("", *NO), ImportedStatus.LEFT),
            "deleted at": LEFT_IF_SAID,
        },
        export="Members → the wheel → Export all members.",
    ),
    Format(
        name="listmonk, with each subscription's status",
        recognised_by=frozenset({"uuid", "email", "attributes", "status", "subscription status"}),
        columns=_LISTMONK,
        statuses={
            "status": _LISTMONK_WORDS,
            "subscription status": only("confirmed", "unconfirmed", "unsubscribed"),
        },
        export="A query of your own that adds the status of the subscription to this list.",
    ),
    Format(
        name="listmonk",
        recognised_by=frozenset({"uuid", "email", "attributes", "status"}),
        columns=_LISTMONK,
        statuses={"status": _LISTMONK_WORDS},
        export="Lists → the number of the unsubscribed → Export: import that with `--as left`."
               " Then the list's own export, with `--as subscribed`.",
        insufficient="listmonk's export has the status of the subscriber, not that of the"
                     " subscription: who just unsubscribed is still “enabled” in it. In listmonk,"
                     " open Lists, press the number of the unsubscribed, export those, and import"
                     " that file with --as left; then import this one with --as subscribed",
    ),
    Format(
        name="Buttondown",
        recognised_by=frozenset({"email", "subscriber type", "metadata"}),
        columns={
            **_meanings("email", "tags"),
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
                **only("unactivated", "unsubscribed", "disabled", "undeliverable", "malformed",
                       "spammy", "blocked", "complained"),
                "removed": ImportedStatus.BLOCKED,
            },
            "unsubscription date": LEFT_IF_SAID,
        },
        export="Subscribers → Export, with all types of subscribers.",
    ),
    Format(
        name="beehiiv",
        recognised_by=frozenset({"email", "status", "created at", "utm source"}),
        columns={
            **_meanings("email", "first name", "last name", "tags", "created at"),
            "unsubscribed at": ColumnMeaning.LEFT,
        },
        statuses={
            "status": {
                "needs attention": ImportedStatus.UNCONFIRMED,
                **only("active", "inactive", "pending", "validating", "invalid", "paused",
                       "unsubscribed"),
            },
            "unsubscribed at": LEFT_IF_SAID,
        },
        complete=False,  # publications add columns of their own
        export="Settings → Export data → Full export of the subscribers.",
    ),
    Format(
        name="Kit",
        recognised_by=frozenset({"email address", "first name", "state", "created at"}),
        columns={**_FULL_NAMES, **_meanings("email address", "created at", "tags")},
        statuses={
            "state": {
                **only("active", "cancelled", "bounced", "complained"),
                "inactive": ImportedStatus.UNCONFIRMED,  # signed up, and never confirmed
            }
        },
        complete=False,  # custom fields are columns
        export="Subscribers → All subscribers (not only the confirmed) → Export.",
    ),
    Format(
        name="Shopify",
        recognised_by=frozenset(
            {"email", "accepts email marketing", "total spent", "total orders"}
        ),
        columns={**_FULL_NAMES, **_meanings("email", "tags")},
        statuses={"accepts email marketing": SUBSCRIBED_IF_SAID},
        export="Customers → Export → All customers, as plain CSV.",
    ),
    Format(
        name="HubSpot",
        recognised_by=frozenset({"record id", "email", "unsubscribed from all email"}),
        columns={**_FULL_NAMES, **_meanings("email")},
        statuses={"unsubscribed from all email": LEFT_IF_SAID},
        complete=False,  # an export has the columns of a view
        export="Contacts → Export, with the property “Unsubscribed from all email”.",
    ),
    Format(
        name="Brevo",
        recognised_by=frozenset({"email", "added time", "modified time"}),
        columns={
            **_meanings("email", "added time"),
            "firstname": ColumnMeaning.FIRST_NAME,
            "lastname": ColumnMeaning.LAST_NAME,
            "sms": ColumnMeaning.NOTHING,
        },
        complete=False,  # attributes are columns
        export="Contacts → filter those who are blocklisted → export: import that with `--as left`."
               " Then all contacts, with `--as subscribed`.",
        insufficient="Brevo's export does not say who is blocklisted unless its subscription status"
                     " is exported, too. Export the blocklisted contacts, and import that file with"
                     " --as left; then import this one with --as subscribed",
    ),
    Format(
        name="SendGrid, contacts",
        recognised_by=frozenset({"email", "contact id", "updated at"}),
        columns={**_NAMED, **_FULL_NAMES},
        complete=False,  # custom fields are columns
        export="Suppressions (unsubscribes, bounces, spam reports): export each, and import it with"
               " `--as`. Then the contacts, with `--as subscribed`.",
        insufficient="SendGrid's contacts do not say who unsubscribed. Export its suppressions"
                     " (unsubscribes, bounces, spam reports), and import those with --as left or"
                     " --as suppressed; then import this file with --as subscribed",
    ),
    OWN,
)  # fmt: skip


def recognise(header: Iterable[str], mapping: Mapping[str, ColumnMeaning]) -> Format | None:
    """Return which kind of list this is; a column may be explained by `mapping`, a normal name."""
    columns = list(header)
    known = next((kind for kind in FORMATS[:-1] if kind.recognised_by.issubset(columns)), None)
    if known is None and (
        any(READ.get(column) is ColumnMeaning.EMAIL for column in columns)
        or any(mapping.get(column) is ColumnMeaning.EMAIL for column in columns)
    ):
        known = replace(OWN, columns=_own_columns(columns))
    return known and _explained(known, mapping)


def _own_columns(columns: Iterable[str]) -> dict[str, ColumnMeaning]:
    """Return what the columns of a list of no service mean; of several addresses one counts."""
    found = {column: READ[column] for column in columns if column in READ}
    emails = [column for column, meaning in found.items() if meaning is ColumnMeaning.EMAIL]
    for column in emails:
        if column != ("email" if "email" in emails else emails[0]):
            del found[column]
    return found


def _explained(kind: Format, mapping: Mapping[str, ColumnMeaning]) -> Format:
    if not mapping:
        return kind
    said = frozenset(mapping.values())
    taken = said - _REPEATED
    columns = {column: meaning for column, meaning in kind.columns.items() if meaning not in taken}
    statuses = {column: words for column, words in kind.statuses.items() if column not in mapping}
    statuses |= {c: EXPLAINED[meaning] for c, meaning in mapping.items() if meaning in EXPLAINED}
    return replace(
        kind,
        columns={**columns, **mapping},
        statuses=statuses,
        strict_topics=kind.strict_topics and ColumnMeaning.TOPICS not in said,
        insufficient="" if said.intersection(EXPLAINED) else kind.insufficient,
    )


#: What several columns of a list may say.
_REPEATED = frozenset({ColumnMeaning.NOTHING, *EXPLAINED, ColumnMeaning.TAGS})


def service_of(name: str) -> str:
    """Return the service that a kind of list comes from, for a sentence."""
    return "the list" if name == OWN.name else name.partition(",")[0]
