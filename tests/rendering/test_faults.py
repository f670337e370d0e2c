"""Faults in templates: the error names the file, the line, and the brief where there is one."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from newsletter.core.issue import Issue
from newsletter.core.publication import Newsletter
from newsletter.errors import RenderingFailed
from newsletter.rendering.lint import lint
from newsletter.rendering.renderer import IssueRenderer
from newsletter.rendering.source_map import with_places

_BRIEF = "issue/parts/brief.mjml.j2"
_LEAD = "issue/parts/lead.mjml.j2"
_FOOTER = "issue/parts/footer.mjml.j2"
_HEAD = "issue/parts/head.mjml.j2"
_TEXT = "issue/parts/brief.txt.j2"

Failure = Callable[[str, str, str], str]


@pytest.fixture
def failure_of(
    templates: Path, spoiled: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> Failure:
    """Change a template and return what the renderer says of it."""

    def failure_of(name: str, old: str, new: str) -> str:
        part = templates / name
        assert old in part.read_text()
        part.write_text(part.read_text().replace(old, new))
        with pytest.raises(RenderingFailed) as failure:
            spoiled.set(newsletter, issue)
        return str(failure.value)

    return failure_of


@pytest.mark.parametrize(
    ("name", "change", "line", "says"),
    [
        (_BRIEF, ("mj-text", "mj-txt"), "2 (brief 4)", "unknown tag <mj-txt>"),
        (_BRIEF, ("<p class", "<p clas"), "5 (brief 4)", "<p> has no attribute 'clas'"),
        (_BRIEF, ("story.text", "story.txt"), "5 (brief 4)", "no attribute 'txt'"),
        (_BRIEF, ("  {% endif %}\n", ""), "8", "endif"),
        (_BRIEF, ("</h3>", ""), "3", "<h3> is not closed"),
        (_BRIEF, ("</mj-text>", ""), "2", "<mj-text> is not closed"),
        (_LEAD, ("<p class", "<img /><p class"), "5 (brief 1)", "<img> has no alt"),
        (_LEAD, ("story.why", "why"), "6 (brief 1)", "'why' is undefined"),
        (_LEAD, ("</mj-text>", "{{ 1 // 0 }}</mj-text>"), "9 (brief 1)", "division"),
        (_LEAD, ("headline.mjml", "headlin.mjml"), "3 (brief 1)", "issue/parts/headlin.mjml.j2"),
        (_FOOTER, ("40px 24px", "40 24px"), "1", "padding='26px 24px 40 24px' needs a unit"),
        (_FOOTER, ("<mj-column>", "<mj-column width='50'>&nope;"), "2", "undefined entity"),
        (_HEAD, ("</mj-title>", '"</mj-title>'), "2", 'mj-title has a "'),
        (_TEXT, ("story.label", "story.lable"), "3 (brief 1)", "no attribute 'lable'"),
        (_TEXT, ("{% if story.why %}", "{% if story.why"), "9", "expected token"),
    ],
)  # fmt: skip
def test_the_error_names_file_line_and_brief(
    failure_of: Failure, name: str, change: tuple[str, str], line: str, says: str
) -> None:
    first = failure_of(name, *change).splitlines()[0]
    assert f"{name}, line {line}: " in first
    assert says in first


def test_what_only_mrml_refuses_is_placed_too(failure_of: Failure) -> None:
    failure = failure_of(_BRIEF, "{{ story.text }}", "<![CDATA[x]]>")
    assert failure.startswith(f"at or before {_BRIEF}, line 5: ")


def test_every_complaint_has_a_line_of_its_own(failure_of: Failure) -> None:
    complaints = failure_of(_BRIEF, "mj-text", "mj-txt").splitlines()
    assert [re.findall(r"brief \d", line)[0] for line in complaints] == [
        f"brief {brief_id}" for brief_id in (4, 5, 6, 7, 8, 9)
    ]


def test_a_stylesheet_that_imports_is_refused(failure_of: Failure) -> None:
    rule = '@IMPORT url("https://a.example/x.css");'
    assert "@import" in failure_of("issue/styles/inline.css", ".date", f"{rule} .date")


@pytest.mark.parametrize(
    ("name", "change", "line", "says"),
    [
        ("inline.css", ("color: #565c66 }\n.said", "color: #565c66\n.said"), 6, "never closed"),
        ("inline.css", ("margin: 0; font: bold", "margin 0; font: bold"), 4, "is a : or"),
        ("inline.css", (".date {", ".date { {"), 6, "never closed"),
        ("inline.css", (".date {", ".date {{"), 6, "expected token"),
        ("inline.css", ("color: #565c66 }\n.said", "color: #565c66 }}\n.said"), 6, "closes"),
        ("inline.css", ("margin: 0; font: bold", "margin: ; font: bold"), 4, "has no value"),
        ("inline.css", (".to {", "@media screen { p { margin: 0 } }\n.to {"), 18, "@media"),
        ("inline.css", (".to {", ".to:hover {"), 18, ":hover cannot be written into tags"),
        ("inline.css", (".to {", ".to::before {"), 18, "::before cannot be written into tags"),
        ("inline.css", (".to {", ".to >> p {"), 18, ".to >> p: "),
        ("head.css", ("{ color: #eceae5", "{ color #eceae5"), 11, "missing"),
        ("head.css", ("underline-offset: 3px; }", "underline-offset: 3px;"), 2, "never closed"),
    ],
)  # fmt: skip
def test_a_fault_in_a_style_sheet_is_named(
    failure_of: Failure, name: str, change: tuple[str, str], line: int, says: str
) -> None:
    first = failure_of(f"issue/styles/{name}", *change).splitlines()[0]
    assert f"issue/styles/{name}, line {line}: " in first
    assert says in first


def test_a_line_of_a_style_sheet_is_the_templates(failure_of: Failure) -> None:
    jinja = (
        "{# of a\nfew lines #}\n{% if faces.direction == 'rtl' %}\n.a { margin: 0 }\n{% endif %}\n"
    )
    found = failure_of("issue/styles/inline.css", ".date {", f"{jinja}.date {{ color red;")
    assert found.startswith("issue/styles/inline.css, line 11: ")


def test_named_characters_of_html_can_be_used(
    templates: Path, spoiled: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> None:
    end = templates / "issue/parts/end.mjml.j2"
    end.write_text(end.read_text().replace("That’s", "&copy;&nbsp;R&amp;D: That&rsquo;s"))
    galley = spoiled.set(newsletter, issue)
    html = "".join(span.text for span in galley.html)
    assert "©\xa0R&amp;D: That’s" in unescape(html.replace("&amp;", "&amp;amp;"))


def test_a_template_cannot_reach_into_python(failure_of: Failure) -> None:
    assert "unsafe" in failure_of(_BRIEF, "story.text", "story.__class__.__mro__")


def test_a_missing_template_is_named(
    templates: Path, spoiled: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> None:
    (templates / "issue/issue.txt.j2").unlink()
    with pytest.raises(RenderingFailed, match=re.escape("issue/issue.txt.j2")):
        spoiled.set(newsletter, issue)


def _mjml(body: str = "", head: str = "") -> str:
    return f'<mjml lang="en" dir="ltr"><mj-head>{head}</mj-head><mj-body>{body}</mj-body></mjml>'


def _column(content: str) -> str:
    return _mjml(f"<mj-section><mj-column>{content}</mj-column></mj-section>")


@pytest.mark.parametrize(
    "good",
    [
        _column('<mj-text padding="0px 25px">R&amp;D<br/><a href="https://a.example">x</a></mj-text>'),
        _column('<mj-image src="https://a.example/x.png" alt="" padding="4% 0px" />'),
        _column('<mj-button href="mailto:a@example.com" mj-class="big">Write</mj-button>'),
        _column('<mj-table><tr><td align="left">1</td></tr></mj-table>'),
        _column('<mj-social><mj-social-element alt="" href="-nl_view_url-" /></mj-social>'),
        _mjml("<mj-wrapper><mj-section><mj-group /></mj-section></mj-wrapper>"),
        _mjml(head='<mj-attributes><mj-class name="x" color="#111" /><mj-image /></mj-attributes>'),
        _mjml("<mj-raw><!--[if mso]><i><![endif]--><div aria-hidden='true' /></mj-raw>"),
    ],
)  # fmt: skip
def test_good_mjml_passes(good: str) -> None:
    lint(good)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("<mj-body />", "begins with <mjml>"),
        (_mjml("<mj-text>x</mj-text>"), "<mj-text> does not belong in <mj-body>"),
        (_mjml("<p>x</p>"), "<p> does not belong in <mj-body>"),
        (_mjml("stray"), "text does not belong in <mj-body>: 'stray'"),
        (_mjml("<mj-section/>after"), "text does not belong in <mj-body>: 'after'"),
        (_mjml("<mj-wrapper><mj-raw><!--[[a--></mj-raw></mj-wrapper>"), "piece cannot stand in"),
        (_mjml("<mj-carousel />"), "<mj-carousel> is not used"),
        (_mjml("<mj-hero />"), "<mj-hero> is not used"),
        (_mjml(head="<mj-preview>x</mj-preview>"), "<mj-preview> is not used"),
        (_mjml(head='<mj-font name="x" href="https://a.example" />'), "<mj-font> is not used"),
        (_mjml(head='<mj-include path="x" />'), "<mj-include> is not used"),
        (_mjml(head="<mj-style>@import 'x';</mj-style>"), "would fetch"),
        (_mjml(head='<mj-style inline="inline">p{}</mj-style>'), "has no attribute 'inline'"),
        (_column('<mj-text colour="#111111">x</mj-text>'), "<mj-text> has no attribute 'colour'"),
        (_column('<mj-text padding="0 25px">x</mj-text>'), "needs a unit"),
        (_column('<mj-button inner-padding="1em">x</mj-button>'), "needs a unit"),
        (_column('<mj-text padding-top="0">x</mj-text>'), "needs a unit"),
        (_column('<mj-image src="https://a.example/x.png" />'), "<mj-image> has no alt"),
        (_column('<mj-text><a href="javascript:x">x</a></mj-text>'), "is not a web link"),
        (_column('<mj-text><img alt="" src="data:x" /></mj-text>'), "is not a web link"),
        (_column('<mj-text><p onclick="x">x</p></mj-text>'), "<p> has no attribute 'onclick'"),
        (_column('<mj-text font-size="big">x</mj-text>'), "font-size='big' needs a length"),
        (_column('<mj-text font-size="17">x</mj-text>'), "font-size='17' needs a length"),
        (_column('<mj-text color="#12345">x</mj-text>'), "color='#12345' needs a color"),
        (_column('<mj-text align="middle">x</mj-text>'), "align='middle' needs one of left,"),
        (_column('<mj-text line-height="wide">x</mj-text>'), "line-height='wide' needs a number"),
        (_column('<mj-table cellpadding="2px" />'), "cellpadding='2px' needs a whole number"),
        (_column('<mj-divider border-color="reddish" />'), "border-color='reddish' needs a color"),
        (_mjml('<mj-section border-top="4px solid nope"/>'), "border-top='4px solid nope' needs"),
        (_mjml('<mj-section border-radius="round"/>'), "border-radius='round' needs lengths"),
        (_mjml(head='<mj-breakpoint width="50%" />'), "width='50%' needs a length such as 16px"),
        (_column('<mj-text><p style="color red">x</p></mj-text>'), "style='color red': "),
        (_mjml(head="<mj-style>.a { color: red</mj-style>"), "its line 1: a { is never closed"),
        (_column("<mj-text><script>x</script></mj-text>"), "unknown tag <script>"),
        (_column("<mj-text><p><mj-text>x</mj-text></p></mj-text>"), "does not belong in HTML"),
    ],
)
def test_bad_mjml_is_refused(bad: str, says: str) -> None:
    with pytest.raises(RenderingFailed, match=re.escape(says)):
        lint(bad)


def test_places_leave_jinja_and_comments_alone_and_keep_the_lines() -> None:
    source = "{# <mj-a> #}\n<!-- <b> -->{% if a <b %}\n<mj-text\n  color='x'>{{ '<i>' }}</mj-text>"
    placed = with_places(source, "t")
    assert placed == source.replace("<mj-text", '<mj-text data-at="t, line 3"')
