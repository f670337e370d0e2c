"""Renders the schemas of the API's description: types in words, limits, and tables of fields."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from tests.docs.generate.markdown import table

Schema = Mapping[str, Any]

_WORDS = {"string": "text", "integer": "number", "number": "number", "boolean": "true or false"}
_FORMATS = {"date": "date", "date-time": "date and time"}
_PART = re.compile(r"ListPage_(\w+)_")
_LARGE = 2**31  #: beyond it a bound says nothing to a reader


class Schemas:
    """The schemas that a description names."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self._all: Mapping[str, Schema] = description["components"]["schemas"]

    def objects(self) -> Iterator[str]:
        """Yield the names of objects that have a table of their own."""
        for name, schema in sorted(self._all.items()):
            if "properties" in schema and not _PART.fullmatch(name):
                yield name

    def resolved(self, schema: Schema) -> Schema:
        return self._all[_name(schema)] if "$ref" in schema else schema

    def description(self, name: str) -> str:
        return " ".join(self._all[name].get("description", "").split())

    def type_of(self, schema: Schema) -> str:
        """Return a type in words; objects are linked to their table."""
        if "$ref" in schema:
            return self._named(_name(schema))
        if either := schema.get("anyOf"):
            return " or ".join(dict.fromkeys(self.type_of(one) for one in either))
        if allowed := schema.get("enum", [schema["const"]] if "const" in schema else None):
            return ", ".join(f"`{one}`" for one in allowed)
        match schema.get("type"):
            case "array":
                inner = self.type_of(schema["items"])
                return f"list of ({inner})" if " or " in inner else f"list of {inner}"
            case "object":
                return self._by_name(schema)
            case None:
                return "anything"
            case kind:
                return _FORMATS.get(schema.get("format", ""), _WORDS.get(kind, kind))

    def _named(self, name: str) -> str:
        if part := _PART.fullmatch(name):
            return f"[part of a list](#lists) of {self._named(part[1])}"
        schema = self._all[name]
        return f"[`{name}`](#{name.lower()})" if "properties" in schema else self.type_of(schema)

    def _by_name(self, schema: Schema) -> str:
        inner = schema.get("additionalProperties") or {}
        inner = next(iter(schema.get("patternProperties", {}).values()), inner)
        if not isinstance(inner, dict) or not inner:
            return "object"
        return f"object (of {self.type_of(cast('Schema', inner))})"

    def table(self, schema: Schema, *, is_body: bool) -> Iterator[str]:
        """Yield the fields of an object; of a body also which are needed."""
        needed = set[str](schema.get("required", ()))
        head = ("Field", "Type", *(("Needed",) if is_body else ()), "About")
        rows = (
            (
                f"`{name}`",
                self.type_of(one),
                *((_yes(name in needed),) if is_body else ()),
                self.about(one, of_body=is_body),
            )
            for name, one in schema["properties"].items()
        )
        yield from table(head, rows)

    def about(self, schema: Schema, *, of_body: bool = True) -> str:
        """Return what is said of a value, its limits, and what it is if it is left out."""
        said = [" ".join(schema.get("description", "").split())]
        if of_body:
            said += [f"{limit}." for limit in self._limits(schema)]
            if schema.get("default") not in (None, "", []):
                said.append(f"Without it `{_json(schema['default'])}`.")
        return " ".join(filter(None, said))

    def _limits(self, schema: Schema) -> Iterator[str]:
        for one in (schema, *schema.get("anyOf", ())):
            yield from _range(one, "minLength", "maxLength", "characters")
            yield from _range(one, "minItems", "maxItems", "items")
            yield from _range(one, "minimum", "maximum", "")
            if "items" in one:
                yield from (f"Each: {limit.lower()}" for limit in self._limits(one["items"]))


def _range(schema: Schema, least: str, most: str, unit: str) -> Iterator[str]:
    low, high = schema.get(least), schema.get(most)
    high = None if high is not None and high >= _LARGE else high
    match low, high:
        case None, None:
            return
        case low, None:
            text = f"At least {low:,}"
        case None | 0, high if unit:
            text = f"At most {high:,}"
        case low, high:
            text = f"{low or 0:,} to {high:,}"
    yield f"{text} {unit}".rstrip().replace(".0", "")


def _name(schema: Schema) -> str:
    return cast("str", schema["$ref"]).rpartition("/")[2]


def _yes(needed: bool) -> str:  # a cell of a table
    return "yes" if needed else "no"


def _json(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
