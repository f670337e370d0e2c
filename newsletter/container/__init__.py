"""The composition root: the only place that chooses which part answers which need.

Each part is imported where it is first asked for: a short command needs few, and a person waits
for it. The layers build on one another, `database` first and `web` last.
See docs/decisions/one-container.md.
"""

from newsletter.container.container import Container

__all__ = ["Container"]
