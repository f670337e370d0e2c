"""The reference of list formats: which export to make, and what becomes of its columns."""

from collections.abc import Iterator

from subscribers.lists.fields import ColumnMeaning
from subscribers.lists.formats import FORMATS
from subscribers.lists.list_format import OWN, Format
from subscribers.lists.statuses import NO, YES, ImportedStatus, Words
from tests.docs.generate.markdown import table

_BECOMES = {
    ColumnMeaning.JOINED: "when they joined",
    ColumnMeaning.LEFT: "when they left",
    ColumnMeaning.ATTRIBUTES: "tags and time zone in it",
    ColumnMeaning.NOTHING: "not used",
}
_STATUS = {
    ImportedStatus.SUBSCRIBED: "subscribed",
    ImportedStatus.UNCONFIRMED: "refused: not confirmed",
    ImportedStatus.INVALID: "suppressed: invalid",
    ImportedStatus.BOUNCED: "suppressed: bounce",
    ImportedStatus.BLOCKED: "suppressed: manual",
    ImportedStatus.COMPLAINED: "left, and suppressed: complaint",
}


def list_formats() -> Iterator[str]:
    """Yield a part for each kind of list."""
    yield "Columns are compared without case, and with blanks for underscores. Other columns of"
    yield "these exports are not used; where it says so, those that may say who left are asked."
    yield ""
    for kind in FORMATS:
        if kind is not OWN:
            yield from _part(kind)


def _part(kind: Format) -> Iterator[str]:
    yield f"## {kind.name}"
    yield ""
    yield kind.export
    yield ""
    known = ", ".join(f"`{column}`" for column in sorted(kind.recognised_by))
    asked = "" if kind.complete else " Its other columns are asked about."
    refused = " Without `--as` it is refused." if kind.insufficient else ""
    yield f"Recognised by {known}.{asked}{refused}"
    yield ""
    yield from table(("Column", "Becomes"), _rows(kind))


def _rows(kind: Format) -> Iterator[tuple[str, str]]:
    for column in sorted(kind.columns.keys() | kind.statuses.keys()):
        meaning = kind.columns.get(column)
        said = _BECOMES.get(meaning, meaning.value) if meaning else ""
        words = _words(kind.statuses[column]) if column in kind.statuses else ""
        yield f"`{column}`", "; ".join(filter(None, [said, words]))


def _words(words: Words) -> str:
    """Return what each word becomes, words of one meaning together."""
    by_status: dict[ImportedStatus, list[str]] = {}
    for word, status in words.items():
        by_status.setdefault(status, []).append(word)
    return "; ".join(
        f"{_named(found)}: {_STATUS.get(status, status.name.lower())}"
        for status, found in sorted(by_status.items())
    )


def _named(words: list[str]) -> str:
    shown = [word for word in words if word not in YES | NO | {"", "*"}]
    many = len(shown) > 12  # a table of all languages helps nobody
    families = [name for family, name in ((YES, "yes"), (NO, "no")) if family & set(words)]
    special = {"": "blank", "*": "anything else"}
    named = [*shown[:6], "words like these"] if many else shown
    return ", ".join([*families, *named, *(special[w] for w in words if w in special)])
