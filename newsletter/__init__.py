"""A newsletter delivery service: each day's verified briefs, once to everyone who asked.

The road: briefs are *received* and *verified*; the accepted ones are *assembled* into an issue;
the issue is *set* in type once, as a galley; *approved*; *planned* into editions, deliveries and
batches; each batch is *claimed*, *sent* and *recorded*; delivery events report what became of it,
and whatever stays unknown is *reconciled*. `newsletter.services` holds these verbs in this order.

The words are in docs/reference/glossary.md; the rule of each step is beside it in
`newsletter.core`.
"""

__version__ = "0.1.0"
