"""The documentation: what its pages link to exists, and they name nothing they should not."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    *sorted(DOCS.rglob("*.md")),
    *(ROOT / f for f in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:newsletter|subscribers|templates|config|tests|docs)/[\w./-]*)`")
CODE = ("newsletter", "subscribers", "tests")
FORBIDDEN = {
    "a registry's host": re.compile(
        r"pypi\.org|pythonhosted|registry\.npmjs|artifactory|/simple/?\b"
    ),
    "a path of one machine": re.compile(r"(?<![\w.])/(?:work|home|root|tmp|Users)/"),
    "an issue's number": re.compile(r"(?:^|\s)#\d+\b|\bissue #?\d+ (?:of|on) "),
}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_and_picture_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    broken = [link for link in links if not resolves(page, link)]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_path_that_is_named_exists(page: Path) -> None:
    assert [path for path in PATH.findall(page.read_text()) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_page_names_what_is_only_true_here(page: Path) -> None:
    text = page.read_text()
    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(text)] == []


def test_every_page_that_the_code_names_exists() -> None:
    code = (path for part in CODE for path in (ROOT / part).rglob("*.py"))
    named = {name for path in code for name in re.findall(r"docs/[\w/-]+\.md", path.read_text())}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_page_is_in_the_navigation_or_in_its_index() -> None:
    config = tomllib.loads((ROOT / "zensical.toml").read_text())
    listed = set(files_of(config["project"]["nav"]))
    listed |= {
        f"decisions/{link}" for link in LINK.findall((DOCS / "decisions/index.md").read_text())
    }
    assert listed == {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}


@pytest.mark.parametrize("page", sorted(DOCS.glob("decisions/*.md")), ids=lambda page: page.stem)
def test_a_decision_says_its_context_its_cost_and_what_was_turned_down(page: Path) -> None:
    if page.stem != "index":
        parts = re.findall(r"^\*\*([\w ]+)\.\*\*", page.read_text(), re.MULTILINE)
        assert parts == ["Context", "Decision", "Cost", "Turned down"]


def test_the_readme_is_one_page() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_pictures_are_small() -> None:
    sizes = {picture.name: picture.stat().st_size for picture in DOCS.glob("pictures/*")}
    assert {name for name, size in sizes.items() if size > 150_000} == set()
    assert sum(sizes.values()) <= 1_500_000


def resolves(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as the site and code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings}


def files_of(nav: object) -> Iterator[str]:
    match nav:
        case str():
            yield nav
        case list():
            for entry in nav:
                yield from files_of(entry)
        case dict():
            for entry in nav.values():
                yield from files_of(entry)
