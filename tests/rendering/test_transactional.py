"""The five letters, set in type: every kind, for every newsletter that can be configured."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.core.transactional import TransactionalContext, TransactionalKind
from newsletter.errors import RenderingFailed
from newsletter.rendering.transactional import TransactionalRenderer, _sample
from newsletter.settings import shipped
from tests.settings import TECHNOLOGY

_PRESS = TransactionalRenderer(shipped("templates"))


@pytest.mark.parametrize("kind", TransactionalKind)
def test_what_stands_in_a_letter_is_escaped_and_whole(kind: TransactionalKind):
    odd = replace(TECHNOLOGY, name='"Tom & Jerry" <b>daily</b>')
    letter = _PRESS.compose(odd, _sample(kind))
    assert "<b>daily" not in letter.html
    assert "&lt;b&gt;daily" in letter.html
    assert odd.name in letter.text or odd.name.upper() in letter.text
    assert odd.name in letter.subject
    assert "\n" not in letter.subject
    assert "charset=UTF-8" in letter.html
    assert odd.postal_address in letter.html.replace("&#", "")
    assert max(map(len, letter.text.splitlines())) <= 78


def test_a_confirmation_holds_one_link_and_advertises_nothing():
    matter = TransactionalContext(
        kind=TransactionalKind.CONFIRMATION,
        email="reader@example.com",
        links={"confirm": "https://news.example.com/c/x"},
        lasts="3 days",
    )
    letter = _PRESS.compose(TECHNOLOGY, matter)
    assert letter.html.count("href=") == letter.html.count('href="https://news.example.com/c/x"')
    assert TECHNOLOGY.tagline not in letter.html


def test_a_slip_in_a_template_is_named(tmp_path: Path):
    templates = tmp_path / "templates"
    shutil.copytree(shipped("templates"), templates)
    body = templates / "transactional" / "welcome" / "body.mjml.j2"
    body.write_text(body.read_text().replace("<mj-text>", "<mj-test>", 1))
    with pytest.raises(RenderingFailed, match=r"transactional/welcome/body.mjml.j2, line 5"):
        TransactionalRenderer(templates).check_all(TECHNOLOGY)
