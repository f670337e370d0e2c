"""Says what the log holds in sentences: what was done, to what, and how it was before and after.

The words are `[log.verb]`, `[log.subject]`, `[log.label]` and `[log.value]` of `words.toml`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from newsletter.services.archive import Decision
from newsletter.web.console.access import Visit
from newsletter.web.console.pages import clock, short_day
from newsletter.web.console.words import Words

_EMPTY: tuple[Any, ...] = (None, "", (), [], {})
_OF_STORIES = frozenset({"order", "pinned", "left_out", "about"})
_HASHES = frozenset({"content_hash"})  #: shown as people compare them
_CODED = frozenset({"by", "resolution", "reason", "group", "note_kind"})  #: words of the program


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """A decision as the log shows it."""

    decision: Decision
    what: str
    about: str
    details: tuple[tuple[str, str], ...]  #: label and value
    before: tuple[tuple[str, str], ...]
    after: tuple[tuple[str, str], ...]


def log_lines(visit: Visit, decisions: Iterable[Decision]) -> tuple[LogLine, ...]:
    """Return the lines of these decisions."""
    found = tuple(decisions)
    days = visit.services.archive.days_of(_numbers(found, "issue"))
    names = {one.id: one.name or one.email for one in visit.services.staff_accounts.members()}
    said = _Said(visit.services.pages.words, visit.zone, days, names)
    return tuple(said.line(one) for one in found)


def verb_key(verb: str) -> str:
    """Return the name of a verb's word."""
    return verb.replace(" ", "_").replace("-", "_")


def _numbers(decisions: Iterable[Decision], kind: str) -> list[int]:
    subjects = (one.subject.partition(" ") for one in decisions)
    return [int(number) for name, _, number in subjects if name == kind and number.isdecimal()]


@dataclass(frozen=True)
class _Said:
    words: Words
    zone: str
    days: Mapping[int, date]
    names: Mapping[int, str]

    def line(self, one: Decision) -> LogLine:
        detail, before, after = dict(one.detail), one.before, one.after
        if isinstance(detail.get("after"), dict):
            before, after = detail.pop("before", None), detail.pop("after")
        was, is_now = (tuple(self._pairs(found or {}, empty=True)) for found in (before, after))
        return LogLine(
            decision=one,
            what=self.word(f"log.verb.{verb_key(one.verb)}", one.verb),
            about=self._about(one.subject),
            details=tuple(self._pairs(detail)),
            before=tuple(pair for pair in was if pair not in is_now),
            after=tuple(pair for pair in is_now if pair not in was),
        )

    def _about(self, subject: str) -> str:
        kind, _, rest = subject.partition(" ")
        number = int(rest) if rest.isdecimal() else 0
        if kind == "issue" and number in self.days:
            return str(self.words("log.issue_of", day=short_day(self.days[number])))
        if kind == "staff" and number in self.names:
            return self.names[number]
        if kind == "day":
            return str(self.words("log.day", day=_day(rest)))
        if kind in ("suppression", "erasure", "installation", "unknown"):
            return self.word(f"log.subject.{kind}", kind)
        return f"{self.word(f'log.subject.{kind}', kind)} {rest}".strip()

    def _pairs(
        self, values: Mapping[str, Any], *, empty: bool = False
    ) -> Iterator[tuple[str, str]]:
        for name, value in values.items():
            if isinstance(value, Mapping):  # its own names say more
                inner: Any = cast("Any", value)
                yield from self._pairs(inner, empty=empty)
            elif empty or value not in _EMPTY:
                label = self.words("log.story", number=int(name)) if name.isdecimal() else ""
                fallback = name.replace("_", " ")
                yield (
                    str(label) or self.word(f"log.label.{name}", fallback),
                    self._value(name, value),
                )

    def _value(self, name: str, value: Any) -> str:
        if value in _EMPTY:
            return str(self.words("log.nothing"))
        if name == "subscribers":  # numbers of readers say nothing to anybody
            return f"{len(value):,}"
        if isinstance(value, list | tuple):
            several: Iterable[Any] = cast("Any", value)
            return ", ".join(self._value(name, each) for each in several)
        if name in _OF_STORIES:
            return str(self.words("log.story", number=value))
        if name in _HASHES:
            return f"{value[:4]} {value[4:8]}"
        if name == "roles":
            return self._role(value)
        if name in _CODED:
            return self.word(f"log.value.{verb_key(str(value))}", str(value).replace("_", " "))
        if name == "waived":
            return str(value).replace("_", " ")
        return self._plain(value)

    def _role(self, text: str) -> str:
        permission, _, newsletter = text.partition(" ")
        role = self.word(f"permission.{permission}", permission)
        return role if newsletter in ("", "*") else f"{role} ({newsletter})"

    def _plain(self, value: Any) -> str:
        if isinstance(value, bool):
            return str(self.words("log.yes" if value else "log.no"))
        if isinstance(value, int):
            return f"{value:,}"
        moment = _moment(str(value))
        if moment is None:
            return str(value)
        return f"{short_day(moment.date())}, {clock(moment, self.zone)}"

    def word(self, name: str, otherwise: str) -> str:
        return str(self.words(name)) if name in self.words.names else otherwise


def _moment(text: str) -> datetime | None:
    """Return the moment that a text is, with its time zone; None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _day(rest: str) -> str:
    """Return the day of "technology 2026-11-27"; what it is, if it is none."""
    try:
        return short_day(date.fromisoformat(rest.rpartition(" ")[2]))
    except ValueError:
        return rest
