"""SendGrid's own suppression lists, read page by page."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from newsletter.adapters.sendgrid.mailer import fetch_page, open_client
from newsletter.adapters.values import mapping, unix_moment
from subscribers.model import Suppression, SuppressionReason

#: SendGrid's list for each reason. Blocks are left out: SendGrid does not suppress them either, and
#: tries such an address again with the next letter.
LISTS = {
    SuppressionReason.BOUNCE: "bounces",
    SuppressionReason.INVALID: "invalid_emails",
    SuppressionReason.COMPLAINT: "spam_reports",
    SuppressionReason.UNSUBSCRIBE: "unsubscribes",
}
PAGE = 500  #: OAS, `limit`: at most 500


class SendGridLists:
    """Reads SendGrid's suppression lists (`GET /v3/suppression/…`) with the vendor's client."""

    def __init__(self, *, api_key: str, host: str, timeout: float) -> None:
        self._client = open_client(api_key, host, timeout)

    @property
    def reasons(self) -> tuple[SuppressionReason, ...]:
        return tuple(LISTS)

    def pages(
        self, reason: SuppressionReason, start: datetime, end: datetime
    ) -> Iterator[tuple[Suppression, ...]]:
        """Yield what was listed for a reason in [start, end]; SendGridUnavailable on the way.

        The end is fixed, so that what is listed meanwhile does not shift the pages.
        """
        endpoint = self._client.suppression._(LISTS[reason])  # the vendor's way
        query = {"start_time": int(start.timestamp()), "end_time": int(end.timestamp())}
        query |= {"limit": PAGE, "offset": 0}
        while page := fetch_page(endpoint, query):
            yield tuple(_suppressions(page, reason))
            if len(page) < PAGE:
                return
            query["offset"] += PAGE


def _suppressions(page: list[Any], reason: SuppressionReason) -> Iterator[Suppression]:
    for one in page:
        item = mapping(one)
        email = item.get("email")
        if isinstance(email, str) and email and "\x00" not in email:
            source = f"SendGrid's list of {LISTS[reason].replace('_', ' ')}"
            since = unix_moment(item.get("created"))
            yield Suppression(email=email, reason=reason, source=source, since=since)
