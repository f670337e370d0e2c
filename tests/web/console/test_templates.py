"""The console's templates: every sentence is in one file, and nothing in them is inline."""

import re
from pathlib import Path

import pytest

from newsletter.core.staff import Permission
from newsletter.settings import shipped
from newsletter.web.console.words import Words

FOLDER = shipped("templates") / "console"
TEMPLATES = sorted(FOLDER.glob("*.j2"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_says_nothing_itself_and_trusts_nothing(path: Path):
    text = path.read_text()
    words = Words(FOLDER / "words.toml").names
    missing = [
        name for name in re.findall(r"""\bw\(['"]([\w.-]+)['"][),]""", text) if name not in words
    ]
    assert missing == []
    assert not re.search(r"\|\s*safe\b", text)
    bare = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.DOTALL)
    assert not re.search(r"\sstyle=|\son\w+=|<script>|<style", bare)
    said = re.sub(r"<[^>]*>", " ", re.sub(r"""\s[\w-]+="[^"]*\"""", " ", bare))
    assert re.findall(r"[A-Za-z]{3,}", said) == []


@pytest.mark.parametrize("name", ["permission", "means"])
def test_each_permission_has_its_words(name: str):
    words = Words(FOLDER / "words.toml").names
    assert {f"{name}.{one}" for one in Permission} <= words
