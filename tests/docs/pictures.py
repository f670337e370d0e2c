"""Takes the pictures of the documentation from a running `newsletter demo --look`.

Run it as `python -m tests.docs.pictures INBOX_URL WEB_URL`, with the two addresses that the demo
prints. Where Pillow is installed, each picture is reduced to a palette.
"""

import base64
import re
import sys
from io import BytesIO
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.chromium import ARGUMENTS, find_chromium

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
PHONE = {"width": 390, "height": 780}
DESKTOP = {"width": 960, "height": 720}

#: Two phones beside each other, on a page without a background.
PAIR = """<body style="margin:0;display:flex;gap:28px;padding:12px">{}</body>"""
FRAME = """<img style="width:330px;border-radius:26px;border:7px solid #2a2d33"
 src="data:image/png;base64,{}">"""


def main(inbox: str, web: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        letter = _letter_of(browser, inbox)
        phones = [_shot(browser, letter, PHONE, scheme) for scheme in ("light", "dark")]
        save("letter-phone", _pair(browser, phones))
        save("letter-wide", _shot(browser, letter, {"width": 760, "height": 820}))
        save("inbox", _shot(browser, f"{inbox}/inbox", DESKTOP | {"height": 520}))
        links = _links_of(browser, letter)
        save("sign-up", _shot(browser, f"{web}/technology/subscribe", DESKTOP | {"height": 900}))
        save("preferences", _shot(browser, links["p"], DESKTOP | {"height": 900}))
        save("unsubscribe", _shot(browser, links["u"], DESKTOP | {"height": 560}))
        browser.close()


def _letter_of(browser: Browser, inbox: str) -> str:
    """Return the address of the latest letter's HTML."""
    page = browser.new_page()
    page.goto(f"{inbox}/inbox")
    page.goto(page.locator("ol.letters a").first.evaluate("link => link.href"))
    source = page.locator("iframe").first.evaluate("frame => frame.src")
    page.close()
    return str(source)


def _links_of(browser: Browser, letter: str) -> dict[str, str]:
    """Return the reader's own links in a letter, by the first part of their path."""
    page = browser.new_page()
    page.goto(letter)
    links = page.locator("a").evaluate_all("links => links.map(link => link.href)")
    page.close()
    return {found[1]: link for link in links if (found := re.search(r"/([pu])/[^/]+$", link))}


def _shot(browser: Browser, address: str, size: dict[str, int], scheme: str = "light") -> bytes:
    page = browser.new_page(viewport=size, color_scheme=scheme, device_scale_factor=1.5)
    page.goto(address)
    taken = page.screenshot()
    page.close()
    return taken


def _pair(browser: Browser, pictures: list[bytes]) -> bytes:
    frames = "".join(FRAME.format(base64.b64encode(one).decode()) for one in pictures)
    page = browser.new_page(viewport={"width": 750, "height": 700}, device_scale_factor=1.5)
    page.set_content(PAIR.format(frames))
    taken = page.locator("body").screenshot(omit_background=True)
    page.close()
    return taken


def save(name: str, picture: bytes) -> None:
    path = PICTURES / f"{name}.png"
    try:
        from PIL import Image
    except ImportError:
        path.write_bytes(picture)
    else:
        Image.open(BytesIO(picture)).quantize(96).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main(*sys.argv[1:3])
