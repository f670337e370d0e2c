"""The reference is generated from the code, complete, and up to date."""

import re
import tomllib
from pathlib import Path

import pytest
import typer.main

from newsletter.cli.app import app
from newsletter.settings import EnvironmentSettings
from subscribers.lists.formats import FORMATS
from tests.docs.generate.__main__ import write
from tests.docs.generate.pages import pages
from tests.docs.test_pages import anchors

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
GENERATED = pages(typer.main.get_command(app))


def commands(command: object, before: str = "newsletter") -> list[str]:
    """Return every command that is not hidden, as the words one types."""
    inner = getattr(command, "commands", {})
    shown = {name: one for name, one in inner.items() if not one.hidden}
    return [path for name in shown for path in commands(shown[name], f"{before} {name}")] or [
        before
    ]


def test_the_pages_are_up_to_date() -> None:
    stale = [name for name, text in GENERATED.items() if (REFERENCE / name).read_text() != text]
    assert stale == [], "run `make docs` (python -m tests.docs.generate docs/reference)"


def test_every_command_has_an_entry_with_every_parameter_described() -> None:
    page = GENERATED["commands.md"]
    headings = set(re.findall(r"^#+ (newsletter .+)$", page, re.MULTILINE))
    assert set(commands(typer.main.get_command(app))) <= headings
    assert re.findall(r"^\| `[^`]+` \|  \|", page, re.MULTILINE) == []


def test_every_environment_variable_is_described() -> None:
    page = GENERATED["settings.md"]
    names = [str(field.validation_alias) for field in EnvironmentSettings.model_fields.values()]
    assert [name for name in names if f"| `{name}` | " not in page] == []


@pytest.mark.parametrize("file", ["service.toml", "newsletters/technology.toml"])
def test_every_key_of_the_shipped_settings_is_in_it(file: str) -> None:
    page = GENERATED["settings.md"]
    for key, value in tomllib.loads((ROOT / "config" / file).read_text()).items():
        is_table = isinstance(value, dict) or (
            isinstance(value, list) and isinstance(value[0], dict)
        )
        assert re.search(
            rf"^### `\[+{key}\]+`$" if is_table else rf"^\| `{key}` \|", page, re.MULTILINE
        )


def test_nothing_is_without_a_description() -> None:
    rows = re.findall(r"^\| `.*$", "\n".join(GENERATED.values()), re.MULTILINE)
    assert len(rows) > 200
    assert [row for row in rows if re.match(r"\| `[^|]+` \|  \|", row)] == []
    paths = re.findall(r"^\| [A-Z, ]+ \| .*$", GENERATED["http.md"], re.MULTILINE)
    assert len(paths) > 15
    assert [row for row in paths if row.endswith("|  |")] == []


def test_every_list_format_says_which_export_to_make() -> None:
    text = GENERATED["list-formats.md"]
    assert [kind.name for kind in FORMATS if not kind.export] == []
    assert all(f"## {kind.name}\n\n{kind.export}" in text for kind in FORMATS[:-1])
    assert "| `clean time` | when they left; blank, anything else: suppressed: bounce |" in text


def test_every_call_and_object_of_the_api_has_an_anchor_of_its_own() -> None:
    headings = re.findall(r"^#+ (.+)$", GENERATED["api.md"], re.MULTILINE)
    assert len(headings) > 100
    assert len(anchors(REFERENCE / "api.md")) == len(headings)


def test_the_generator_writes_the_pages(tmp_path: Path) -> None:
    write(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == GENERATED


#: Code of another language, in which "newsletter" is no command.
OTHER = re.compile(r"^```(?!sh$)\w+\n.*?^```$", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = re.compile(r"^```(?:sh)?\n.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"(?<![\w./-])newsletter ((?:[a-z]+(?:-[a-z]+)* ?)*)([^`\n#]*)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists_with_its_options(page: Path) -> None:
    calls = [
        call
        for code in CODE.findall(OTHER.sub("", page.read_text()))
        for call in CALL.findall(code)
    ]
    unknown = [f"newsletter {words}{rest}" for words, rest in calls if not is_command(words, rest)]
    assert unknown == []


def is_command(words: str, rest: str) -> bool:
    command = typer.main.get_command(app)
    for word in words.split():
        if not (inner := getattr(command, "commands", None)):
            break  # an argument in small letters
        if word not in inner:
            return False
        command = inner[word]
    options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    return set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= options
