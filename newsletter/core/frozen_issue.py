"""A frozen issue: since when and by whom it is approved, and what changed that it does not take in.

What an issue was set by is stored with it, so that each template and setting can be named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime

from newsletter.core.publication import Newsletter

#: The settings of a newsletter that its letters or their choice follow from.
_SETTINGS = (
    *("name", "tagline", "language", "postal_address", "sender", "reply_to", "unsubscribe_email"),
    *("caps", "order", "minimum_verification", "topics"),
)


@dataclass(frozen=True, kw_only=True)
class IssueBasis:
    """What an issue was set by, besides its briefs."""

    templates: dict[str, str] = field(default_factory=dict[str, str])  #: file → digest
    settings: dict[str, str] = field(default_factory=dict[str, str])  #: key → its value, in words


def basis_of(newsletter: Newsletter, templates: Mapping[str, str]) -> IssueBasis:
    """Return what an issue of this newsletter is set by now."""
    every = asdict(newsletter)
    flat = dict(one for name in _SETTINGS for one in _flat(name, every[name]))
    return IssueBasis(templates=dict(templates), settings=flat)


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():  # pyright: ignore[reportUnknownVariableType]  # of `asdict`
            yield f"{name}.{key}", str(inner)  # pyright: ignore[reportUnknownArgumentType]
    else:
        yield name, str(value)


def basis_changes(before: IssueBasis, now: IssueBasis) -> Iterator[str]:
    """Yield what changed, a sentence without a full stop each; nothing if it was not stored."""
    if not before.templates:
        return
    for file in sorted({*before.templates, *now.templates}):
        if before.templates.get(file) != now.templates.get(file):
            yield f"the template {file} changed"
    for key in sorted({*before.settings, *now.settings}):
        was, is_now = before.settings.get(key, "nothing"), now.settings.get(key, "nothing")
        if was != is_now:
            short = len(was) + len(is_now) <= _SHORT
            yield f"{key} was {was} and is {is_now} now" if short else f"{key} changed"


_SHORT = 100  #: characters of two values that are told in full


@dataclass(frozen=True, kw_only=True)
class FrozenIssue:
    """An approved issue that has not left: no change of anything reaches it."""

    newsletter: str
    date: date
    by: str
    since: datetime
    changes: tuple[str, ...]  #: since then, a sentence without a full stop each

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return that it is frozen, how it is opened again, and what it does not take in."""
        which = f"--newsletter {self.newsletter} --date {self.date}"
        first = (
            f"frozen since {self.since:%Y-%m-%d %H:%M %Z}, when {self.by} approved it; "
            f"`newsletter issue withdraw {which}` opens it again"
        )
        return (first, *(f"changed since, and not in it: {one}" for one in self.changes))
