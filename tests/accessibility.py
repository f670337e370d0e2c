"""What is wrong with a page that is open in Chromium: by axe, and by its width, in each look.

A page is loaded once; then the window and the light change. Axe goes through all its rules at each
width, once in either light. In the other light only colours differ: they are compared here, which
takes no time, and axe judges where they may be too much alike.
"""

from collections.abc import Collection
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.chromium import CONTRASTS

Scheme = Literal["light", "dark"]

#: Width, the light in which axe runs, and the other one.
LOOKS: tuple[tuple[int, Scheme, Scheme], ...] = ((1280, "light", "dark"), (390, "dark", "light"))
NARROW = 320  #: CSS pixels to which a page must shrink without a sideways scroll (WCAG 2.2, 1.4.10)

_LEAST = 4.5  #: contrast of text (WCAG 2.2, 1.4.3)
_OPEN = "document.querySelectorAll('details').forEach(one => { one.open = true })"
#: Neither frames, since a letter's runs no script and axe would wait for its answer, nor style
#: sheets, which one rule would load anew and ours have no use for.
_RUN = """([part, rules]) => axe.run(part ?? document, {
    resultTypes: ['violations'], iframes: false, preload: false,
    ...(rules.length ? {runOnly: rules} : {})
  }).then(found => found.violations.map(one => `${one.id} ${one.nodes[0].html.slice(0, 160)}`))"""
_WIDER = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  ['page', ...[...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
    .map(one => one.outerHTML.slice(0, 120)).slice(0, 3)]"""

#: Links and buttons with one name that lead to several places: who lists them by name cannot tell.
_ALIKE = """() => { const found = new Map();
  for (const one of document.querySelectorAll('main :not(th) > :is(a[href], button, summary)')) {
    const name = (one.getAttribute('aria-label') ?? one.textContent).replace(/\\s+/g, ' ').trim();
    const fields = [...(one.form ?? [])].filter(each => each.type === 'hidden'
      && each.name !== 'form_key').map(each => each.name + each.value);
    const done = one.form && [one.form.action, one.value, ...fields].join();
    const where = one.href ?? done ?? found.size;
    found.set(name, (found.get(name) ?? new Set()).add(where)); }
  return [...found].filter(([, where]) => where.size > 1).map(([name]) => 'many are named ' + name)
}"""


def faults_of(
    page: Page, name: str, part: str | None = None, axe_at: Collection[int] = (1280, 390)
) -> list[str]:
    """Return what is wrong with the page, which is then as narrow as it may be.

    With a `part`, such as "main", the rest was seen already: axe goes through that part alone.
    At a width that is not in `axe_at` only colours and the width itself are looked at.
    """
    page.evaluate(_OPEN)
    page.evaluate(AXE_SCRIPT)
    found = [f"{name}: {one}" for one in page.evaluate(_ALIKE)]
    for width, light, other in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        for scheme, by_axe in ((light, width in axe_at), (other, False)):
            page.emulate_media(color_scheme=scheme)
            seen = page.evaluate(_RUN, [part, []]) if by_axe else _too_much_alike(page, part)
            found += [f"{name} {width} {scheme}: {one}" for one in seen]
        found += too_wide(page, f"{name} {width}")
    page.set_viewport_size({"width": NARROW, "height": 800})
    return found + too_wide(page, f"{name} {NARROW}")


def too_wide(page: Page, name: str) -> list[str]:
    """Return what makes the page scroll sideways."""
    return [f"{name} is wider: {one}" for one in page.evaluate(_WIDER)]


def _too_much_alike(page: Page, part: str | None) -> list[str]:
    contrasts: list[tuple[str, float]] = page.evaluate(CONTRASTS)
    if all(contrast >= _LEAST for _, contrast in contrasts):
        return []
    return page.evaluate(_RUN, [part, ["color-contrast"]])
