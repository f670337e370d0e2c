"""Cursors: a list is read on from a row, not from a number of rows, so that none is missed.

A cursor is opaque. It names its list, and the last row that was shown: by its number, or by what
the list is ordered by.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request, Response

from newsletter.web.api.problems import ApiProblem, invalid
from newsletter.web.api.schemas import LARGEST_ID, ListPage

_PAGE_SIZE, _LONGEST_PAGE = 50, 200

Limit = Annotated[int, Query(ge=1, le=_LONGEST_PAGE, description="How many at most.")]
After = Annotated[
    str | None,
    Query(max_length=500, description="`next` of the part before; without it, the first part."),
]

Row = TypeVar("Row")
Item = TypeVar("Item")
CursorKey = int | tuple[str | int, ...]


@dataclass(frozen=True)
class WantedPart:
    """Which part of a list is asked for."""

    request: Request
    response: Response
    limit: Limit = _PAGE_SIZE
    after: After = None

    @property
    def rows(self) -> int:
        """Return how many rows to look for: one more, to know whether there are more."""
        return self.limit + 1

    def last(self, name: str) -> int | None:
        """Return the number of the last row shown of the list of this name; None: it begins."""
        match self.values(name):
            case None:
                return None
            case [int(number)] if 0 < number <= LARGEST_ID and number is not True:
                return number
            case _:
                raise strange_cursor()

    def page_of_all(
        self,
        name: str,
        found: Iterable[Row],
        *,
        show: Callable[[Row], Item],
        key: Callable[[Row], int],
    ) -> ListPage[Item]:
        """Return a page of a short list that was read as a whole, the newest first."""
        before = self.last(name)
        rest = [one for one in found if before is None or key(one) < before]
        newest = sorted(rest, key=key, reverse=True)
        return self.page(name, newest, show=show, key=key)

    def values(self, name: str) -> list[object] | None:
        """Return what names the last row shown of the list of this name; None: it begins."""
        if not self.after:
            return None
        match _read(self.after):
            case [str(of), *values] if of == name:
                return values
            case _:
                raise strange_cursor()

    def page(
        self,
        name: str,
        found: Sequence[Row],
        *,
        show: Callable[[Row], Item],
        key: Callable[[Row], CursorKey],
    ) -> ListPage[Item]:
        """Return the rows as a page; the header Link leads to the next one."""
        shown = found[: self.limit]
        after = _after(name, key(shown[-1])) if len(found) > self.limit else None
        if after:
            address = self.request.url.include_query_params(after=after)
            self.response.headers["Link"] = f'<{address.path}?{address.query}>; rel="next"'
        return ListPage(data=[show(one) for one in shown], next=after)


Part = Annotated[WantedPart, Depends()]


def _read(after: str) -> Any:
    try:
        return json.loads(urlsafe_b64decode(after.encode() + b"=" * (-len(after) % 4)))
    except (ValueError, RecursionError):
        raise strange_cursor() from None


def strange_cursor() -> ApiProblem:
    return invalid("query/after", "this is no cursor of this list: begin without one")


def cursor_of(name: str, *values: str | int) -> str:
    """Return the cursor that leads on from a row, which these values name."""
    return urlsafe_b64encode(json.dumps([name, *values]).encode()).decode().rstrip("=")


def _after(name: str, key: CursorKey) -> str:
    return cursor_of(name, key) if isinstance(key, int) else cursor_of(name, *key)
