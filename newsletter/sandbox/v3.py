"""SendGrid's v3 API, as far as the service uses it."""

import secrets
import time
from collections.abc import Iterator
from http import HTTPStatus

from newsletter.sandbox.letters import merged, subject_of
from newsletter.sandbox.routing import (
    BadRequest,
    Reply,
    Request,
    RequestContext,
    RouteNotFound,
    number,
    route,
)
from newsletter.sandbox.rules import Problem
from newsletter.sandbox.store import issue_digest
from newsletter.sandbox.validation import Checked, check

SEND = "/v3/mail/send"
MAX_PAGE = 500  #: OAS, `limit` of a suppression list
_LISTS = ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes")
_FAR_FUTURE = 2**53
_LIMIT = 600  #: requests a minute /v3/scopes has been seen to allow
_MESSAGES = {  # SendGrid's own, as far as reports show them
    401: "The provided authorization grant is invalid, expired, or revoked",
    403: "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.",  # noqa: E501  # SendGrid's own sentence
    415: "Content-Type should be application/json.",
    429: "too many requests",
}


def refusal(status: int, message: str = "") -> Reply:
    """Return an error in SendGrid's shape."""
    problem = Problem(None, message or _MESSAGES.get(status) or HTTPStatus(status).phrase.lower())
    return Reply.of({"errors": [problem.as_json()]}, status)


def is_authorized(context: RequestContext, request: Request) -> bool:
    """Return whether the request has an accepted API key."""
    scheme, _, key = (request.headers.get("Authorization") or "").partition(" ")
    if scheme != "Bearer":
        return False
    if context.config.keys:
        return key in context.config.keys
    return key.startswith("SG.") and len(key) > len("SG.")


def rate_limit_headers(remaining: int, seconds: float) -> dict[str, str]:
    """Return the headers of SendGrid's rate limits page; the reset is in UNIX seconds."""
    return {
        "X-RateLimit-Limit": str(_LIMIT),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(int(time.time() + seconds)),
    }


def _send(context: RequestContext, request: Request) -> Reply:
    kind = request.headers.get("Content-Type") or ""
    if kind.partition(";")[0].strip().lower() != "application/json":
        return refusal(415)
    checked = check(request.body, time.time(), context.faults.bad_address)
    _check_batch(context, checked)
    if checked.problems:
        return Reply.of({"errors": [problem.as_json() for problem in checked.problems]}, 400)
    if checked.sandbox_mode:
        return Reply(status=200)
    message_id = secrets.token_urlsafe(16)  # 22 characters, as SendGrid's
    _store(context, message_id, request.body, checked)
    return Reply(status=202, headers={"X-Message-Id": message_id})


def _check_batch(context: RequestContext, checked: Checked) -> None:
    batch_id = checked.message.get("batch_id")
    if isinstance(batch_id, str) and not context.store.has_batch(batch_id):
        checked.problems.add("batch_id", "There is no such batch id.", "message.batch_id")


def _store(context: RequestContext, message_id: str, body: bytes, checked: Checked) -> None:
    config = context.config
    tallies = {"accepted_requests": 1, "accepted_recipients": len(checked.recipients)}
    if config.sink:
        context.store.count(tallies)
        return
    recipients = _with_digests(checked, config.issue_arg)
    context.store.accept(message_id, body, recipients, tallies, eventful=config.events)
    context.event_sender.notify()


def _with_digests(checked: Checked, issue_arg: str) -> Iterator[tuple[int, str, int]]:
    """Yield each recipient with the digest of what must not come to it twice."""
    message = checked.message
    digests = [
        issue_digest(merged(message, one, "custom_args").get(issue_arg) or subject_of(message, one))
        for one in message["personalizations"]
    ]
    for place, key in checked.recipients:
        yield place, key, digests[place]


def _new_batch(context: RequestContext, _: Request) -> Reply:
    batch_id = secrets.token_urlsafe(36)
    context.store.add_batch(batch_id)
    return Reply.of({"batch_id": batch_id}, 201)


def _known_batch(context: RequestContext, _: Request, batch_id: str) -> Reply:
    if not context.store.has_batch(batch_id):
        raise BadRequest("invalid batch id")
    return Reply.of({"batch_id": batch_id})


def _scopes(_: RequestContext, __: Request) -> Reply:
    scopes = ["mail.send", "mail.batch.create", "mail.batch.read", "suppression.read"]
    return Reply.of({"scopes": scopes}, headers=rate_limit_headers(_LIMIT - 1, 60))


def _suppressions(context: RequestContext, request: Request, name: str) -> Reply:
    if name not in _LISTS:
        raise RouteNotFound
    limit = number(request, "limit", MAX_PAGE)
    if not 1 <= limit <= MAX_PAGE:
        raise BadRequest(f"limit must be between 1 and {MAX_PAGE}")
    rows = context.store.suppressions(
        name,
        start=number(request, "start_time", 0),
        end=number(request, "end_time", _FAR_FUTURE),
        limit=limit,
        offset=number(request, "offset", 0),
    )
    return Reply.of([_suppression(name, *row) for row in rows])


def _suppression(
    name: str, created: int, email: str, reason: str, status: str
) -> dict[str, str | int]:
    if name == "unsubscribes":
        return {"created": created, "email": email}
    if name == "spam_reports":
        return {"created": created, "email": email, "ip": "198.51.100.7"}
    return {"created": created, "email": email, "reason": reason, "status": status}


ROUTES = (
    route("POST", SEND, _send),
    route("POST", "/v3/mail/batch", _new_batch),
    route("GET", "/v3/mail/batch/{}", _known_batch),
    route("GET", "/v3/scopes", _scopes),
    route("GET", "/v3/suppression/{}", _suppressions),
)
