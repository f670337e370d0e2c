"""An example of a call of the JSON API, and its text for the shell and for Python.

The same text stands in the documentation and is run by the test.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Any, cast

ON = "2026-11-23"  #: the day of the tests' clock
_WIDTH = 88  #: of a line of Python

#: What the examples in Python begin with; `API` and `TOKEN` are set in the environment.
PYTHON_BEGINS = """\
import os

import httpx

api = httpx.Client(
    base_url=os.environ["API"],
    headers={"Authorization": f"Bearer {os.environ['TOKEN']}"},
)
"""


@dataclass(frozen=True)
class Kept:
    """A value of an earlier answer, where it stands in a body."""

    name: str
    is_text: bool = True


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request, the status that it is answered with, and what is kept of the answer.

    In `path` and `headers` a kept value is written `$name`; in `body` it is a `Kept`.
    """

    title: str
    call: str  #: method and path as the description of the API has them, below /api/v1
    path: str = ""  #: with its values and its query; empty if the call has none
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    status: int = 200
    keeps: Mapping[str, str] = field(default_factory=dict[str, str])
    #: ^ by name: a header of the answer, or a pointer into its body (/data/0/id)
    remark: str = ""
    first: str = ""  #: what happens before it, by its name in the test
    shows: tuple[str, ...] | None = ()  #: fields of the answer; empty for all, None for no body
    is_on_page: bool = True

    @property
    def method(self) -> str:
        return self.call.partition(" ")[0]

    @property
    def address(self) -> str:
        return self.path or self.call.partition(" ")[2]

    @property
    def curl(self) -> str:
        """Return the call for a shell in which API, TOKEN and what was kept are set."""
        method = "" if self.method == "GET" else f"-X {self.method} "
        headers = {"Authorization": "Bearer $TOKEN"} | dict(self.headers)
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        lines = [f'curl {method}"$API{_upper(self.address)}"']
        lines += [f'-H "{name}: {_upper(value)}"' for name, value in headers.items()]
        if self.body is not None:
            lines.append(f"--data '{_shell(self.body)}'")
        return " \\\n    ".join(lines)

    @property
    def python(self) -> str:
        """Return the call in Python, after `PYTHON_BEGINS`."""
        given = [_text(self.address)]
        if self.headers:
            given.append(f"headers={_python(dict(self.headers), 1)}")
        if self.body is not None:
            given.append(f"json={_python(self.body, 1)}")
        call = _written(f"answer = api.{self.method.lower()}(", given, ")", 0)
        return "\n".join([call, *(f"{name} = {_found(at)}" for name, at in self.keeps.items())])


def _upper(text: str) -> str:
    """Return a text whose kept values are named as in a shell."""
    names = Template(text).get_identifiers()
    return Template(text).substitute({name: f"${name.upper()}" for name in names})


def _shell(body: Any) -> str:
    """Return JSON between single quotes, kept values outside of them."""
    marks: dict[str, str] = {}

    def mark(value: Any) -> str:
        found = cast("Kept", value)
        said, quoted = f"'\"${found.name.upper()}\"'", f"@{found.name}@"
        marks[f'"{quoted}"'] = f'"{said}"' if found.is_text else said
        return quoted

    text = json.dumps(body, default=mark, ensure_ascii=False)
    if len(text) > _WIDTH:
        text = json.dumps(body, default=mark, ensure_ascii=False, indent=2)
    text = text.replace("'", "'\\''")
    for marked, said in marks.items():
        text = text.replace(marked, said)
    return text


def _python(value: Any, depth: int) -> str:
    match value:
        case Kept():
            return value.name
        case dict():
            pairs = cast("dict[str, Any]", value).items()
            inner = [f"{_text(key)}: {_python(one, depth + 1)}" for key, one in pairs]
            return _written("{", inner, "}", depth)
        case list():
            inner = [_python(one, depth + 1) for one in cast("list[Any]", value)]
            return _written("[", inner, "]", depth)
        case str():
            return _text(value)
        case _:
            return repr(value)


def _text(text: str) -> str:
    """Return a literal; one with kept values is an f-string, or is the value itself."""
    names = Template(text).get_identifiers()
    if names and text == f"${names[0]}":
        return names[0]
    filled = Template(text).substitute({name: f"{{{name}}}" for name in names})
    return ("f" if names else "") + json.dumps(filled, ensure_ascii=False)


def _written(begin: str, items: list[str], end: str, depth: int) -> str:
    """Return items between brackets: on one line if that is short, else a line each."""
    line = begin + ", ".join(items) + end
    if len(line) + 4 * depth <= _WIDTH and "\n" not in line:
        return line
    inside = "".join(f"{'    ' * (depth + 1)}{one},\n" for one in items)
    return f"{begin}\n{inside}{'    ' * depth}{end}"


def _found(at: str) -> str:
    """Return the expression for a value of an answer."""
    if not at.startswith("/"):
        return f'answer.headers["{at}"]'
    return "answer.json()" + "".join(f"[{_index(part)}]" for part in steps(at))


def _index(step: str | int) -> str:
    return str(step) if isinstance(step, int) else f'"{step}"'


def steps(pointer: str) -> Iterator[str | int]:
    """Yield what a JSON pointer walks through."""
    for part in pointer.split("/")[1:]:
        yield int(part) if part.isdigit() else part
