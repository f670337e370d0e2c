"""What a letter must hold, whatever templates say: a lack is refused with file and reason."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from newsletter.core.issue import Issue, sample_issue
from newsletter.core.publication import Newsletter
from newsletter.errors import RenderingFailed
from newsletter.rendering.renderer import IssueRenderer
from newsletter.rendering.transactional import TransactionalRenderer
from tests.rendering.conftest import TEMPLATES

_FOOTER = "issue/parts/footer.mjml.j2"
_LABEL = "issue/parts/label.mjml.j2"
_SIGN = "issue/parts/sign.mjml.j2"
_PICTURE = "issue/parts/picture.mjml.j2"
_HEADLINE = "issue/parts/headline.mjml.j2"
_MJML = "issue/issue.mjml.j2"
_TEXT = "issue/issue.txt.j2"
_BRIEF_TEXT = "issue/parts/brief.txt.j2"
_HTML_SAYS, _TEXT_SAYS = "issue/issue.mjml.j2: ", "issue/issue.txt.j2: "
_UNSUBSCRIBE = r"<a [^>]*tags\.unsubscribe_url.*?</a>"
_ADDRESS = "{{ postal_address }}"

Failures = Callable[[str, str, str], list[str]]


@pytest.fixture
def failures_of(
    templates: Path, spoiled: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> Failures:
    """Change what matches in a template, and return what the renderer says of it."""

    def failures_of(name: str, pattern: str, new: str) -> list[str]:
        return _failures(templates / name, partial(spoiled.set, newsletter, issue), (pattern, new))

    return failures_of


def _failures(part: Path, rendered: Callable[[], object], change: tuple[str, str]) -> list[str]:
    pattern, new = change
    changed, count = re.subn(pattern, new, part.read_text(), flags=re.DOTALL)
    assert count
    part.write_text(changed)
    with pytest.raises(RenderingFailed) as failure:
        rendered()
    return str(failure.value).splitlines()


def test_three_lines_taken_out_of_the_footer_are_missed_one_by_one(
    templates: Path, spoiled: IssueRenderer, newsletter: Newsletter
) -> None:
    footer = templates / _FOOTER
    kept = [line for line in footer.read_text().splitlines() if "<p " not in line]
    footer.write_text("\n".join(kept))
    with pytest.raises(RenderingFailed) as failure:
        spoiled.set(newsletter, sample_issue(newsletter))
    said = str(failure.value)
    for lack in ("link to unsubscribe", "link to change the preferences", "postal address", "why"):
        assert lack in said
    assert {line.split(": ")[0] for line in said.splitlines()} == {"issue/issue.mjml.j2"}


@pytest.mark.parametrize(
    "instead",
    [
        r"<!-- \g<0> -->",
        r'<span style="display:none">\g<0></span>',
        r'<span style="font-size:0px"><a href="{{ tags.unsubscribe_url }}">Unsubscribe</a></span>',
        '<a href="{{ tags.unsubscribe_url }}"><span style="font-size:0px">x</span></a>',
        r'<span style="visibility: hidden">\g<0></span>',
        '<a href="{{ tags.unsubscribe_url }}"> </a>',
        "Write to {{ tags.unsubscribe_url }}",
        '<a href="https://a.example/?to={{ tags.unsubscribe_url }}">Unsubscribe</a>',
    ],
)  # fmt: skip
def test_a_link_that_nobody_sees_is_none(failures_of: Failures, instead: str) -> None:
    said = failures_of(_FOOTER, _UNSUBSCRIBE, instead)
    assert any(one.startswith(_HTML_SAYS) and "link to unsubscribe" in one for one in said)


def test_a_rule_of_a_style_tag_hides_as_well(failures_of: Failures) -> None:
    said = failures_of("issue/styles/head.css", r"^", ".links { display: none }\n")
    assert any("no visible link to unsubscribe" in one for one in said)


@pytest.mark.parametrize(
    ("name", "pattern", "new", "says"),
    [
        (_FOOTER, _ADDRESS, "<!-- {{ postal_address }} -->", "postal address"),
        (_FOOTER, "{{ tags.address_html }} because", "", "why one gets it"),
        (_FOOTER, "subscribed to {{ name }}", "did", "why one gets it"),
        ("issue/parts/end.mjml.j2", "for {{ period }}", "", "no end behind its stories"),
        (_SIGN, ";Verified<", ";<", "brief 1: the HTML part does not show its label"),
        (_SIGN, "Partly verified", "Verified", "brief 3: the HTML part does not show its label"),
        (_SIGN, ";Verified<", ";Verified, Partly verified<", "calls it “Partly verified”"),
        (_LABEL, "= story.verified", "= true", "brief 5: the HTML part does not show its label"),
        (_LABEL, "{{ story.source }}{%", "{%", "brief 2: the HTML part does not"),
        (_HEADLINE, "{{ story.url }}", "https://a.example", "brief 9: the HTML part has no"),
        (_HEADLINE, "{{ story.title }}", "", "brief 4: the HTML part has no visible link"),
        (_FOOTER, _ADDRESS, r"\g<0> {{ tags.unsubscribe_url }}", "where it must not stand"),
        (_FOOTER, _ADDRESS, r"\g<0> {{ tags.address_html }}", "inside of `piece(personal)`"),
        (_FOOTER, "{{ tags.address_html }}", r"\g<0> {{ tags.address_text }}", "in the text part"),
        (_FOOTER, _ADDRESS, r"\g<0> -nl_greeting-", "'-nl_greeting-', which nothing replaces"),
        (
            _FOOTER,
            _ADDRESS,
            r'\g<0> <a href="{{ leads[0].url }}">{{ leads[0].title }}</a>',
            "brief 1: the HTML part links to its source outside",
        ),
    ],
)  # fmt: skip
def test_what_the_html_lacks_is_named(
    failures_of: Failures, name: str, pattern: str, new: str, says: str
) -> None:
    said = failures_of(name, pattern.replace("{{", r"\{\{"), new)
    assert any(one.startswith(_HTML_SAYS) and says in one for one in said), said


_IN_ITS_PIECE = r"\{% call piece\(story.picture.piece\) %\}(.*?)\{% endcall %\}"
_STORY_ASTRAY = "brief 1: the HTML part links to its source outside of any story's piece"


@pytest.mark.parametrize(
    ("name", "pattern", "new", "says"),
    [
        (_MJML, _IN_ITS_PIECE, r"\1", _STORY_ASTRAY),
        (_MJML, r"\(story.picture.piece\)", "(leads[2].picture.piece)", _STORY_ASTRAY),
        (
            _HEADLINE,
            r"<a .*?</a>",
            "{{ story.title }}",
            "brief 1: the HTML part has no visible link",
        ),
        (
            _PICTURE,
            r"\{\{ story.url \}\}",
            "{{ leads[1].url }}",
            "brief 2: the HTML part links to its",
        ),
    ],
)
def test_a_picture_leads_to_its_story_and_stands_in_for_nothing_of_it(
    templates: Path,
    spoiled: IssueRenderer,
    newsletter: Newsletter,
    pictured: Issue,
    name: str,
    pattern: str,
    new: str,
    says: str,
) -> None:
    said = _failures(templates / name, partial(spoiled.set, newsletter, pictured), (pattern, new))
    assert any(one.startswith(f"{_HTML_SAYS}{says}") for one in said), said


def test_stories_of_one_source_may_share_a_picture_s_link(
    renderer: IssueRenderer, newsletter: Newsletter, pictured: Issue
) -> None:
    first, second = pictured.entries[:2]
    same = replace(second, brief=replace(second.brief, source=first.brief.source))
    renderer.set(newsletter, replace(pictured, entries=(first, same, *pictured.entries[2:])))


@pytest.mark.parametrize(
    ("name", "pattern", "new", "says"),
    [
        (_TEXT, "{{ tags.unsubscribe_url }}", "", "link to unsubscribe"),
        (_TEXT, "{{ tags.preferences_url }}", "", "link to change the preferences"),
        (_TEXT, "{{ tags.unsubscribe_url }}", r"Go to \g<0>", "link to unsubscribe"),
        (_TEXT, r"{{ postal_address \| wrap }}", "", "postal address"),
        (_TEXT, "{{ tags.address_text }}", "", "why one gets it"),
        (_TEXT, "{{ tags.address_text }}", "{{ tags.address_html }}", "in the HTML part"),
        (_TEXT, "for {{ period }}", "", "no end behind"),
        (_BRIEF_TEXT, "{{ story.label }}", "", "brief 1: the text part does not show its label"),
        (_BRIEF_TEXT, "{{ story.url }}", "", "brief 1: the text part has no visible link"),
    ],
)
def test_what_the_text_lacks_is_named(
    failures_of: Failures, name: str, pattern: str, new: str, says: str
) -> None:
    said = failures_of(name, pattern.replace("{{", r"\{\{"), new)
    assert any(one.startswith(_TEXT_SAYS) and says in one for one in said), said


@pytest.mark.parametrize(
    ("name", "pattern", "says"),
    [
        ("base.mjml.j2", r"\{\{ postal_address \}\}", "body.mjml.j2: the HTML part does not show"),
        ("base.txt.j2", r"\{\{ postal_address \| wrap \}\}", "body.txt.j2: the text part does not"),
        ("welcome/body.mjml.j2", r"<a [^>]*unsubscribe.*?</a>", "{{ links.unsubscribe }}"),
        ("welcome/body.mjml.j2", r"\{\{ email \}\}", "to whom it is written"),
        ("still_wanted/body.txt.j2", r"\{\{ links.still_wanted \}\}", "{{ links.still_wanted }}"),
        ("confirmation/body.txt.j2", r"\{\{ links.confirm \}\}", "{{ links.confirm }}"),
    ],
)
def test_a_letter_to_one_person_holds_what_it_needs(
    tmp_path: Path, newsletter: Newsletter, name: str, pattern: str, says: str
) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(TEMPLATES, templates)
    part = templates / "transactional" / name
    part.write_text(re.sub(pattern, "", part.read_text()))
    with pytest.raises(RenderingFailed, match=re.escape(says)):
        TransactionalRenderer(templates).check_all(newsletter)
