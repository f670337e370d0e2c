"""The header If-Match (RFC 9110): a change is made only of what the caller has read."""

from typing import Annotated

from fastapi import Header

from newsletter.web.api.problems import ApiProblem

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="The ETag of what you read.", max_length=1000)
]


def etag_of(version: str) -> str:
    """Return the header that says a version."""
    return f'"{version}"'


def matched(given: str | None, version: str) -> str:
    """Return the version that a change is of; 428 if the caller names none, 412 when stale."""
    if given is None:
        raise ApiProblem("precondition")
    return matched_if_given(given, version) or version


def matched_if_given(given: str | None, version: str) -> str | None:
    """Return the version that a change is of, None if the caller names none; 412 when stale."""
    if given is None:
        return None
    known = {one.strip() for one in given.split(",")}
    if not known & {"*", etag_of(version)}:
        raise ApiProblem("changed")
    return version
