"""The parts of the console, and which of them a page belongs to."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class NavigationEntry:
    """A link of the navigation."""

    name: str  #: of its word
    href: str
    current: bool
    deep: bool  #: on a phone it is under "More"
    key: str  #: that leads there, after g


#: By name; then whether it is deep, and its key.
_ENTRIES = (
    ("today", False, "t"),
    ("issues", False, "i"),
    ("briefs", True, "b"),
    ("readers", False, "r"),
    ("results", True, "e"),
    ("sources", True, "s"),
    ("log", True, "l"),
    ("settings", True, "o"),
)


def entries(slug: str, path: str) -> Iterator[NavigationEntry]:
    """Yield the links of a newsletter's navigation; the current one is that which `path` is in."""
    for name, deep, key in _ENTRIES:
        href = f"/{slug}/{name}"
        current = path == href or path.startswith(f"{href}/")
        yield NavigationEntry(name, href, current, deep, key)
