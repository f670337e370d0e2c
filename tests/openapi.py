"""SendGrid's own description of its API, held against what is sent and what the stand-in answers.

The files are read from the folder that SENDGRID_OPENAPI names; they are not part of this tree.
Every
call by the vendor's client in this process is looked at: what the stand-in accepted must satisfy
the file, and so must each of its answers. Where the file and the world disagree, `EXCEPTIONS` says
so and why.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jsonschema_rs

VARIABLE = "SENDGRID_OPENAPI"
MISSING = (
    "SendGrid's OpenAPI files are not here: clone twilio/sendgrid-oai from GitHub, and set "
    f"{VARIABLE} to its folder spec/json"
)


class ContractException(NamedTuple):
    """Where the file is not followed, and why."""

    method: str
    path: str  #: as the file spells it
    fault: str  #: regular expression for a whole fault
    reason: str


ANY = ".*"
EXCEPTIONS = (
    ContractException(
        "POST",
        "/v3/mail/send",
        r"request at custom_args: .* is not of type \"string\"",
        "the file says a string; SendGrid's pages and all of its clients say an object. The "
        "product sends none there, only the stand-in's own tests do",
    ),
    ContractException(
        "POST",
        "/v3/mail/send",
        r"answer: status (200|302|411|415|429|502|503|504) is not in the file",
        "200 is sandbox mode's answer, 302 one of somebody between, the others are on SendGrid's "
        "page of errors, or its proxies'",
    ),
    ContractException(
        ANY,
        ANY,
        r"answer: status (401|403|429) is not in the file",
        "every call may be refused, and too many are; the file says so of some only",
    ),
    ContractException(
        ANY,
        ANY,
        r"answer at errors\.\d+\.help: .* is not of type .*",
        "the file says an object, SendGrid's page of errors shows an address or null",
    ),
    ContractException(
        ANY,
        ANY,
        r"answer at errors\.\d+\.(field|error_id): null is not of type \"string\"",
        "an error that is about no field has null there, in every report of one",
    ),
)


@dataclass(frozen=True)
class Contract:
    """The operations of all files of a folder."""

    folder: Path
    faults: list[str] = field(default_factory=list[str])  #: found so far, without the exceptions
    seen: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    @cached_property
    def _operations(self) -> dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]]:
        found: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {}
        for file in sorted(self.folder.glob("tsg_*_v3.json")):
            document = _as_json_schema(json.loads(file.read_text()))
            for path, methods in document["paths"].items():
                for method, operation in methods.items():
                    found[method.upper(), path] = (document, operation)
        return found

    def _find(self, method: str, path: str) -> str | None:
        """Return the path as the files spell it; one without a variable comes first."""
        spelled = sorted(
            (one for m, one in self._operations if m == method), key=lambda p: "{" in p
        )
        pattern = {one: re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(one)) for one in spelled}
        return next((one for one in spelled if re.fullmatch(pattern[one], path)), None)

    def look(self, call: "Call") -> None:
        """Take down what is wrong with a call."""
        path = self._find(call.method, call.path)
        if path is None:
            self.faults.append(f"{call.method} {call.path}: no file knows it")
            return
        self.seen.add((call.method, path))
        found = (*self._request_faults(call, path), *self._answer_faults(call, path))
        self.faults.extend(
            f"{call.method} {path}: {fault}"
            for fault in found
            if not any(_excuses(one, call.method, path, fault) for one in EXCEPTIONS)
        )

    def _request_faults(self, call: "Call", path: str) -> Iterator[str]:
        if not 200 <= call.status < 300:  # it was refused, as it should be
            return
        document, operation = self._operations[call.method, path]
        names = {_resolved(document, one)["name"] for one in operation.get("parameters", ())}
        for name in sorted(call.query - names):
            yield f"request: the file has no parameter {name}"
        if body := _resolved(document, operation.get("requestBody", {})):
            yield from _schema_faults("request", document, body, call.body)

    def _answer_faults(self, call: "Call", path: str) -> Iterator[str]:
        document, operation = self._operations[call.method, path]
        answer = operation["responses"].get(str(call.status))
        if answer is None:
            yield f"answer: status {call.status} is not in the file"
        elif call.answer:
            yield from _schema_faults("answer", document, _resolved(document, answer), call.answer)


class Call(NamedTuple):
    """One call and its answer."""

    method: str
    path: str
    query: set[str]
    body: bytes
    status: int
    answer: bytes


def call_of(request: Any, status: int, answer: bytes) -> Call:
    """Return what the vendor's client asked, from its urllib request."""
    url = urlsplit(request.full_url)
    query = {one.partition("=")[0] for one in url.query.split("&") if one}
    body = bytes(request.data or b"")
    return Call(request.get_method(), url.path, query, body, status, answer)


def _excuses(one: ContractException, method: str, path: str, fault: str) -> bool:
    asked = ((one.method, method), (one.path, path), (one.fault, fault))
    return all(re.fullmatch(pattern, text, re.DOTALL) for pattern, text in asked)


def _schema_faults(
    what: str, document: dict[str, Any], holder: dict[str, Any], body: bytes
) -> Iterator[str]:
    schema = holder.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return
    try:
        value = json.loads(body)
    except ValueError:
        yield f"{what}: not JSON"
        return
    for error in _validator(document, schema).iter_errors(value):
        place = ".".join(map(str, error.instance_path))
        yield f"{what}{f' at {place}' if place else ''}: {error.message[-300:]}"


_validators: dict[str, Any] = {}


def _validator(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    key = f"{id(document)} {json.dumps(schema, sort_keys=True)}"
    if key not in _validators:
        whole = schema | {"components": document.get("components", {})}
        _validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=False)
    return _validators[key]


def _resolved(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        found: Any = document
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name.replace("~1", "/")]
        value = found
    return value


def _as_json_schema(value: Any) -> Any:
    """Return a document whose `nullable`, a word of OpenAPI 3.0, is one of the types, as in 3.1."""
    if isinstance(value, list):
        return [_as_json_schema(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {name: _as_json_schema(one) for name, one in value.items()}
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


def contract() -> Contract | None:
    """Return the contract that SENDGRID_OPENAPI names; None without it."""
    folder = os.environ.get(VARIABLE)
    return Contract(Path(folder)) if folder else None
