"""The recipes of docs/contributing/, applied to a copy of the tree: each does what it says.

All are applied to one copy, then the copy's tests run once: those in `recipes/added.py`, one for
each recipe, and those that the recipes say to run. A recipe whose place has moved fails where it
is applied; correct its page in docs/contributing/ as well.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[1]
COPIED = ("newsletter", "subscribers", "templates", "config", "tests", "pyproject.toml")
#: Tests that the recipes say to run, besides those of what they added.
TO_RUN = (
    "tests/core/test_verification.py",
    "tests/core/test_keywords.py",
    "tests/demo/test_briefs.py",
    "tests/test_settings.py",
    "tests/stores/test_migrations.py",
    "tests/web/console/test_permissions.py",
    "tests/web/console/test_templates.py",
)


def append(path: Path, text: str) -> None:
    path.write_text(f"{path.read_text().rstrip()}\n{text}")


def insert(path: Path, before: str, text: str) -> None:
    """Insert text before the only match of a pattern."""
    found = list(re.finditer(before, path.read_text(), re.MULTILINE))
    assert len(found) == 1, f"{path}: {len(found)} matches of {before!r}; the recipe's place moved"
    whole, at = path.read_text(), found[0].start()
    path.write_text(whole[:at] + text + whole[at:])


def add_a_check(tree: Path) -> None:
    append(
        tree / "newsletter/core/verification.py",
        '''

@check
def title_case(brief: Brief, _: CheckContext) -> Finding:
    """A title in capitals is hard to read."""
    passed = not brief.title.isupper()
    reason = "The title has small letters." if passed else "The title is in capitals; write it out."
    return Finding(passed=passed, reason=reason)
''',
    )


def add_a_topic(tree: Path) -> None:
    append(
        tree / "config/newsletters/technology.toml",
        """
[[topics]]
slug = "space"
title = "Space"
blurb = "Rockets, satellites and what they find."
keywords = ["rocket", "rockets", "satellite", "satellites"]
""",
    )


def add_a_source_format(tree: Path) -> None:
    (tree / "newsletter/adapters/sources/lines.py").write_text(
        '''"""Lines of NAME=VALUE."""

from newsletter.adapters.sources.fields import brief_of
from newsletter.core.brief import Brief


def read_lines(text: str, place: str) -> Brief:
    """Return the brief of a file of NAME=VALUE lines."""
    pairs = (line.partition("=") for line in text.splitlines())
    return brief_of({name: value for name, _, value in pairs}, lambda name: f"{place}, {name}")
'''
    )
    formats = tree / "newsletter/adapters/sources/formats.py"
    insert(formats, r'^    "\.md": read_markdown', '    ".lines": read_lines,\n')
    insert(
        formats,
        r"^from newsletter\.core\.brief import",
        "from newsletter.adapters.sources.lines import read_lines\n",
    )


def add_a_polled_source(tree: Path) -> None:
    insert(
        tree / "newsletter/core/source.py",
        r'^    WORDPRESS = "wordpress"',
        '    LINES = "lines"  #: ID|TITLE|TEXT\n',
    )
    (tree / "newsletter/adapters/sources/line_list.py").write_text(
        '''"""Lists of ID|TITLE|TEXT lines."""

from collections.abc import Iterator

from newsletter.adapters.sources.fetching import Document
from newsletter.adapters.sources.items import Get, Item, KindReader


def read_list(document: Document, _address: str, _get: Get) -> Iterator[Item]:
    """Yield an item for each line."""
    for line in document.body.decode().splitlines():
        number, title, content = line.split("|")
        yield Item(id=number, title=title, content=content)


LINES = KindReader(
    address=lambda source, _since: source.url, items=read_list, paths=(), more_paths={}
)
'''
    )
    kinds = tree / "newsletter/adapters/sources/kinds.py"
    insert(kinds, r"^    SourceKind\.WORDPRESS: ", "    SourceKind.LINES: LINES,\n")
    insert(
        kinds,
        r"^from newsletter\.adapters\.sources\.wordpress",
        "from newsletter.adapters.sources.line_list import LINES\n",
    )


def add_an_operator_alert(tree: Path) -> None:
    insert(
        tree / "newsletter/core/operator_alert.py",
        r"^    SOURCE_DOWN = \(",
        '    LIST_SHRUNK = ("list shrunk", "`newsletter subscribers health` shows who left.")\n',
    )


def add_a_list_format(tree: Path) -> None:
    formats = tree / "subscribers/lists/formats.py"
    insert(
        formats,
        r'^    Format\(\n        name="Mailchimp, cleaned"',
        """    Format(
        name="Letterpost",
        recognised_by=frozenset({"reader address", "reader state"}),
        columns={"reader address": ColumnMeaning.EMAIL},
        statuses={
            "reader state": {
                "on": ImportedStatus.SUBSCRIBED,
                "": ImportedStatus.LEFT,
                "*": ImportedStatus.LEFT,
            }
        },
    ),
""",
    )


def add_a_command(tree: Path) -> None:
    (tree / "newsletter/cli/motto.py").write_text(
        '''"""`newsletter motto`: a newsletter's tagline."""

from newsletter.cli.common import AsJson, Slug, answer, console, newsletter_of


