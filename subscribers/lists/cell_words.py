"""Reading the words of one cell: lists of words, tags, attributes, texts."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

from subscribers.model import NAME_LENGTH, TAG_LENGTH, Frequency

SEPARATOR = ";"  #: of topics and of tags, in our own lists
SEPARATORS = ";,|"

NOTHING = r"\N"  #: what a list does not say
CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # PostgreSQL has no text with a NUL, names want none
_NOT_IN_A_TAG = re.compile(r'[,;"|]')
_FREQUENCIES = frozenset(frequency.value for frequency in Frequency)


class SideFact(ValueError):
    """A cell cannot be understood, or not whole; its person is taken without it."""

    def __init__(self, value: str, warning: str) -> None:
        super().__init__(warning)
        self.value = value  #: what is known all the same


def split_words(cell: str, separators: str) -> Iterator[str]:
    """Yield the words of a cell: a JSON list, a quoted one, or words with a separator between."""
    text = cell.strip()
    if text.startswith("["):
        words = _json_list(text)
    elif '"' in text:
        words = _quoted_list(text)
    else:
        words = text.split(next((mark for mark in separators if mark in text), SEPARATOR))
    return (stripped for word in words if (stripped := word.strip()))


def _quoted_list(text: str) -> list[str]:
    try:
        return next(csv.reader([text], skipinitialspace=True), list[str]())
    except csv.Error:  # a line's end, most likely
        raise SideFact(NOTHING, "a list of words whose quotes cannot be read") from None


def _json_list(text: str) -> list[str]:
    try:
        found: object = json.loads(text)
    except ValueError:
        raise SideFact(NOTHING, "a list of words that is not JSON") from None
    return [str(word) for word in cast("list[Any]", found)] if isinstance(found, list) else []


def json_object(text: str, warnings: list[str]) -> dict[str, Any]:
    try:
        found: object = json.loads(text) if text.strip() else {}
    except ValueError:
        found = None
    if isinstance(found, dict):
        return cast("dict[str, Any]", found)
    warnings.append("attributes that are no JSON object")
    return {}


def attribute_tags(cell: str, warnings: list[str]) -> set[str]:
    found: object = json_object(cell, warnings).get("tags") or ""
    if isinstance(found, str):
        return set(split_words(found, SEPARATORS))
    if isinstance(found, list):
        return {str(word) for word in cast("list[Any]", found) if isinstance(word, str | int)}
    warnings.append("tags in attributes that are no list")
    return set()


def joined_tags(words: Iterable[str], warnings: list[str]) -> str:
    tags = {" ".join(_NOT_IN_A_TAG.sub(" ", word).split()) for word in words} - {""}
    bad = sorted(tag for tag in tags if len(tag) > TAG_LENGTH or not tag.isprintable())
    warnings += [
        f"not a tag, which is printable and at most {TAG_LENGTH} characters:"
        f" {CONTROL.sub('�', tag[:TAG_LENGTH])}…"
        for tag in bad
    ]
    good = tags.difference(bad)
    value = escaped(SEPARATOR.join(sorted(good))) if good else NOTHING
    if warnings:
        raise SideFact(value, "; ".join(warnings))
    return value


def read_frequency(cell: str) -> str:
    word = cell.strip().lower()
    if word and word not in _FREQUENCIES:
        raise SideFact(NOTHING, f"unknown frequency: {word[:NAME_LENGTH]}; daily or weekly")
    return word or NOTHING


def read_text(cell: str, what: str = "text") -> str:
    text = " ".join(cell.split())
    if len(text) > NAME_LENGTH:
        short = escaped(_without_controls(text[:NAME_LENGTH]))
        raise SideFact(
            short or NOTHING, f"the {what} is longer than {NAME_LENGTH} characters, and was cut"
        )
    if not text.isprintable() and CONTROL.search(text):
        clean = escaped(_without_controls(text))
        raise SideFact(clean or NOTHING, f"a control character in the {what}, which was left out")
    return escaped(text) if text else NOTHING


def _without_controls(text: str) -> str:
    return " ".join(CONTROL.sub("", text).split())


def escaped(text: str) -> str:
    return text.replace("\\", r"\\")
