"""The Chromium of the browser tests: the system's, or Playwright's own; installed where neither is.

Run as a script it installs one: by apt-get as root on Debian, else by Playwright's download. Where
neither works, the browser tests are skipped, with a clear message.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

#: Headless, as root too, and without a word to any host of its own.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: WCAG 2.2, 1.4.3: contrast of each text with the nearest opaque background behind it.
CONTRASTS = """() => {
  const rgba = css => {
    const [r, g, b, a] = css.match(/[\\d.]+/g).map(Number);
    return {channels: [r, g, b], opaque: a === undefined || a === 1};
  };
  const luminance = ({channels}) => {
    const [r, g, b] = channels.map(value => value / 255)
      .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = element => {
    const colour = rgba(getComputedStyle(element).backgroundColor);
    return colour.opaque || !element.parentElement ? colour : behind(element.parentElement);
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement, text = walk.currentNode.data.trim();
    if (!text || !element.checkVisibility()) continue;
    const pair = [rgba(getComputedStyle(element).color), behind(element)];
    const [dark, light] = pair.map(luminance).sort((x, y) => x - y);
    found.push([text.slice(0, 40), (light + .05) / (dark + .05)]);
  }
  return found;
}"""


def find_chromium() -> str | None:
    """Return the path of a Chromium; None if there is none."""
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def install() -> None:
    """Try each way to get one, quietly; the tests show whether it worked."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
    if find_chromium() is None:
        _run(sys.executable, "-m", "playwright", "install", "chromium")


def _run(*command: str) -> None:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=False, env=environment, timeout=600, **quiet)


if __name__ == "__main__" and find_chromium() is None:
    print("no Chromium yet: installing one for the browser tests")
    install()
    if find_chromium() is None:
        print("there is none to be had here; the browser tests will be skipped")
