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


#: By name; the second says whether it is deep.
_ENTRIES = (
    ("today", False),
    ("issues", False),
    ("briefs", True),
    ("readers", False),
    ("results", True),
    ("sources", True),
    ("log", True),
    ("settings", True),
)


def entries(slug: str, path: str) -> Iterator[NavigationEntry]:
    """Yield the links of a newsletter's navigation; the current one is that which `path` is in."""
    for name, deep in _ENTRIES:
        href = f"/{slug}/{name}"
        current = path == href or path.startswith(f"{href}/")
        yield NavigationEntry(name, href, current, deep)
