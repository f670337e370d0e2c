"""Names: one class to a name, no word of the former dialect, a glossary that fits the code."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = [
    *sorted((ROOT / "newsletter").rglob("*.py")),
    *sorted((ROOT / "subscribers").rglob("*.py")),
]
CODE = [path for path in SOURCES if "migrations" not in path.parts]
GLOSSARY = ROOT / "docs" / "reference" / "glossary.md"

#: Words of a former private language. The field has its own: see the glossary.
_GONE = """
    brakes braking correspondence desk door doors errand errands farewell fate fates filed floor
    footing fuse goodbye goodbyes ground hear heard hears heir heirs house journal keep keeps
    matter matters note notes notice notices office pace room rooms settle settled settlement
    settling silence silenced silent standing stir tell tells told turn untold vitals wake watch
"""
GONE = frozenset(_GONE.split())

#: Those that tests have no ordinary use for, either.
_GONE_FROM_TESTS = """
    brakes correspondence desk errand farewell fate footing fuse goodbye goodbyes heard hear hears
    heir house room rooms settle settled settlement settling silence told untold
"""
GONE_FROM_TESTS = frozenset(_GONE_FROM_TESTS.split())

#: Such words where they are the ordinary ones.
ORDINARY = {
    "note": "what an operator writes beside a suppression or a person",
    "notes": "the same",
    "NOTE_LENGTH": "the same",
    "NOTE": "a kind of editors' note: what newspapers call it",
    "NoteKind": "the same",
    "note_kind": "the same",
    "NotePart": "words of an editors' note",
    "note_parts": "the same",
    "EditorsNote": "an editors' note as it is printed",
    "_editors_note": "the same",
    "_NOTE_LABELS": "how an editors' note begins",
    "_NOTE": "a box in the documentation",
    "_front_matter": "Markdown's own term for its head",
    "keep": "of two people who are merged, the one who stays",
    "keep_id": "the same",
    "KEEP_LIST": "the permission to keep the list, as its owner says it",
    "KeepList": "a visit of somebody who has it",
    "KeepListFresh": "the same, confirmed lately",
    "keep_blank_values": "a parameter of urllib",
    "keep_trailing_newline": "a parameter of Jinja",
    "tell": "the method of a file",
}

#: Classes whose names and places say everything: parts of a whole that is in the glossary.
_PLAIN = """
    Absent Assemble AudienceCounts Caps Confirmed FieldDefaults FieldMap Growth HistoryLine Kept
    ListFigures Mailbox Miss NotYet Order PastImport Personal SearchHit Send Shown
    StoredEvents Unavailable Unmodified Unreadable Validators Waiting Week Weekday
"""
PLAIN = frozenset(_PLAIN.split())


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def classes(path: Path) -> Iterator[str]:
    return (node.name for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef))


def identifiers(path: Path) -> Iterator[str]:
    """Yield every name that a module defines or uses."""
    yield path.stem if path.stem != "__init__" else path.parent.name
    for node in ast.walk(tree_of(path)):
        match node:
            case (
                ast.ClassDef(name=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
            ):
                yield name
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.keyword(arg=str(name)):
                yield name
            case _:
                pass


def words(identifier: str) -> frozenset[str]:
    """Return the parts of a snake_case or CamelCase name, in small letters."""
    return frozenset(
        part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)
    )


def test_a_class_name_is_defined_once() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in CODE:
        for name in classes(path):
            places[name].append(str(path.relative_to(ROOT)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_identifier_bears_a_word_that_went(path: Path) -> None:
    assert {name for name in identifiers(path) if words(name) & GONE} - ORDINARY.keys() == set()


def test_no_identifier_of_the_tests_does() -> None:
    for path in sorted((ROOT / "tests").rglob("*.py")):
        assert {name for name in identifiers(path) if words(name) & GONE_FROM_TESTS} == set(), path


def glossary() -> dict[str, frozenset[str]]:
    """Return the words of the glossary, each with its parts as an identifier would bear them."""
    found = re.findall(r"^- \*\*(.+?)\*\*: ", GLOSSARY.read_text(), re.MULTILINE)
    return {word: words(word.replace("-", " ")) for word in found}


def public_classes() -> Iterator[str]:
    """Yield the classes of the core and of the subscribers' models."""
    models = [ROOT / "subscribers" / "model.py", *(ROOT / "subscribers").glob("*/model.py")]
    filters = ROOT / "subscribers" / "segments" / "filters.py"
    for path in [*(ROOT / "newsletter" / "core").glob("*.py"), *models, filters]:
        yield from (name for name in classes(path) if not name.startswith("_"))


def test_every_public_class_is_in_the_glossary_or_composed_of_its_words() -> None:
    terms = glossary().values()
    unknown = {one for one in public_classes() if not any(term <= words(one) for term in terms)}
    assert unknown == PLAIN


def test_every_word_of_the_glossary_is_in_the_code() -> None:
    used = {words(name) for path in CODE for name in identifiers(path)}
    assert [
        word for word, parts in glossary().items() if not any(parts <= one for one in used)
    ] == []
