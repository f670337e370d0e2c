"""A letter's page in the dark: only colors change."""

import re

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.color import COLOR, contrast, read_color, repainted
from newsletter.core.color_scheme import ColorScheme, in_scheme

PAGE = """<html lang="en"><head><meta name="color-scheme" content="light dark"><style>
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) { .paper { background: #191c21 !important; } }
@media only screen and (prefers-color-scheme:light) { .paper { color: #1b1e23 } }
[data-ogsc] .paper { color: #eceae5 !important; }
</style></head><body bgcolor="#ffffff" style="color:#1b1e23;background:url(a.png#fff)">
<p class="paper" style="border-top:1px solid rgb(224, 220, 211)">Color: #ffffff; white</p></body>"""
COLORS = st.tuples(*[st.integers(0, 255)] * 3)


def test_dark_as_designed_obeys_the_letters_own_rules():
    dark = in_scheme(PAGE, ColorScheme.DARK)
    assert "@media all {" in dark
    assert "@media only screen and (max-width:0) {" in dark
    assert "color-scheme: dark;" in dark
    assert 'content="dark"' in dark


def test_light_is_light_on_a_dark_machine_too():
    light = in_scheme(PAGE, ColorScheme.LIGHT)
    assert "@media not all {" in light
    assert "@media only screen and (min-width:0) {" in light
    assert "prefers-color-scheme" not in light
    assert 'content="light"' in light


def test_outlook_repaints_and_obeys_its_own_rules_only():
    page = in_scheme(PAGE, ColorScheme.OUTLOOK)
    assert '<html data-ogsc="" data-ogsb="" lang="en">' in page
    assert 'bgcolor="#333333"' in page
    assert "@media not all {" in page
    assert "[data-ogsc] .paper { color: #eceae5 !important; }" in page
    assert "Color: #ffffff; white</p>" in page  # words stay
    assert "background:url(a.png#fff)" in page
    assert "rgb(224" not in page


def test_gmail_on_an_iphone_knows_no_exception():
    page = in_scheme(PAGE, ColorScheme.GMAIL_IPHONE)
    assert 'bgcolor="#333333"' in page
    assert "data-ogsc=" not in page


def test_only_colors_change():
    for scheme in (ColorScheme.OUTLOOK, ColorScheme.GMAIL_IPHONE):
        page = in_scheme(PAGE, scheme).replace(' data-ogsc="" data-ogsb=""', "")
        plain = in_scheme(PAGE, ColorScheme.LIGHT)
        assert COLOR.sub("", page) == COLOR.sub("", plain)


@given(COLORS)
def test_a_repaint_mirrors_lightness_and_keeps_gray_gray(color):
    gray = (color[0],) * 3
    shown = repainted(gray)
    assert max(shown) - min(shown) <= 1
    assert min(shown) >= 50
    darker, lighter = sorted((contrast(gray, (0, 0, 0)), contrast((255,) * 3, (0, 0, 0))))
    assert contrast(repainted((255,) * 3), (0, 0, 0)) <= contrast(shown, (0, 0, 0)) + 0.1
    assert darker <= lighter


@given(COLORS)
def test_a_contrast_is_the_same_both_ways(color):
    assert contrast(color, (255, 255, 255)) == contrast((255, 255, 255), color) >= 1


def test_colors_are_read_as_css_means_them():
    assert read_color("#1b1e23") == (27, 30, 35)
    assert read_color(" WHITE ") == (255, 255, 255)
    assert read_color("rgba(1,2,3,.5)") == (1, 2, 3)
    for none in ("rgba(1,2,3,0)", "inherit", "", "#12345", "hsl(1,2%,3%)"):
        assert read_color(none) is None
    assert not re.search(COLOR, "white-space")
