"""Renders the reference of the settings, from pydantic's fields and the core's comments."""

import ast
import inspect
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from itertools import pairwise
from typing import Any, cast, get_args, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from newsletter.core.publication import Newsletter
from newsletter.settings import EnvironmentSettings, ServiceSettings, shipped
from tests.docs.generate.markdown import choices, first_line, shown, table

_DERIVED = {"slug", "week_of"}  #: of a newsletter: not in its file
_COMMENT = re.compile(r"^    (\w+): [^#\n]*(?:#: (.*))?$", re.MULTILINE)
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most"}  #: pydantic's words


@dataclass(frozen=True)
class SettingsTable:
    """One table of a settings file: its name, the class it is read into, and its keys."""

    name: str
    shape: type
    rows: tuple[tuple[str, str, str], ...]  #: key, description, default


def settings() -> Iterator[str]:
    """Yield the lines of the page."""
    yield "## Environment variables"
    yield ""
    yield from table(("Variable", "Description", "Default"), _variables())
    yield "## service.toml"
    yield ""
    yield "In the folder that `NEWSLETTER_CONFIG` names. An unknown key is an error, and so is a"
    yield "missing one that has no default."
    yield ""
    yield from _file(ServiceSettings, "service.toml")
    yield "## newsletters/NAME.toml"
    yield ""
    yield "One file for each newsletter; its name is the newsletter's slug. Two newsletters cannot"
    yield "print the same pillar. *Shipped* is what `config/newsletters/technology.toml` says."
    yield ""
    yield from _file(Newsletter, "newsletters/technology.toml")


def _variables() -> Iterator[tuple[str, str, str]]:
    docstrings = _docstrings(EnvironmentSettings)
    for name, field in EnvironmentSettings.model_fields.items():
        description = field.description or docstrings[name]
        yield f"`{field.validation_alias}`", description, shown(field.default)


def _file(shape: type, name: str) -> Iterator[str]:
    values = tomllib.loads((shipped("config") / name).read_text(encoding="utf-8"))
    for one in _tables(shape):
        if one.name:
            yield f"### `{one.name}`"
            yield ""
            yield first_line(one.shape)
            yield ""
        inside = _inside(values, one.name)
        rows = ((*row, shown(inside.get(row[0]))) for row in one.rows)
        named = ((f"`{key}`", *rest) for key, *rest in rows)
        yield from table(("Key", "Description", "Default", "Shipped"), named)


def _tables(shape: type, name: str = "") -> Iterator[SettingsTable]:
    hints = get_type_hints(shape)
    rows: list[tuple[str, str, str]] = []
    inner: list[tuple[str, type]] = []
    for key, (description, default) in _keys(shape).items():
        if found := next(filter(_is_table, (hints[key], *get_args(hints[key]))), None):
            brackets = "[[{}]]" if get_args(hints[key])[1:] == (...,) else "[{}]"
            inner.append((brackets.format(f"{name.strip('[]')}.{key}".lstrip(".")), found))
        else:
            rows.append((key, f"{description}{_choices(hints[key])}", default))
    yield SettingsTable(name, shape, tuple(rows))
    for inner_name, found in inner:
        yield from _tables(found, inner_name)


def _choices(kind: Any) -> str:
    """Return what an enumeration allows, as a sentence."""
    for one in (kind, *get_args(kind)):
        if allowed := choices(one):
            return f" One of {', '.join(f'`{value}`' for value in allowed)}."
    return ""


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, BaseModel))


def _keys(shape: Any) -> dict[str, tuple[str, str]]:
    """Return description and default by key: of a pydantic model, or of a plain dataclass."""
    if issubclass(shape, BaseModel):
        docstrings = _docstrings(shape)
        return {
            name: (
                _described(field, docstrings.get(name, "")),
                "required" if field.is_required() else shown(field.default),
            )
            for name, field in shape.model_fields.items()
        }
    comments = dict(_COMMENT.findall(inspect.getsource(shape)))
    return {
        field.name: (_sentence(comments[field.name]), _default(field))
        for field in fields(shape)
        if not (shape is Newsletter and field.name in _DERIVED)
    }


def _sentence(comment: str, more: str = "") -> str:
    text = comment.rstrip(".") + (f" ({more})" if more else "")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _docstrings(shape: type) -> dict[str, str]:
    """Return the string below each field; pydantic would read them at every start, slowly."""
    (written,) = ast.parse(textwrap.dedent(inspect.getsource(shape))).body
    assert isinstance(written, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(written.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(below.value.value, str)
    }


def _described(field: FieldInfo, docstring: str) -> str:
    bounds = ", ".join(
        f"{words} {getattr(one, name):,}"
        for one in field.metadata
        for name, words in _BOUNDS.items()
        if hasattr(one, name)
    )
    return _sentence(field.description or docstring, bounds)


def _default(field: Any) -> str:
    if field.default_factory is not MISSING:
        return shown(field.default_factory())
    return "required" if field.default is MISSING else shown(field.default)


def _inside(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the table of this name in a file; of a list of tables, the first."""
    inside = values
    for part in filter(None, name.strip("[]").split(".")):
        found: Any = inside.get(part, {})
        inside = cast("Mapping[str, Any]", found[0] if type(found) is list else found)
    return inside
