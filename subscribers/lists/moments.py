"""Moments as lists write them: ISO, what programs print, spreadsheets' dates, seconds since 1970.

`5/1/2023` is a day in May or in January. The order of day and month is taken from the list where
one of its dates can be read in one way only, or from the operator (`--date-format`); without
either, such a date is not read.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from subscribers.errors import InvalidList

ORDERS = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}  #: places of year, month, day

# Go and Ruby print moments that no standard writes: `2024-01-02 10:00:00.123 +0000 UTC`.
_PRINTED = re.compile(
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)?(?: ([+-]\d{4}))?(?: (?:[A-Z]+|[+-]\d{4}))?"
).fullmatch
# What most services export: a list of a million rows has it a million times.
_PLAIN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII).fullmatch
_CLOCK = r"(?:[ T,]+(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)?\s*([AaPp])?\.?(?:[Mm]\.?)?)?"
_NUMERIC = re.compile(
    rf"(\d{{1,4}})\s*([./年-])\s*(\d{{1,2}})\s*[./月-]\s*(\d{{1,4}})日?{_CLOCK}(?:\s*(?:UTC|GMT|Z))?"
).fullmatch
_NAMED = re.compile(
    rf"(?:[A-Za-z]{{3,9}},?\s+)??(?:(\d{{1,2}})(?:st|nd|rd|th)?\.?[\s-]+([A-Za-z]{{3,9}})\.?"
    rf"|([A-Za-z]{{3,9}})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?),?[\s-]+(\d{{4}}){_CLOCK}"
    r"(?:\s*(?:UTC|GMT|Z|[+-]0000))?"
).fullmatch
_SECONDS = re.compile(r"\d{9,10}(?:\d{3})?").fullmatch
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-]\d{2,4}\b").match


class UnreadableMoment(ValueError):
    """A text that is no moment, or one that may be two."""


class Moments:
    """Reads the moments of one list."""

    def __init__(self, pattern: str = "", order: str = "") -> None:
        """Take the operator's pattern, if any, and the order that the list itself shows."""
        self._pattern = pattern if "%" in pattern else ""
        self._order = pattern if pattern in ORDERS else order

    def read_iso(self, text: str) -> str:
        """Return a moment as ISO 8601 writes it; raise UnreadableMoment."""
        if _PLAIN(text) and not self._pattern:
            with suppress(ValueError):  # no such day, which `read` says
                datetime.fromisoformat(text)
                return f"{text}+00:00"
        return self.read(text).isoformat()

    def read(self, text: str) -> datetime:
        """Return a moment; without a zone it is one in UTC. Raises UnreadableMoment."""
        typed = text.strip()
        try:
            if self._pattern:
                moment = datetime.strptime(typed, self._pattern)  # noqa: DTZ007  # given one below
            else:
                moment = self._by_form(typed)
        except (ValueError, OverflowError) as error:
            known = isinstance(error, UnreadableMoment)
            raise error if known else UnreadableMoment(f"not a date: {typed[:40]}") from error
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _by_form(self, typed: str) -> datetime:
        if printed := _PRINTED(typed):
            return datetime.fromisoformat(f"{printed[1]}T{printed[2]}{printed[3] or ''}")
        if _SECONDS(typed):
            seconds = int(typed) / (1000 if len(typed) > 10 else 1)  # noqa: PLR2004  # milliseconds
            return datetime.fromtimestamp(seconds, UTC)
        if found := _NUMERIC(typed):
            return self._numeric(typed, found)
        if found := _NAMED(typed):
            day, month = found[1] or found[4], found[2] or found[3]
            return _at(int(found[5]), _MONTHS.index(month[:3].lower()) + 1, int(day), found, 6)
        return datetime.fromisoformat(typed)

    def _numeric(self, typed: str, found: re.Match[str]) -> datetime:
        parts = [int(found[1]), int(found[3]), int(found[4])]
        order = "ymd" if len(found[1]) > 2 else "dmy" if found[2] == "." else self._order  # noqa: PLR2004  # digits
        order = order or order_of([typed])
        if not order and parts[0] == parts[1]:
            order = "dmy"
        if not order:
            raise UnreadableMoment(f"{typed[:40]} may be two days: give --date-format dmy or mdy")
        year, month, day = (parts[place] for place in ORDERS[order])
        return _at(year + 2000 if year < 100 else year, month, day, found, 5)  # noqa: PLR2004  # digits


def _at(year: int, month: int, day: int, found: re.Match[str], clock: int) -> datetime:
    hour, minute, second, half = found.group(clock, clock + 1, clock + 2, clock + 3)
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half in "pP" else 0)
    return datetime(year, month, day, hours, int(minute or 0), int(second or 0), tzinfo=UTC)


def order_of(cells: Iterable[str]) -> str:
    """Return in which order these cells write day and month; "" where they do not show it."""
    found: set[str] = set()
    for cell in cells:
        if match := _SLASHED(cell.strip()):
            first, second = int(match[1]), int(match[2])
            if first > 12 >= second:  # noqa: PLR2004  # months
                found.add("dmy")
            elif second > 12 >= first:  # noqa: PLR2004  # months
                found.add("mdy")
    return found.pop() if len(found) == 1 else ""


def looks_like_a_moment(text: str) -> bool:
    """Return whether this is a moment in some form, though perhaps one of two."""
    typed = text.strip()
    if _NUMERIC(typed):
        return True
    try:
        Moments().read(typed)
    except UnreadableMoment:
        return False
    return not typed.isdigit()


def read_date_format(typed: str) -> str:
    """Return an operator's `--date-format`; raise InvalidList."""
    if "%" in typed or typed.lower() in ORDERS:
        return typed if "%" in typed else typed.lower()
    raise InvalidList(
        f"--date-format is one of {', '.join(ORDERS)}, or a pattern such as %d/%m/%Y %H:%M;"
        f" not “{typed}”"
    )
