"""The core's values as JSON, and back."""

from typing import Any

from pydantic import TypeAdapter

from newsletter.core.brief import Brief
from newsletter.core.galley import Galley, Span
from newsletter.core.verification import Finding

_BRIEF = TypeAdapter(Brief)
_FINDINGS = TypeAdapter(tuple[Finding, ...])


def brief_to_json(brief: Brief) -> dict[str, Any]:
    """Return the JSON of a brief."""
    return _BRIEF.dump_python(brief, mode="json")


def brief_from_json(content: dict[str, Any]) -> Brief:
    """Return the brief of this JSON."""
    return _BRIEF.validate_python(content)


def findings_to_json(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    """Return the JSON of a verdict's findings."""
    return _FINDINGS.dump_python(findings, mode="json")


def findings_from_json(content: list[dict[str, Any]]) -> tuple[Finding, ...]:
    """Return the findings of this JSON."""
    return _FINDINGS.validate_python(content)


def galley_to_json(galley: Galley) -> dict[str, Any]:
    """Return the JSON of a galley: per part, a list of [text, pieces or null]."""
    return {"html": _segments_to_json(galley.html), "text": _segments_to_json(galley.text)}


def galley_from_json(content: dict[str, Any]) -> Galley:
    """Return the galley of this JSON."""
    return Galley(_segments_from_json(content["html"]), _segments_from_json(content["text"]))


def _segments_to_json(segments: tuple[Span, ...]) -> list[tuple[str, list[str] | None]]:
    return [(s.text, sorted(s.pieces) if s.pieces is not None else None) for s in segments]


def _segments_from_json(content: list[tuple[str, list[str] | None]]) -> tuple[Span, ...]:
    return tuple(
        Span(text, frozenset(pieces) if pieces is not None else None) for text, pieces in content
    )
