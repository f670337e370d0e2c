"""Every sentence of the console is used, and every one that is used is there; files of others."""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import newsletter
import newsletter.web.console
from newsletter.settings import shipped
from newsletter.web.console.log_words import verb_key
from newsletter.web.console.words import Words

FOLDER = shipped("templates") / "console"
CODE = Path(newsletter.web.console.__file__).parent
STATIC = CODE / "static"

_ANYTHING = "([^.]+)"
_IN_TEMPLATES = re.compile(r"""\bw\(\s*(["'])(?P<name>[\w.-]+)\1(?P<more>[^,)]*)""")


def names_in_templates() -> Iterator[re.Pattern[str]]:
    """Yield what each `w(...)` names; a beginning stands for every name that begins so."""
    for path in FOLDER.glob("*.j2"):
        for found in _IN_TEMPLATES.finditer(path.read_text()):
            tail = "".join(re.findall(r"""~ ["']([\w-]+)["']$""", found["more"].strip()))
            more = _ANYTHING + tail if "~" in found["more"] else ""
            yield re.compile(re.escape(found["name"]) + more)


def names_in_code() -> Iterator[re.Pattern[str]]:
    """Yield what each `words(...)` names; a field of an f-string stands for anything."""
    for path in CODE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and _is_words(node.func):
                pattern = _pattern(node.args[0])
                if pattern != _ANYTHING:  # its callers name it, in full
                    yield re.compile(pattern)


def literals() -> set[str]:
    """Return every short text in quotes: what a name that is put together is put together from."""
    paths = (*FOLDER.glob("*.j2"), *Path(newsletter.__file__).parent.rglob("*.py"))
    quoted = (re.findall(r"""["']([\w. -]{1,30})["']""", path.read_text()) for path in paths)
    return {
        each for found in quoted for text in found for each in (text, verb_key(text))
    } | _parameters(paths)


def _parameters(paths: Iterable[Path]) -> set[str]:
    """Return the names of what is passed by name: the log has labels for some."""
    found = (re.findall(r"\b([a-z_]+)[=:]", path.read_text()) for path in paths)
    return {name for names in found for name in names}


def _is_words(called: ast.expr) -> bool:
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in {"words", "word"}


def _pattern(name: ast.expr) -> str:
    if isinstance(name, ast.JoinedStr):
        return "".join(_pattern(part) for part in name.values)
    if isinstance(name, ast.Constant):
        return re.escape(str(name.value))
    return _ANYTHING


def test_every_word_that_is_used_is_there_and_every_one_that_is_there_is_used():
    names = Words(FOLDER / "words.toml").names
    used, said = {*names_in_templates(), *names_in_code()}, literals()
    missing = [one.pattern for one in used if not any(map(one.fullmatch, names))]

    def is_used(name: str) -> bool:
        found = (match for one in used if (match := one.fullmatch(name)))
        return name in said or any(said.issuperset(match.groups()) for match in found)

    unused = [name for name in names if not is_used(name)]
    assert (sorted(missing), sorted(unused)) == ([], [])


def test_no_template_has_script_in_it():
    for path in FOLDER.glob("*.j2"):
        assert not re.search(r"hx-on|js:|javascript:|hx-vals|hx-eval", path.read_text()), path.name


def test_the_vendored_files_are_those_that_are_named():
    table = (STATIC / "VENDORED.md").read_text()
    named = dict(re.findall(r"\| `(vendor/[^`]+)` \|.*\| `([0-9a-f]{64})` \|", table))
    scripts = {f"vendor/{path.name}" for path in (STATIC / "vendor").glob("*.js")}
    assert named.keys() == scripts
    for name, digest in named.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest


def test_the_consoles_own_script_stays_short():
    assert len((STATIC / "console.js").read_text().splitlines()) <= 200