def motto(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Show a newsletter's tagline."""
    tagline = newsletter_of(newsletter).tagline
    answer({"tagline": tagline}, as_json=as_json, show=lambda: console.print(tagline))
'''
    )
    with (tree / "newsletter/cli/commands.py").open("a") as commands:
        commands.write(
            '''

@listed(_DAY)
def motto() -> Any:
    """Show a newsletter's tagline."""
    from newsletter.cli.motto import motto as command

    return command
'''
        )


def add_a_page(tree: Path) -> None:
    (tree / "templates/pages/about.html.j2").write_text(
        """{% extends "base.html.j2" %}
{% block title %}{{ newsletter.name }}{% endblock %}
{% block main %}
<h1>{{ newsletter.name }}</h1>
<p>{{ newsletter.tagline }}</p>
{% endblock %}
"""
    )
    (tree / "newsletter/web/public/about.py").write_text(
        '''"""What a newsletter is about."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from newsletter.web.dependencies import NamedNewsletter, Services
from newsletter.web.pages import READ

router = APIRouter(default_response_class=HTMLResponse)


@router.api_route("/{slug}/about", methods=READ)
def about(newsletter: NamedNewsletter, services: Services) -> HTMLResponse:
    """Show what a newsletter is about."""
    return services.pages.show("about", newsletter=newsletter)
'''
    )
    app = tree / "newsletter/web/app.py"
    insert(app, r"^    issues\.router,", "    about.router,\n")
    insert(
        app, r"^from newsletter\.web\.public import", "from newsletter.web.public import about\n"
    )


def add_a_console_page(tree: Path) -> None:
    append(tree / "templates/console/words.toml", '\n[motto]\nheading = "{name} says"\n')
    (tree / "templates/console/motto.html.j2").write_text(
        """{% extends "base.html.j2" %}
{% block title %}{{ w("motto.heading", name=visit.here.name) }}{% endblock %}
{% block main %}
<div class="lead"><h1>{{ w("motto.heading", name=visit.here.name) }}</h1></div>
<p dir="auto">{{ visit.here.tagline }}</p>
{% endblock %}
"""
    )
    (tree / "newsletter/web/console/motto.py").write_text(
        '''"""A newsletter's tagline."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from newsletter.web.console.access import See

router = APIRouter()


@router.get("/{slug}/motto")
def motto(request: Request, visit: See) -> HTMLResponse:
    """Show the tagline."""
    return visit.services.pages.show(request, "motto", visit=visit)
'''
    )
    app = tree / "newsletter/web/console/app.py"
    insert(app, r"^    more\.router,", "    motto.router,\n")
    insert(app, r"^    own_credentials,", "    motto,\n")


def add_a_subscription_column(tree: Path) -> None:
    insert(
        tree / "subscribers/db/tables.py",
        r"^    engaged_on: date \| None = ",
        "    birthday: date | None = Field(default=None, sa_column=Column(Date))\n",
    )
    insert(
        tree / "subscribers/model.py",
        r"^    engaged_on: date \| None = ",
        "    birthday: date | None = None\n",
    )
    versions = tree / "newsletter/stores/migrations/versions"
    newest = max(path.name for path in versions.glob("0*.py"))[:4]
    number = f"{int(newest) + 1:04}"
    (versions / f"{number}_birthday.py").write_text(
        f'''"""Subscribers' birthdays."""

from alembic import op

revision = "{number}"
down_revision = "{newest}"


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE subscription ADD COLUMN birthday date")
'''
    )


RECIPES: tuple[Callable[[Path], None], ...] = (
    add_a_check,
    add_a_topic,
    add_a_source_format,
    add_a_polled_source,
    add_an_operator_alert,
    add_a_list_format,
    add_a_command,
    add_a_page,
    add_a_console_page,
    add_a_subscription_column,
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with every recipe applied."""
    copy = tmp_path_factory.mktemp("recipes")
    for name in COPIED:
        if (ROOT / name).is_dir():
            skipped = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, copy / name, ignore=skipped)
        else:
            shutil.copy(ROOT / name, copy / name)
    for recipe in RECIPES:
        recipe(copy)
    shutil.copy(ROOT / "tests/recipes/added.py", copy / "tests/test_added.py")
    return copy


@pytest.fixture(scope="module")
def result(tree: Path) -> str:
    """What pytest says about the copy."""
    return run(
        tree, "pytest", "-q", "-rA", "-p", "no:cacheprovider", "tests/test_added.py", *TO_RUN
    )


def run(tree: Path, *module: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=tree,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.__name__)
def test_a_recipe_does_what_it_says(result: str, recipe: Callable[[Path], None]) -> None:
    assert f"PASSED tests/test_added.py::test_{recipe.__name__}\n" in result, result[-6000:]


def test_the_tests_that_the_recipes_name_pass(result: str) -> None:
    assert not re.search(r"^(FAILED|ERROR) (?!tests/test_added)", result, re.MULTILINE), result[
        -6000:
    ]


def test_the_check_command_sets_an_issue_with_the_new_topic(tree: Path, database_url: str) -> None:
    answers = json.loads(
        run(tree, "newsletter", "check", "--json", NEWSLETTER_DATABASE_URL=database_url)
    )
    assert "7 briefs" in str(answers), answers
