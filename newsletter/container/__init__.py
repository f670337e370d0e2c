"""The composition root: the only place that chooses which part answers which need.

Modules that take long to load (the web, MJML, the queue, the vendors' clients) are imported where
a part first needs them: a short command needs few of them, and a person waits for it.
See docs/decisions/one-container.md.
"""

from newsletter.container.container import Container

__all__ = ["Container"]
