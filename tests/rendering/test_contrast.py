"""Contrast of a letter in the light and in both darks."""

from newsletter.core.color_scheme import ColorScheme, in_scheme
from newsletter.rendering.contrast import low_contrasts

PAGE = """<html><head><style>{css}</style></head><body style="color:#111111">
<div style="display:none">hidden <b style="color:#ffffff">white</b></div>
<table bgcolor="#ffffff"><tr><td class="paper">{text}</td></tr></table></body></html>"""


def low(text: str, css: str = "") -> list[tuple[str, str, str]]:
    found = low_contrasts(PAGE.format(css=css, text=text))
    return [(one.scheme, one.text_color, one.background) for one in found]


def test_the_shipped_letter_is_readable_in_every_light(letter):
    assert low_contrasts(letter.html) == ()
    assert "prefers-color-scheme" not in in_scheme(letter.html, ColorScheme.OUTLOOK)


def test_gray_on_white_is_found_once_for_each_light():
    said = low('<p style="color:#999">One</p><p style="color:#999">Two</p>')
    assert said[0] == ("light", "#999999", "#ffffff")
    assert len([one for one in said if one[0] == "light"]) == 1


def test_a_dark_rule_that_forgets_the_text_is_found():
    css = "@media (prefers-color-scheme: dark) { .paper { background: #191c21 !important } }"
    assert ("the dark as designed", "#111111", "#191c21") in low("Words", css)
    assert not [one for one in low("Words", css) if one[0] == "light"]


def test_what_matters_more_wins():
    css = ".paper { color: #eeeeee } .paper { background: #000 !important; }"
    assert low('<p style="color:#ffffff">Words</p>', css)[:1] != [("light", "#ffffff", "#ffffff")]
    assert [one for one in low("Words", css) if one[0] == "light"] == []
