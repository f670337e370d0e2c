"""A kind of list, and the one of no service: made by hand, by a spreadsheet, or our own export."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from subscribers.lists.column_names import READ
from subscribers.lists.fields import ColumnMeaning
from subscribers.lists.statuses import (
    LEFT_IF_SAID,
    SUBSCRIBED_IF_SAID,
    WORDS,
    ImportedStatus,
    Words,
)


@dataclass(frozen=True, kw_only=True)
class Format:
    """A kind of list: whose export it is, and what its columns say."""

    name: str
    recognised_by: frozenset[str]  #: columns that only this kind has all of
    columns: Mapping[str, ColumnMeaning]
    statuses: Mapping[str, Words] = field(default_factory=dict[str, Words])  #: by column
    strict_topics: bool = False  #: a word that is no topic is a mistake; else it is a tag
    escaped: bool = False  #: cells are escaped for spreadsheets, as our own export does
    complete: bool = True  #: its statuses say who left; other columns are the owner's own
    export: str = ""  #: which export to make, for the documentation
    insufficient: str = ""  #: why this export cannot say who left, and which one can


_OWN_STATUSES: Mapping[str, Words] = {
    "status": {**WORDS, "": ImportedStatus.SUBSCRIBED},
    "left": LEFT_IF_SAID,
}

#: A list without a service: made by hand, by a spreadsheet, or by our own export.
OWN = Format(
    name="list",
    recognised_by=frozenset({"email"}),
    columns=READ,
    statuses=_OWN_STATUSES,
    strict_topics=True,
    escaped=True,
    complete=False,
    export="A list of your own: CSV with a column `email`.",
)

#: What the words of a column that is explained with each meaning say.
EXPLAINED: Mapping[ColumnMeaning, Words] = {
    ColumnMeaning.STATUS: _OWN_STATUSES["status"],
    ColumnMeaning.LEFT: LEFT_IF_SAID,
    ColumnMeaning.SUBSCRIBED: SUBSCRIBED_IF_SAID,
}
