"""SendGrid's Email Logs, searched for evidence that it accepted a batch.

Custom arguments cannot be searched for. So the letters to a few of its recipients are, and the
custom arguments of each are read, which name the attempt. An attempt's id is random: a letter of
another installation on the account proves nothing here.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from newsletter.adapters.sendgrid.mailer import CallFailed, open_client, read_json
from newsletter.adapters.sendgrid.payload import ATTEMPT_ARG, category
from newsletter.adapters.values import text_at
from newsletter.core.reconciliation import Absent, Probe, Shown, Sighting, Unavailable

_LIMIT = 20  #: letters to one reader in that time; there are no further pages

#: Before the first attempt and after the last: clocks differ.
_EARLIER, _LATER = timedelta(hours=1), timedelta(days=1)

#: How to write a quote within quotes is not documented, and a wrong guess would look like absence:
#: such an address is not searched for.
_QUOTABLE = re.compile(r"[^'\"\\\s]+").fullmatch

_ABOUT_ONE = (400, 404)  #: refusals that say nothing about the next call
_NOBODY = "to_email = 'nobody@example.com'"


class SendGridLogs:
    """Searches Email Logs (`POST /v3/logs`, `GET /v3/logs/{sg_message_id}`) for a batch."""

    def __init__(self, *, api_key: str, host: str, timeout: float) -> None:
        self._logs: Any = open_client(api_key, host, timeout).logs

    def seek(self, probe: Probe) -> Sighting:
        """Return whether they show a batch; never raises."""
        emails = [email for email in probe.emails if _QUOTABLE(email)]
        if not emails:
            return Unavailable("it has no address that can be searched for", at_all=False)
        for query in _queries(probe, emails):
            found = self._search(query, probe.attempt_ids)
            if not isinstance(found, Absent):
                return found
        return Absent()

    def obstacle(self) -> str | None:
        """Return why they cannot be read, such as a key that may not; None if they can.

        No document names the scope that a key needs, so this searches for nobody.
        """
        found = self._messages(_NOBODY)
        return found.reason if isinstance(found, Unavailable) else None

    def _search(self, query: str, attempt_ids: frozenset[str]) -> Sighting:
        listed = self._messages(query)
        if isinstance(listed, Unavailable):
            return listed
        for message_id in listed:
            found = read_json(self._logs._(message_id).get)
            if isinstance(found, CallFailed):
                return _unavailable(found)
            attempt_id = text_at(found, "custom_args", ATTEMPT_ARG)
            if attempt_id in attempt_ids:
                return Shown(attempt_id)
        if len(listed) >= _LIMIT:
            return Unavailable("more letters were written to it than can be listed", at_all=False)
        return Absent()

    def _messages(self, query: str) -> list[str] | Unavailable:
        body = {"query": query, "limit": _LIMIT}
        found = read_json(lambda: self._logs.post(request_body=body))
        if isinstance(found, CallFailed):
            return _unavailable(found)
        try:
            return [str(one["sg_message_id"]) for one in found["messages"]]
        except (TypeError, LookupError):
            return Unavailable("SendGrid answered something that is no list of messages")


def _unavailable(answer: CallFailed) -> Unavailable:
    return Unavailable(answer.reason, at_all=answer.status not in _ABOUT_ONE)


def _queries(probe: Probe, emails: list[str]) -> Iterator[str]:
    """Yield the queries that may show a batch, the narrowest first.

    With the category, one reader's letter is usually the only result. But absence counts only if
    it holds for each reader and without the category, which older requests did not have.
    """
    when = (
        f'sg_message_id_created_at >= TIMESTAMP "{_iso(probe.since - _EARLIER)}"'
        f' AND sg_message_id_created_at <= TIMESTAMP "{_iso(probe.until + _LATER)}"'
    )
    wanted = category(probe.issue_id, probe.installation_id)
    yield f"categories IN ('{wanted}') AND to_email = '{emails[0]}' AND {when}"
    for spelling in dict.fromkeys(s for email in emails for s in (email, email.lower())):
        yield f"to_email = '{spelling}' AND {when}"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
