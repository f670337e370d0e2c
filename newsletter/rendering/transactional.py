"""Letters to one person, set in type: the road of an issue, without a galley to cut from."""

from datetime import date
from pathlib import Path
from typing import Any

from newsletter.core.edition import Letter
from newsletter.core.galley import plain_line
from newsletter.core.publication import Newsletter
from newsletter.core.transactional import LatestIssue, TransactionalContext, TransactionalKind
from newsletter.rendering.inlining import inline
from newsletter.rendering.mjml import to_html
from newsletter.rendering.page import written_out
from newsletter.rendering.source import Templates

_FOLDER = "correspondence"


class TransactionalRenderer:
    """Sets letters with the templates of one folder, the one that holds `correspondence/`."""

    def __init__(self, templates: Path) -> None:
        self._templates = Templates(templates)
        own = templates / _FOLDER / "styles" / "inline.css"
        self._css = f"{self._templates.inline_css()}\n{own.read_text(encoding='utf-8')}"

    def compose(self, newsletter: Newsletter, matter: TransactionalContext) -> Letter:
        """Return the letter; RenderingFailed names template and line."""
        folder, values = f"{_FOLDER}/{matter.kind}", _values(newsletter, matter)
        subject = plain_line(self._templates.render(f"{folder}/subject.txt.j2", values))
        # mj-title is an attribute, too: a straight quote would end it.
        values["tags"] = {"subject": subject.replace('"', "”")}
        html = to_html(self._templates.render(f"{folder}/body.mjml.j2", values))
        return Letter(
            subject=subject,
            html=inline(html, self._css),
            text=self._templates.render(f"{folder}/body.txt.j2", values),
        )

    def try_all(self, newsletter: Newsletter) -> None:
        """Set a sample of every kind; RenderingFailed names template and line."""
        for kind in TransactionalKind:
            self.compose(newsletter, _sample(kind))


def _sample(kind: TransactionalKind) -> TransactionalContext:
    address = "https://news.example.com/"
    return TransactionalContext(
        kind=kind,
        email="reader@example.com",
        links=dict.fromkeys(("confirm", "keep", "preferences", "unsubscribe"), address),
        lasts="3 days",
        latest=LatestIssue(url=address, on=date(2026, 1, 1), headlines=("A sample",)),
    )


def _values(newsletter: Newsletter, matter: TransactionalContext) -> dict[str, Any]:
    """Return all that a template is told, as plain words; these letters are in English."""
    latest, subscription = matter.latest, matter.subscription
    return {
        "direction": "ltr",
        "email": matter.email,
        "lasts": matter.lasts,
        "latest": latest
        and {
            "date": written_out(latest.on),
            "headlines": [plain_line(one) for one in latest.headlines],
            "url": latest.url,
        },
        "links": matter.links,
        "name": plain_line(newsletter.name),
        "paused": subscription is not None and subscription.paused_at is not None,
        "postal_address": plain_line(newsletter.postal_address),
        "start": "left",
        "topics": matter.topics,
        "weekly": matter.weekly,
    }
