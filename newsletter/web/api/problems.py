"""What an answer says that is no success: a problem (RFC 9457), each kind described once, here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from newsletter.errors import (
    ChangedMeanwhile,
    ConfigurationError,
    InvalidBrief,
    InvalidEdit,
    InvalidEndpoint,
    NewsletterError,
    NotAllowed,
    NotAPerson,
    NotFound,
    ReasonNeeded,
    StaleDraft,
)
from newsletter.web.api.schemas import FieldError, ProblemReport
from newsletter.web.sentences import sentence
from subscribers.errors import InvalidChoice, NoSuchSubscriber, NoSuchSubscription

MEDIA_TYPE = "application/problem+json"
PROBLEMS_PATH = "/api/v1/problems"
_RETRY_SECONDS = "5"


class ProblemKind(NamedTuple):
    """One kind of problem, and what a person does about it."""

    status: int
    title: str
    explanation: str


#: By the name that `type` ends with.
KINDS: Mapping[str, ProblemKind] = {
    "unreadable": ProblemKind(
        400, "The body is no JSON", "Send valid JSON in UTF-8, each name of an object once."
    ),
    "token": ProblemKind(
        401,
        "A valid token is needed",
        "Send `Authorization: Bearer nl_…`. The token may be mistyped, expired or revoked; "
        "`newsletter tokens list` shows which it is, and `newsletter tokens create` makes another.",
    ),
    "forbidden": ProblemKind(
        403,
        "The token may not do this",
        "The detail names what is missing, such as a scope. A token cannot be given more rights: "
        "make another.",
    ),
    "not-found": ProblemKind(
        404,
        "There is nothing here",
        "Nothing has this address, or it belongs to a newsletter that the token does not see.",
    ),
    "method": ProblemKind(
        405, "This cannot be asked for in this way", "The header `Allow` lists the methods."
    ),
    "conflict": ProblemKind(
        409, "Its state does not allow that", "The detail says why, and nothing was changed."
    ),
    "key-in-use": ProblemKind(
        409,
        "The first request with this key is being answered",
        "Wait a moment, and send it again with the same Idempotency-Key.",
    ),
    "stale": ProblemKind(
        409,
        "It is no longer what you looked at",
        "The detail says what changed. Look at it again, and send its `hash`.",
    ),
    "changed": ProblemKind(
        412, "It was changed meanwhile", "Read it again, and send the new ETag in `If-Match`."
    ),
    "too-large": ProblemKind(
        413, "The body is too large", "5 MB are taken at once: send it in several requests."
    ),
    "media-type": ProblemKind(
        415, "The body is not declared as JSON", "Send `Content-Type: application/json`."
    ),
    "invalid": ProblemKind(
        422,
        "Something in the request is wrong",
        "Each of `errors` says what and where: `pointer` is a JSON pointer into the body "
        "(`#/title`), or names a parameter (`query/after`, `header/If-Match`).",
    ),
    "key-reused": ProblemKind(
        422,
        "The key was used for another request",
        "An Idempotency-Key belongs to one request for 24 hours: make a new key for a new one.",
    ),
    "precondition": ProblemKind(
        428, "Say which revision you change", "Send the ETag that you read in `If-Match`."
    ),
    "too-many": ProblemKind(
        429, "Too many requests", "Wait as many seconds as `Retry-After` says."
    ),
    "failed": ProblemKind(
        500, "This did not work", "It is our fault. The log has the `request_id`."
    ),
    "busy": ProblemKind(
        503,
        "The database did not answer in time",
        "Send the same again in a few seconds, a POST with the same Idempotency-Key.",
    ),
}


_WORDS = {  #: by pydantic's types of errors
    "extra_forbidden": "There is no field of this name",
    "model_type": "It should be an object",
    "model_attributes_type": "It should be an object",
    "dict_type": "It should be an object",
}


class ApiProblem(NewsletterError):
    """A request is answered with a problem."""

    def __init__(
        self,
        kind: str,
        detail: str = "",
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or KINDS[kind].explanation)
        self.kind, self.errors, self.headers = kind, tuple(errors), dict(headers or {})


def invalid(pointer: str, detail: str) -> ApiProblem:
    """Return the problem of one wrong value."""
    return ApiProblem("invalid", detail, [FieldError(pointer=pointer, detail=detail)])


def problem_with(found: Sequence[FieldError]) -> ApiProblem:
    """Return the problem of these values, of which the first is said as the detail."""
    first = f"{found[0].pointer}: {found[0].detail}"
    others = f" And {len(found) - 1} more." if len(found) > 1 else ""
    return ApiProblem("invalid", first + others, found)


def answer_of(request: Request, problem: ApiProblem) -> JSONResponse:
    kind = KINDS[problem.kind]
    said = ProblemReport(
        type=f"{PROBLEMS_PATH}#{problem.kind}",
        title=kind.title,
        status=kind.status,
        detail=sentence(str(problem)),
        errors=list(problem.errors),
        request_id=request.state.request_id,
    )
    return JSONResponse(
        said.model_dump(mode="json"), kind.status, problem.headers, media_type=MEDIA_TYPE
    )


def problem_of(error: Exception, request: Request) -> ApiProblem | None:
    """Return the problem that an error is to whoever asked; None for a fault of ours."""
    services = request.app.state.services
    match error:
        case ApiProblem():
            return error
        case RequestValidationError():
            return _of_validation(error)
        case HTTPException():
            return _of_framework(error)
        case NotFound() | NoSuchSubscriber() | NoSuchSubscription() | OverflowError():
            return ApiProblem("not-found")
        case InvalidBrief():
            return invalid("#", error.reason)
        case InvalidChoice():
            return invalid(f"#/{error.field}", str(error))
        case NotAllowed() | ConfigurationError():
            return _of_refusal(error)
        case _ if isinstance(error, services.unanswered):
            return ApiProblem("busy", headers={"Retry-After": _RETRY_SECONDS})
        case _ if isinstance(error, services.unreadable):
            return ApiProblem("invalid", "A value is of a kind that cannot be stored.")
        case _:
            return None


def _of_refusal(error: NotAllowed | ConfigurationError) -> ApiProblem:
    match error:
        case InvalidEdit() | InvalidEndpoint():
            return invalid(f"#/{error.field}", str(error))
        case ReasonNeeded():
            return invalid("#/because", "say why, since it is recorded")
        case NotAPerson():
            return ApiProblem("forbidden", str(error))
        case ChangedMeanwhile():
            return ApiProblem("changed", str(error))
        case StaleDraft():
            return ApiProblem("stale", str(error))
        case _:
            return ApiProblem("conflict", str(error))


def _of_validation(error: RequestValidationError) -> ApiProblem:
    errors = error.errors()
    if all(one["loc"][0] == "path" for one in errors):
        return ApiProblem("not-found")
    return problem_with([_field_error(pointer_of(one["loc"]), one) for one in errors])


def errors_of(error: ValidationError | InvalidBrief, at: str) -> tuple[FieldError, ...]:
    """Return what is wrong with a part of the body, which this pointer leads to."""
    if isinstance(error, InvalidBrief):
        return (FieldError(pointer=error.place, detail=error.reason),)
    below = [(pointer_of(("body", *one["loc"])).removeprefix("#"), one) for one in error.errors()]
    return tuple(_field_error(at + place, one) for place, one in below)


def _field_error(pointer: str, found: Mapping[str, Any]) -> FieldError:
    """Return what pydantic found, without words that only its own users know."""
    return FieldError(pointer=pointer, detail=_WORDS.get(found["type"]) or found["msg"])


_BY_STATUS = {kind.status: name for name, kind in reversed(KINDS.items())}


def _of_framework(error: HTTPException) -> ApiProblem:
    name = _BY_STATUS.get(error.status_code, "unreadable")
    return ApiProblem(name, headers=error.headers)


def pointer_of(loc: tuple[int | str, ...]) -> str:
    """Return where a value is: a JSON pointer into the body, or which parameter."""
    where, *path = loc
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in path]
    return "/".join(["#" if where == "body" else str(where), *parts])


def described() -> PlainTextResponse:
    """Return the page that `type` leads to, as Markdown."""
    lines = ["# Problems", ""]
    for name, kind in KINDS.items():
        lines += [f"## {name}", "", f"{kind.status}: {kind.title}. {kind.explanation}", ""]
    return PlainTextResponse("\n".join(lines), media_type="text/markdown")
