"""Galleys kept by what they were set from, so that the same content is set in type only once."""

import hashlib
import threading
from collections import OrderedDict
from pathlib import Path

from newsletter.core.galley import Galley
from newsletter.core.issue import Issue
from newsletter.core.publication import Newsletter
from newsletter.ports import Renderer
from newsletter.rendering.page import page_of

_MOST = 16  #: galleys in memory, each a few hundred kilobytes
_TEMPLATES = "issue"  #: the folder of an issue's templates


class KeptGalleys:
    """A renderer that sets each content once, and knows the latest ones.

    A galley is known by all that a template may print and by the templates' own bytes: a changed
    story, sender name or template is set anew.
    """

    def __init__(self, renderer: Renderer, templates: Path, *, most: int = _MOST) -> None:
        self._renderer, self._templates, self._most = renderer, templates, most
        self._galleys: OrderedDict[str, Galley] = OrderedDict()
        self._lock = threading.Lock()

    def set(self, newsletter: Newsletter, issue: Issue) -> Galley:
        """Return the galley of this content; RenderingFailed names template, line and brief."""
        key = self._key(newsletter, issue)
        with self._lock:
            if known := self._galleys.get(key):
                self._galleys.move_to_end(key)
                return known
        galley = self._renderer.set(newsletter, issue)
        with self._lock:
            self._galleys[key] = galley
            while len(self._galleys) > self._most:
                self._galleys.popitem(last=False)
        return galley

    def fingerprints(self) -> dict[str, str]:
        """Return the digest of each template file, by its name."""
        return self._renderer.fingerprints()

    def _key(self, newsletter: Newsletter, issue: Issue) -> str:
        content = hashlib.sha256(repr(page_of(newsletter, issue)).encode())
        for path in sorted((self._templates / _TEMPLATES).rglob("*")):
            if path.is_file():
                content.update(path.read_bytes())
        return content.hexdigest()
