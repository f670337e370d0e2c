"""One request to SendGrid, and its outcome: accepted, refused or unknown.

The rule behind the table: a request that failed before it was complete on the wire was not sent; a
request that failed later may have been. The vendor's client (urllib beneath) raises URLError only
in the first case.
"""

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, cast
from urllib.error import URLError

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from newsletter.adapters.sendgrid.opener import share_opener
from newsletter.adapters.sendgrid.payload import (
    CONTENT_TYPE,
    SANDBOX_MODE,
    Body,
    mail_send,
    single_send,
    staff_send,
)
from newsletter.adapters.values import at, listed
from newsletter.core.delivery import Accepted, Claim, Outcome, Refused, Remedy, Unknown
from newsletter.core.edition import Letter
from newsletter.core.mailing import Envelope
from newsletter.core.transactional import TransactionalMessage
from newsletter.errors import ConfigurationError, SendGridUnavailable
from newsletter.ports import Clock

# At DEBUG this logger prints the API key and the whole payload.
logging.getLogger("python_http_client").setLevel(logging.WARNING)

#: The field of an error that concerns a recipient: the address, or the whole personalization when
#: it has an address twice. Errors in headers and values are ours, for every recipient.
_OFFENDER = re.compile(r"personalizations\.([0-9]{1,3})(\.to(\.0(\.email)?)?)?").fullmatch

#: Whose field it is: its place in the request, which says nothing in a list of reasons.
_PLACE = re.compile(r"(personalizations|to|headers)(?:\.[0-9]+|\[[0-9]+\])")

_ADDRESS = re.compile(r"[^\s\[\]<>()]+@[^\s\[\]<>()]+")
_REASON_LENGTH = 300  #: characters of SendGrid's own message
_LONGEST_WAIT = timedelta(minutes=15)  #: a wrong clock, theirs or ours, must not stop us for a day

#: The remedy for each status by which SendGrid refuses a whole request. 401 is also the answer to
#: "Maximum credits exceeded"; 404, 405 and 415 mean that the address or the request is wrong.
#: A 400 that names recipients removes those instead.
_REMEDIES: dict[int, Remedy] = {
    **dict.fromkeys((400, 401, 403, 404, 405, 415), Remedy.PAUSE),
    413: Remedy.SPLIT,
    429: Remedy.WAIT,
}


def open_client(api_key: str, host: str, timeout: float) -> Any:
    """Return the vendor's client: one for all threads, as long as nobody passes request_headers.

    `timeout` is in seconds, for each socket operation.
    """
    # A stray line end would be refused later, in an error that quotes the key.
    if not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
        raise ConfigurationError("SENDGRID_API_KEY holds a character that no key has")
    share_opener()
    client: Any = SendGridAPIClient(api_key, host=host).client
    client.timeout = timeout  # without it a call may block for ever
    return client


@dataclass(frozen=True)
class CallFailed:
    """Why a reading call failed."""

    reason: str
    status: int = 0  #: of SendGrid's refusal; 0: it did not answer at all


def response_to(call: Callable[[], Any]) -> Any:
    """Return the vendor's response to a call of its client, or CallFailed."""
    try:
        return call()
    except HTTPError as error:
        status = _status(error)
        return CallFailed(f"SendGrid answered {status}: {_message(error)}", status)
    except (HTTPException, OSError) as error:
        return CallFailed(f"SendGrid does not answer: {_named(error)}")


def read_json(call: Callable[[], Any]) -> Any:
    """Return the JSON answer to a call of the vendor's client, or CallFailed."""
    response = response_to(call)
    if isinstance(response, CallFailed):
        return response
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError) as error:
        return CallFailed(f"SendGrid does not answer: {_named(error)}")


def fetch_page(endpoint: Any, query: dict[str, int]) -> list[Any]:
    """Return one page of a list of SendGrid's; SendGridUnavailable says why there is none."""
    found = read_json(lambda: endpoint.get(query_params=query))
    if isinstance(found, CallFailed):
        raise SendGridUnavailable(found.reason)
    if not isinstance(found, list):
        raise SendGridUnavailable("SendGrid answered something that is no list")
    return cast("list[Any]", found)


