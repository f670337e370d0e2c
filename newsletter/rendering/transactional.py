"""Rendering of transactional letters, as of an issue but without a galley."""

from datetime import date
from pathlib import Path
from typing import Any

from newsletter.core.edition import Letter
from newsletter.core.galley import plain_line
from newsletter.core.publication import Newsletter
from newsletter.core.transactional import LatestIssue, TransactionalContext, TransactionalKind
from newsletter.rendering.contract import refuse_transactional_breaches
from newsletter.rendering.inlining import inline
from newsletter.rendering.mjml import to_html
from newsletter.rendering.page import written_out
from newsletter.rendering.source import INLINE_CSS, Templates
from newsletter.rendering.typefaces import typefaces

_FOLDER = "transactional"
_OWN_CSS = f"{_FOLDER}/styles/inline.css"
_FACES = typefaces("en")  #: these letters are in English


class TransactionalRenderer:
    """Sets letters with the templates of one folder, the one that holds `transactional/`."""

    def __init__(self, templates: Path) -> None:
        self._templates = Templates(templates)

    def compose(self, newsletter: Newsletter, context: TransactionalContext) -> Letter:
        """Return the letter; RenderingFailed names template and line, or what it lacks."""
        folder, values = f"{_FOLDER}/{context.kind}", _values(newsletter, context)
        subject = plain_line(self._templates.render(f"{folder}/subject.txt.j2", values))
        # mj-title becomes an attribute, which a straight quote would end.
        values["tags"] = {"subject": subject.replace('"', "”")}
        html = to_html(self._templates.render(f"{folder}/body.mjml.j2", values))
        letter = Letter(
            subject=subject,
            html=inline(html, self._css()),
            text=self._templates.render(f"{folder}/body.txt.j2", values),
        )
        address = plain_line(newsletter.postal_address)
        refuse_transactional_breaches(letter, context, postal_address=address, folder=folder)
        return letter

    def _css(self) -> str:
        return "\n".join(
            self._templates.inline_css(_FACES, name) for name in (INLINE_CSS, _OWN_CSS)
        )

    def check_all(self, newsletter: Newsletter) -> None:
        """Render a sample of every kind; RenderingFailed names template and line."""
        for kind in TransactionalKind:
            self.compose(newsletter, _sample(kind))


def _sample(kind: TransactionalKind) -> TransactionalContext:
    address = "https://news.example.com/"
    return TransactionalContext(
        kind=kind,
        email="reader@example.com",
        links={name: f"{address}{name}" for name in kind.links},
        lasts="3 days",
        latest=LatestIssue(url=address, on=date(2026, 1, 1), headlines=("A sample",)),
        elsewhere=(("A sample", address),),
    )


def _values(newsletter: Newsletter, context: TransactionalContext) -> dict[str, Any]:
    """Return the variables of a template, as plain text; for English."""
    latest, subscription = context.latest, context.subscription
    return {
        "elsewhere": [(plain_line(name), url) for name, url in context.elsewhere],
        "faces": _FACES,
        "email": context.email,
        "lasts": context.lasts,
        "latest": latest
        and {
            "date": written_out(latest.on),
            "headlines": [plain_line(one) for one in latest.headlines],
            "url": latest.url,
        },
        "links": context.links,
        "name": plain_line(newsletter.name),
        "paused": subscription is not None and subscription.paused_at is not None,
        "postal_address": plain_line(newsletter.postal_address),
        "start": "left",
        "topics": context.topics,
        "weekly": context.weekly,
    }
