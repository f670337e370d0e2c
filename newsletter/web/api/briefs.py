"""Briefs: what came and what the gate said of it, and handing briefs over."""

from datetime import date
from typing import Annotated, Any, cast

from fastapi import Body, Query, Response

from newsletter.core.verification import Ruling
from newsletter.web.api.access import ReadBriefs, WriteBriefs
from newsletter.web.api.brief_edits import answered, brief_here
from newsletter.web.api.brief_intake import receipts_of, shown
from newsletter.web.api.brief_schemas import BriefItem, BriefReceipts
from newsletter.web.api.cursors import Part
from newsletter.web.api.problems import invalid, problem_with
from newsletter.web.api.route import api_router
from newsletter.web.api.schemas import ListPage, PathId

router = api_router()

MOST = 500  #: briefs in one request

_ITEM = {"anyOf": [{"$ref": f"#/components/schemas/{one}"} for one in ("GivenBrief", "GivenPage")]}
_LIST = {"type": "array", "items": _ITEM, "minItems": 1, "maxItems": MOST}
_BODY = {"content": {"application/json": {"schema": {"anyOf": [*_ITEM["anyOf"], _LIST]}}}}


@router.get("/briefs")
def briefs(
    caller: ReadBriefs,
    part: Part,
    newsletter: str | None = None,
    on: Annotated[date | None, Query(description="The day they came, at the newsletter.")] = None,
    status: Ruling | None = None,
) -> ListPage[BriefItem]:
    """List briefs, the newest first."""
    found = caller.services.archive.received_by(
        caller.within(newsletter), on=on, ruling=status, before=part.last("briefs"), limit=part.rows
    )
    return part.page(
        "briefs", found, show=lambda one: shown(caller, one), key=lambda one: one.brief_id
    )


@router.get("/briefs/{brief_id}")
def brief(response: Response, caller: ReadBriefs, brief_id: PathId) -> BriefItem:
    """Return one brief with all findings; its ETag is what `If-Match` takes."""
    return answered(response, caller, brief_here(caller, brief_id))


@router.post("/briefs", openapi_extra={"requestBody": _BODY})
def receive(caller: WriteBriefs, given: Annotated[Any, Body()]) -> BriefReceipts:
    """Hand over a brief, up to 500 of them, or the hub's own page.

    Each has its own receipt, and one that is invalid does not stop the others. Alone it is refused.
    The same brief twice is stored once; if this token holds it, the hold ends.
    """
    several = isinstance(given, list)
    items = cast("list[object]", given) if several else [given]
    if not 1 <= len(items) <= MOST:
        raise invalid("#", f"send 1 to {MOST} briefs at once, not {len(items)}")
    receipts = receipts_of(caller, items, several=several)
    if not several and (errors := receipts[0].errors):
        raise problem_with(errors)
    return BriefReceipts(data=receipts)
