"""Dates as feeds write them: what can be read as one moment only."""

import re
from datetime import UTC, datetime
from typing import Any, cast

from dateutil import parser

from newsletter.adapters.values import moment

_HOURS = {
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3,
    "MSK": 3, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
_ZONES = {name: hours * 3600 for name, hours in _HOURS.items()}
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NOISE = re.compile(
    r"(?i)\([^()]*\)|(?<=\d)(?:st|nd|rd|th)\b|\b(?:de|del|den|um|à|at|le|klo|uhr)\b"
)
_LEAP_SECOND = re.compile(r"(\d\d:\d\d):60\b")


#: Days and months in the languages of the feeds that are read most.
_WEEKDAYS = [
    ("mon", "monday", "mo", "montag", "lun", "lundi", "lunes", "lunedì", "ma", "maandag"),
    ("tue", "tuesday", "tues", "di", "dienstag", "mardi", "martes", "mar.", "dinsdag"),
    ("wed", "wednesday", "mi", "mittwoch", "mer", "mercredi", "mié", "miércoles", "woensdag"),
    ("thu", "thursday", "thurs", "do", "donnerstag", "jeu", "jeudi", "jue", "jueves", "gio"),
    ("fri", "friday", "fr", "freitag", "ven", "vendredi", "vie", "viernes", "vrijdag"),
    ("sat", "saturday", "sa", "samstag", "sam", "samedi", "sáb", "sábado", "zaterdag"),
    ("sun", "sunday", "so", "sonntag", "dim", "dimanche", "dom", "domingo", "zondag"),
]
_MONTHS = [
    ("jan", "january", "januar", "janvier", "janv", "ene", "enero", "gennaio", "januari"),
    ("feb", "february", "februar", "février", "févr", "febrero", "febbraio", "februari"),
    ("mar", "march", "märz", "mär", "mars", "marzo", "maart", "mrt"),
    ("apr", "april", "avril", "avr", "abr", "abril", "aprile"),
    ("may", "mai", "mayo", "maggio", "mei"),
    ("jun", "june", "juni", "juin", "junio", "giugno"),
    ("jul", "july", "juli", "juillet", "juil", "julio", "luglio"),
    ("aug", "august", "août", "ago", "agosto", "augustus"),
    ("sep", "sept", "september", "septembre", "septiembre", "settembre"),
    ("oct", "october", "okt", "oktober", "octobre", "octubre", "ottobre"),
    ("nov", "november", "novembre", "noviembre"),
    ("dec", "december", "dez", "dezember", "décembre", "déc", "dic", "diciembre", "dicembre"),
]
_Words = cast(
    "Any", type("_Words", (parser.parserinfo,), {"WEEKDAYS": _WEEKDAYS, "MONTHS": _MONTHS})
)
_MONTH_FIRST, _DAY_FIRST = _Words(dayfirst=False), _Words(dayfirst=True)
#: What is missing in a text is taken from these: a date that differs between them is incomplete.
_BLANKS = (datetime(2001, 1, 1, tzinfo=UTC), datetime(2002, 3, 5, tzinfo=UTC))


def moment_of(text: str) -> datetime | None:
    """Return the moment a person would read, UTC where no zone is named; None if there are two.

    `03/04/2026` is two dates, and so is a day of the week that is not the date's.

    >>> moment_of("27/11/2026 01:21").isoformat(), moment_of("03/04/2026"), moment_of("Friday")
    ('2026-11-27T01:21:00+00:00', None, None)
    """
    text = " ".join(_NOISE.sub(" ", text).split())
    if compact := _COMPACT.fullmatch(text):
        return moment("-".join(compact.groups()))
    if iso := moment(text):
        return iso
    text = _LEAP_SECOND.sub(r"\1:59", text).replace("GMT+", "+").replace("UTC+", "+")
    orders = (_MONTH_FIRST, _DAY_FIRST)
    found = {_parsed(text, words, blank) for words in orders for blank in _BLANKS}
    [one, *others] = found
    return one.astimezone(UTC) if one and not others and _has_its_weekday(text, one) else None


def _parsed(text: str, words: Any, blank: datetime) -> datetime | None:
    try:
        found: datetime = parser.parse(text, words, default=blank, tzinfos=_ZONES)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (parser.ParserError, ValueError, OverflowError, TypeError):
        return None


def _has_its_weekday(text: str, found: datetime) -> bool:
    """Return whether the day of the week is this date's, where it is said."""
    named = next((_DAY_FIRST.weekday(word) for word in re.findall(r"[^\W\d]+", text)), None)
    return named in (None, found.weekday())
