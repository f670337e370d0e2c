"""From what a request holds to a receipt for every brief of it."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from newsletter.core.brief import Brief
from newsletter.core.stored import StoredBrief
from newsletter.errors import InvalidBrief
from newsletter.services.intake import Receipt
from newsletter.web.api.access import Caller
from newsletter.web.api.brief_schemas import BriefItem, BriefReceipt, GivenBrief, GivenPage
from newsletter.web.api.problems import pointer_of
from newsletter.web.api.schemas import FieldError

#: How a brief's file names a field, where the API names it otherwise.
_NAMES = {"id": "key"}


def receipts_of(caller: Caller, number: int, item: object, at: str) -> Iterator[BriefReceipt]:
    """Yield the receipts of one item: a page may hold several briefs. `at` is its pointer."""
    try:
        briefs = _read(caller, item, at)
    except ValidationError as error:
        errors = [
            FieldError(pointer=at + _below(one["loc"]), detail=one["msg"]) for one in error.errors()
        ]
        yield _invalid(number, errors)
        return
    except InvalidBrief as error:
        yield _invalid(number, [FieldError(pointer=error.place, detail=error.reason)])
        return
    for brief in briefs:
        yield _received(caller, number, brief, at)


def shown(caller: Caller, stored: StoredBrief) -> BriefItem:
    """Return a brief as the API says it."""
    pillar = stored.brief.pillar.casefold()
    own = (one.slug for one in caller.newsletters if one.pillar.casefold() == pillar)
    return BriefItem.of(stored, next(own, None))


def _read(caller: Caller, item: object, at: str) -> tuple[Brief, ...]:
    services = caller.services
    if isinstance(item, dict) and "page" in item:
        page = GivenPage.model_validate(item).page
        return services.read_page(page, f"{at}/page")
    fields = GivenBrief.model_validate(item).fields()
    return (services.read_brief(fields, lambda name: _place(at, name)),)


def _place(at: str, name: str) -> str:
    return f"{at}/{_NAMES.get(name, name)}"


def _received(caller: Caller, number: int, brief: Brief, at: str) -> BriefReceipt:
    try:
        receipt: Receipt = caller.services.intake.hand_over(
            brief, lambda name: _place(at, name), to=caller.newsletters, actor=caller.actor
        )
    except InvalidBrief as error:
        return _invalid(number, [FieldError(pointer=error.place, detail=error.reason)])
    return BriefReceipt(
        item=number,
        status=receipt.stored.ruling,
        arrival=receipt.arrival,
        brief=shown(caller, receipt.stored),
        errors=[],
    )


def _invalid(number: int, errors: list[FieldError]) -> BriefReceipt:
    return BriefReceipt(item=number, status="invalid", arrival=None, brief=None, errors=errors)


def _below(loc: tuple[Any, ...]) -> str:
    return pointer_of(("body", *loc)).removeprefix("#")
