"""SendGrid's v3 API, as far as the service uses it."""

import secrets
import time
from http import HTTPStatus
from typing import Any

from newsletter.sandbox.config import SandboxConfig
from newsletter.sandbox.events import merged
from newsletter.sandbox.letters import subject_of
from newsletter.sandbox.routing import CallError, Reply, Request, RequestContext, route
from newsletter.sandbox.rules import Problem
from newsletter.sandbox.store import issue_digest
from newsletter.sandbox.validation import Checked, check

SEND = "/v3/mail/send"
MAX_PAGE = 500  #: OAS, `limit` of a suppression list
_WITH_REASON = ("created", "email", "reason", "status")
_LISTS = dict.fromkeys(("bounces", "blocks", "invalid_emails"), _WITH_REASON) | dict.fromkeys(
    ("spam_reports", "unsubscribes"), ("created", "email")
)
_FAR_FUTURE = 2**53
_LIMIT = 600  #: requests a minute /v3/scopes has been seen to allow
_MESSAGES = {  # SendGrid's own, as far as reports show them
    401: "The provided authorization grant is invalid, expired, or revoked",
    403: "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.",  # noqa: E501  # SendGrid's own sentence
    415: "Content-Type should be application/json.",
    429: "too many requests",
}


def refusal(status: int, message: str = "", headers: dict[str, str] | None = None) -> Reply:
    """Return an error in SendGrid's shape."""
    problem = Problem(None, message or _MESSAGES.get(status) or HTTPStatus(status).phrase.lower())
    return Reply.of({"errors": [problem.as_json()]}, status, headers)


def is_authorized(context: RequestContext, request: Request) -> bool:
    scheme, _, key = (request.headers.get("Authorization") or "").partition(" ")
    if scheme != "Bearer":
        return False
    if keys := context.account.state["keys"] or context.config.keys:
        return key in keys
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
        raise CallError(415)
    checked = check(request.body, time.time(), context.faults.bad_address)
    batch_id = checked.message.get("batch_id")
    if isinstance(batch_id, str) and not context.store.has_batch(batch_id):
        checked.problems.add("batch_id", "There is no such batch id.", "message.batch_id")
    if checked.problems:
        return Reply.of({"errors": [problem.as_json() for problem in checked.problems]}, 400)
    if checked.sandbox_mode:
        return Reply(status=200)
    message_id = secrets.token_urlsafe(16)  # 22 characters, as SendGrid's
    _store(context, message_id, request.body, checked)
    return Reply(status=202, headers={"X-Message-Id": message_id})


def _store(context: RequestContext, message_id: str, body: bytes, checked: Checked) -> None:
    config, message = context.config, checked.message
    tallies = {"accepted_requests": 1, "accepted_recipients": len(checked.recipients)}
    if config.sink:
        context.store.count(tallies)
        return
    digests = [issue_digest(_issue(config, message, one)) for one in message["personalizations"]]
    recipients = [(place, key, digests[place]) for place, key in checked.recipients]
    context.store.accept(message_id, body, recipients, tallies, eventful=config.events)
    context.event_sender.notify()


def _issue(config: SandboxConfig, message: dict[str, Any], one: dict[str, Any]) -> str:
    """Return what a letter is one of: sent twice of the same, it is a duplicate."""
    args = merged(message, one, "custom_args")
    issue = args.get(config.issue_arg) or subject_of(message, one)
    owner = args.get(config.installation_arg)
    return f"{issue} of {owner}" if owner else issue


def _new_batch(context: RequestContext, _: Request) -> Reply:
    batch_id = secrets.token_urlsafe(36)
    context.store.add_batch(batch_id)
    return Reply.of({"batch_id": batch_id}, 201)


def _known_batch(context: RequestContext, _: Request, batch_id: str) -> dict[str, Any]:
    if not context.store.has_batch(batch_id):
        raise CallError(400, "invalid batch id")
    return {"batch_id": batch_id}


def _scopes(context: RequestContext, _: Request) -> Reply:
    return Reply.of(
        {"scopes": context.account.state["scopes"]}, headers=rate_limit_headers(_LIMIT - 1, 60)
    )


def _suppressions(context: RequestContext, request: Request, name: str) -> Reply:
    if name not in _LISTS:
        raise CallError(404)
    limit = request.number("limit", MAX_PAGE)
    if not 1 <= limit <= MAX_PAGE:
        raise CallError(400, f"limit must be between 1 and {MAX_PAGE}")
    start, end = request.number("start_time", 0), request.number("end_time", _FAR_FUTURE)
    rows = context.store.suppressions(name, start, end, limit, request.number("offset", 0))
    ip = {"ip": "198.51.100.7"} if name == "spam_reports" else {}
    return Reply.of([{field: row[field] for field in _LISTS[name]} | ip for row in rows])


ROUTES = (
    route("POST", SEND, _send),
    route("POST", "/v3/mail/batch", _new_batch),
    route("GET", "/v3/mail/batch/{}", _known_batch),
    route("GET", "/v3/scopes", _scopes),
    route("GET", "/v3/suppression/{}", _suppressions),
)