class SendGridMailer:
    """Sends batches and transactional letters by the v3 Web API, with the vendor's client."""

    def __init__(self, *, api_key: str, host: str, timeout: float, clock: Clock) -> None:
        self._client = open_client(api_key, host, timeout)
        self._client.request_headers["Content-Type"] = CONTENT_TYPE
        self._host, self._clock = host, clock

    def send(self, envelope: Envelope, letter: Letter, claim: Claim) -> Outcome:
        """Post one batch and return its outcome; never raises."""
        return self._post(mail_send(envelope, letter, claim))

    def send_message(self, message: TransactionalMessage) -> Outcome:
        """Post a letter to one person and return its outcome; never raises."""
        return self._post(single_send(message))

    def send_test(self, message: TransactionalMessage) -> Outcome:
        """Post a test letter to a member of staff and return its outcome; never raises."""
        return self._post(staff_send(message))

    def rehearse(self, envelope: Envelope, letter: Letter, claim: Claim) -> str | None:
        """Post a batch in SendGrid's sandbox mode, which checks it and delivers nothing.

        Return why it would be refused; None if it would be accepted.
        """
        body = Body.of(mail_send(envelope, letter, claim) | SANDBOX_MODE)
        response = response_to(lambda: self._client.mail.send.post(request_body=body))
        if isinstance(response, CallFailed):
            return response.reason
        if response.status_code != HTTPStatus.OK:
            return f"SendGrid answered {response.status_code}, not 200"
        return None

    def _post(self, request: dict[str, Any]) -> Outcome:
        try:
            body = Body.of(request)
        except TypeError as error:
            return _not_sent(error, Remedy.PAUSE)
        try:
            response = self._client.mail.send.post(request_body=body)
        except HTTPError as error:
            return self._refusal(error)
        except URLError as error:
            return _not_sent(error, Remedy.RETRY)
        except (HTTPException, OSError) as error:
            return Unknown(reason=f"the answer was lost: {_named(error)}")
        except Exception as error:  # noqa: BLE001  # the request may have been sent
            return Unknown(reason=f"unexpected: {_named(error)}")
        # Whatever else is answered as a success, only 202 takes a batch.
        if response.status_code != HTTPStatus.ACCEPTED:
            return Unknown(reason=f"SendGrid answered {response.status_code}, not 202")
        return Accepted(message_id=response.headers.get("X-Message-Id") or "")

    def obstacle(self) -> str | None:
        """Return why SendGrid would not accept mail with this key; None if it would."""
        try:
            response = self._client.scopes.get()
        except HTTPError as error:
            return f"SendGrid refuses the key: {_status(error)}: {_message(error)}"
        except (HTTPException, OSError) as error:  # of which URLError is one
            return f"SendGrid at {self._host} does not answer: {_named(error)}"
        if "mail.send" not in _json(response.body, "scopes"):
            return "the key may not send mail: it lacks the scope mail.send"
        return None

    def _refusal(self, error: HTTPError) -> Outcome:
        status = _status(error)
        reason = f"{status}: {_message(error)}"
        remedy = _REMEDIES.get(status)
        if remedy is None:  # 5xx, or undocumented: it may have been accepted
            return Unknown(reason=reason)
        if status == HTTPStatus.BAD_REQUEST and (reasons := _offenders(error)):
            places = tuple(sorted(reasons))
            return Refused(reason=reason, remedy=Remedy.EJECT, offenders=places, reasons=reasons)
        wait = self._wait(error) if remedy is Remedy.WAIT else None
        return Refused(reason=reason, remedy=remedy, wait=wait)

    def _wait(self, error: HTTPError) -> timedelta | None:
        headers: Any = getattr(error, "headers", None) or {}
        reset = str(headers.get("X-RateLimit-Reset") or "")
        if not re.fullmatch("[0-9]{1,11}", reset):  # UNIX seconds, when it is there at all
            return None
        until = datetime.fromtimestamp(int(reset), UTC) - self._clock.now()
        return min(max(until, timedelta(seconds=1)), _LONGEST_WAIT)


def _status(error: HTTPError) -> int:
    return int(getattr(error, "status_code", 0) or 0)


def _errors(error: HTTPError) -> list[dict[str, Any]]:
    found = _json(getattr(error, "body", b""), "errors")
    return [cast("dict[str, Any]", one) for one in found if isinstance(one, dict)]


def _message(error: HTTPError) -> str:
    """Return SendGrid's sentences, each once: of a thousand recipients many have the same."""
    given = "; ".join([*dict.fromkeys(map(_sentence, _errors(error)))][:3])
    return given[:_REASON_LENGTH] or _without_addresses(
        str(getattr(error, "reason", "") or "no reason")
    )


def _sentence(one: dict[str, Any]) -> str:
    """Return an error's sentence with the field it concerns, but not whose: so that they group."""
    message, named = str(one.get("message") or "no reason"), str(one.get("field") or "")
    text = f"{message} ({named})" if named else message
    return _without_addresses(_PLACE.sub(r"\1", text))


def _offenders(error: HTTPError) -> dict[int, str]:
    """Return the places of the recipients that are named, each with what is wrong with it."""
    found: dict[int, list[str]] = {}
    for one in _errors(error):
        if place := _OFFENDER(str(one.get("field"))):
            found.setdefault(int(place[1]), []).append(_sentence(one))
    status = _status(error)
    return {
        place: f"{status}: {'; '.join(given)}"[:_REASON_LENGTH] for place, given in found.items()
    }


def _not_sent(error: BaseException, remedy: Remedy) -> Refused:
    return Refused(reason=f"not sent: {_named(error)}", remedy=remedy, reached=False)


def _json(body: Any, name: str) -> list[object]:
    """Return the list of this name in a JSON object; empty where the body is something else."""
    try:
        return listed(at(json.loads(body), name))
    except (ValueError, TypeError, RecursionError):
        return []  # a proxy's HTML page, most likely


def _named(error: BaseException) -> str:
    shown = error.reason if isinstance(error, URLError) else error
    return _without_addresses(f"{type(shown).__name__}: {shown}".rstrip(": "))


def _without_addresses(text: str) -> str:
    # Reasons are stored, shown and logged; some of SendGrid's messages quote an address.
    return _ADDRESS.sub("(an address)", text)[:_REASON_LENGTH]
