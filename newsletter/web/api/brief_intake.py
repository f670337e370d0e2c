"""From what a request holds to a receipt for every brief of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from newsletter.core.brief import Brief
from newsletter.core.stored import StoredBrief
from newsletter.errors import InvalidBrief
from newsletter.services.intake import NotReceived
from newsletter.services.receiving import Receipt
from newsletter.web.api.access import Caller
from newsletter.web.api.brief_schemas import BriefItem, BriefReceipt, GivenBrief, GivenPage
from newsletter.web.api.problems import errors_of
from newsletter.web.api.schemas import FieldError

#: How a brief's file names a field, where the API names it otherwise.
_NAMES = {"id": "key"}


@dataclass(frozen=True, kw_only=True)
class _ReadItem:
    """One item of a request: a brief of it, or what is wrong with it."""

    number: int
    at: str  #: its pointer
    brief: Brief | None = None
    errors: tuple[FieldError, ...] = ()


def receipts_of(caller: Caller, items: Sequence[object], *, several: bool) -> list[BriefReceipt]:
    """Hand the briefs of a request over and return the receipts: a page may hold several briefs."""
    read = [
        found
        for number, item in enumerate(items)
        for found in _items(caller, number, item, f"#/{number}" if several else "#")
    ]
    briefs = [one.brief for one in read if one.brief]
    handed_over = iter(
        caller.services.intake.hand_over(briefs, to=caller.newsletters, actor=caller.actor)
    )
    return [
        _receipt(caller, one, next(handed_over)) if one.brief else _invalid(one.number, one.errors)
        for one in read
    ]


def shown(caller: Caller, stored: StoredBrief) -> BriefItem:
    """Return a brief as the API says it."""
    pillar = stored.brief.pillar.casefold()
    own = (one.slug for one in caller.newsletters if one.pillar.casefold() == pillar)
    return BriefItem.of(stored, next(own, None))


def _items(caller: Caller, number: int, item: object, at: str) -> Iterator[_ReadItem]:
    try:
        briefs = _read(caller, item, at)
    except (ValidationError, InvalidBrief) as error:
        yield _ReadItem(number=number, at=at, errors=errors_of(error, at))
    else:
        yield from (_ReadItem(number=number, at=at, brief=brief) for brief in briefs)


def _read(caller: Caller, item: object, at: str) -> tuple[Brief, ...]:
    if isinstance(item, dict) and "page" in item:
        page = GivenPage.model_validate(item).page
        return caller.services.read_page(page, f"{at}/page")
    return (read_brief(caller, item, at),)


def read_brief(caller: Caller, item: Any, at: str) -> Brief:
    """Return the brief that a part of the body says; ValidationError or InvalidBrief."""
    fields = GivenBrief.model_validate(item).fields()
    return caller.services.read_brief(fields, lambda name: _place_below(at, name))


def _receipt(caller: Caller, item: _ReadItem, found: Receipt | NotReceived) -> BriefReceipt:
    if isinstance(found, NotReceived):
        error = FieldError(pointer=_place_below(item.at, found.field), detail=found.reason)
        return _invalid(item.number, [error])
    return BriefReceipt(
        item=item.number,
        status=found.stored.ruling,
        arrival=found.arrival,
        brief=shown(caller, found.stored),
        errors=[],
    )


def _invalid(number: int, errors: Iterable[FieldError]) -> BriefReceipt:
    return BriefReceipt(
        item=number, status="invalid", arrival=None, brief=None, errors=list(errors)
    )


def _place_below(at: str, name: str) -> str:
    """Return the pointer of a field, given as a brief's file names it."""
    return f"{at}/{_NAMES.get(name, name)}" if name else at
