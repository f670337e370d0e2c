"""Renders the reference of the JSON API: its description, and the examples that a test runs."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Any, cast

from newsletter.web.api.app import ROUTERS, create_api
from newsletter.web.api.issue_here import ISSUE
from newsletter.web.api.problems import KINDS
from newsletter.web.api.route import PREFIX, ApiRoute
from tests.docs.generate.api_schemas import Schemas
from tests.docs.generate.markdown import table
from tests.docs.generate.web import scope_of
from tests.web.api.answers import recorded, status_line
from tests.web.api.example import PYTHON_BEGINS, Example
from tests.web.api.examples import EXAMPLES

_HEAD = Path(__file__).with_name("api_head.md")
_PLACE = re.compile(r"<!-- (\w+): (.*) -->")
_OF_ALL = {"401", "403", "404", "422", "429", "500", "503"}  #: statuses that every call may have


def api() -> Iterator[str]:
    """Yield the lines of the page."""
    placed, heading = dict[str, str](), ""
    for line in _HEAD.read_text(encoding="utf-8").splitlines():
        heading = line.lstrip("# ") if line.startswith("#") else heading
        if found := _PLACE.fullmatch(line):
            placed[found[2]] = heading
            yield from _at_place(found[1], found[2])
        else:
            yield line
    described = _description()
    schemas, bodies = Schemas(described), set[str]()
    yield from _calls(described, schemas, placed, bodies)
    yield from _objects(schemas, bodies)
    yield "## Webhooks that are posted"
    yield ""
    yield "What is posted to an endpoint, how to verify its signature, and every type of event: see"
    yield "[Webhooks](webhooks.md)."


def _at_place(kind: str, what: str) -> Iterator[str]:
    match kind:
        case "example":
            yield from _example(next(one for one in EXAMPLES if one.title == what))
        case "problems":
            rows = (
                (f"`{name}`", str(one.status), f"{one.title}. {one.explanation}")
                for name, one in KINDS.items()
            )
            yield from table(("Kind", "Status", "What it is, and what to do"), rows)
        case "story":
            yield from _story()
        case _:
            yield from _block("python", PYTHON_BEGINS.rstrip())


def _story() -> Iterator[str]:
    """Yield the examples in their order, a line for each resource."""
    for resource, ones in groupby(EXAMPLES, key=lambda one: resource_of(one.call.split(" ")[1])):
        links = (f"[{one.title}](#{_anchor(one.call)})" for one in ones if one.is_on_page)
        yield f"- {resource}: {', '.join(links)}"
    yield ""


def resource_of(path: str) -> str:
    """Return the resource of a path, as a heading says it."""
    return path.split("/")[1].capitalize()


@cache
def _description() -> Mapping[str, Any]:
    return create_api(cast("Any", None)).openapi()


def _calls(
    described: Mapping[str, Any], schemas: Schemas, placed: Mapping[str, str], bodies: set[str]
) -> Iterator[str]:
    group = ""
    for path, operations in described["paths"].items():
        below = path.removeprefix(PREFIX)
        if (now := resource_of(below)) != group:
            group = now
            yield from (f"## {group}", "")
        for method, operation in operations.items():
            call = f"{method.upper()} {below}"
            yield from _call(call, operation, schemas, bodies)
            for one in (one for one in EXAMPLES if one.call == call and one.is_on_page):
                if one.title in placed:
                    yield from (
                        f"*{one.title}* is an example [above](#{_anchor(placed[one.title])}).",
                        "",
                    )
                else:
                    yield from _example(one)


def _call(
    call: str, operation: Mapping[str, Any], schemas: Schemas, bodies: set[str]
) -> Iterator[str]:
    yield from (f"### `{_heading(call)}`", "")
    if _heading(call) != call:
        yield from (f"`{call}`", "")
    for paragraph in operation["description"].split("\n\n"):
        yield from (" ".join(paragraph.split()), "")
    yield from (f"Scope: {_scopes()[call]}.", "")
    if parameters := operation.get("parameters"):
        rows = (
            (
                f"`{one['name']}`",
                one["in"],
                schemas.type_of(one["schema"]).removesuffix(" or null"),
                _needed(call, one),
                schemas.about({"description": one.get("description", "")} | one["schema"]),
            )
            for one in parameters
        )
        yield from table(("Parameter", "In", "Type", "Needed", "About"), rows)
    if body := operation.get("requestBody"):
        yield from _body(body["content"]["application/json"]["schema"], schemas, bodies)
    yield from _answers(operation["responses"], schemas)
    yield from _problems(call, operation, schemas)


@cache
def _scopes() -> Mapping[str, str]:
    routes = [one for each in ROUTERS for one in each.routes if isinstance(one, ApiRoute)]
    return {
        f"{method} {one.path.removeprefix(PREFIX)}": scope_of(one)
        for one in routes
        for method in one.methods or ()
    }


def _needed(call: str, parameter: Mapping[str, Any]) -> str:
    """Return whether a call needs a parameter; `If-Match` is one that changes need."""
    of_change = parameter["name"] == "If-Match" and not call.endswith("/hold")
    return "yes" if parameter.get("required") or of_change else "no"


def _body(schema: Mapping[str, Any], schemas: Schemas, bodies: set[str]) -> Iterator[str]:
    chosen = next((one for one in schema.get("anyOf", ()) if one != {"type": "null"}), schema)
    if "$ref" not in chosen or len(schema.get("anyOf", ())) > 2:  # it, or null
        yield from (f"Body: {schemas.type_of(schema)}.", "")
        return
    name = chosen["$ref"].rpartition("/")[2]
    bodies.add(name)
    yield from (f"Body: {schemas.description(name)}", "")
    yield from schemas.table(schemas.resolved(chosen), is_body=True)


def _answers(responses: Mapping[str, Any], schemas: Schemas) -> Iterator[str]:
    for status, one in sorted(responses.items()):
        if status.startswith("2"):
            content = one.get("content", {})
            what = ", ".join(
                schemas.type_of(shape["schema"]) if kind == "application/json" else f"`{kind}`"
                for kind, shape in content.items()
            )
            said = one["description"]
            tail = "" if said == "Successful Response" else f" {said}"
            yield from (
                f"Answer: `{status_line(int(status))}`, {what or 'without a body'}.{tail}",
                "",
            )


def _problems(call: str, operation: Mapping[str, Any], schemas: Schemas) -> Iterator[str]:
    """Yield the kinds of problems that a call has besides those of every call."""
    body = json.dumps(operation.get("requestBody", {}))
    named = [name for name in schemas.objects() if f'/{name}"' in body]
    about_hash = any("hash" in schemas.resolved({"$ref": f"/{one}"})["properties"] for one in named)
    never = {"key-in-use": not call.startswith("POST"), "stale": not about_hash}
    said = ""
    for status in sorted(operation["responses"].keys() - _OF_ALL):
        of_status = (name for name, one in KINDS.items() if str(one.status) == status)
        kinds = " or ".join(f"`{one}`" for one in of_status if not never.get(one))
        said += f", {status} {kinds}" if status >= "4" else ""
    yield from (f"Problems: [those of every call](#errors){said}.", "")


def _example(example: Example) -> Iterator[str]:
    remark = f" {example.remark}" if example.remark else ""
    yield from (f"**{example.title}.**{remark}{_origins(example)}", "")
    yield from _block("sh", example.curl)
    yield from _block("python", example.python)
    answer = recorded().get(example.title)
    if answer is None:
        return
    headers = "".join(f", `{name}: {value}`" for name, value in answer["headers"].items())
    yield from (f"`{answer['status']}`{headers}", "")
    if answer["body"] is not None:
        yield from _block("json", json.dumps(answer["body"], indent=2, ensure_ascii=False))


def _origins(example: Example) -> str:
    """Return where the values come from that an example takes from answers before it."""
    earlier = EXAMPLES[: EXAMPLES.index(example)]
    said = ""
    for name in dict.fromkeys(Template(example.curl).get_identifiers()):
        for one in reversed(earlier):
            if name.lower() in one.keeps:
                at = one.keeps[name.lower()]
                what = f"at `{at}`" if at.startswith("/") else f"the header `{at}`"
                said += (
                    f" `{name}` is {what} in the answer to [*{one.title}*](#{_anchor(one.call)})."
                )
                break
    return said


def _heading(call: str) -> str:
    """Return a call so that it can be told from others in the page's list of contents."""
    return call.replace(f"{ISSUE}/", "/issues/…/")


def _anchor(call: str) -> str:
    return re.sub(r"[^\w-]", "", _heading(call).lower().replace(" ", "-"))


def _objects(schemas: Schemas, bodies: set[str]) -> Iterator[str]:
    yield from ("## Objects", "", "What bodies and answers are made of, by name.", "")
    for name in schemas.objects():
        if name not in bodies:
            yield from (f"### {name}", "", schemas.description(name), "")
            is_body = name.startswith("Given") or name.endswith("Patch")
            yield from schemas.table(schemas.resolved({"$ref": f"/{name}"}), is_body=is_body)


def _block(language: str, text: str) -> Iterator[str]:
    yield from (f"```{language}", text, "```", "")
