"""Rendering of a whole issue to a galley, and of one edition directly, to verify the cutting."""

from pathlib import Path

from newsletter.core.edition import Edition, Letter, compose
from newsletter.core.galley import Galley, Span, read_marked
from newsletter.core.issue import Issue
from newsletter.core.publication import Newsletter
from newsletter.rendering.contract import refuse_breaches
from newsletter.rendering.inlining import inline
from newsletter.rendering.mjml import to_html
from newsletter.rendering.page import Page, of_one_edition, page_of
from newsletter.rendering.source import ISSUE, MJML, TEXT, Templates


class IssueRenderer:
    """Sets issues with the templates of one folder, the one that holds `issue/`.

    `compiles` and `inlinings` count MJML and premailer passes: one each an issue (law 2).
    """

    def __init__(self, templates: Path) -> None:
        self._templates = Templates(templates)
        self.compiles = 0
        self.inlinings = 0

    def set(self, newsletter: Newsletter, issue: Issue) -> Galley:
        """Set the whole issue; RenderingFailed names template, line and brief.

        It names what the templates leave out, too: see `rendering.contract`.
        """
        page = page_of(newsletter, issue)
        html, text = self._render(page, marked=True)
        refuse_breaches(page, html, text, html_file=MJML, text_file=TEXT)
        return Galley(html=read_marked(html), text=read_marked(text))

    def fingerprints(self) -> dict[str, str]:
        """Return the digest of each template file, by its name."""
        return self._templates.fingerprints(ISSUE)

    def direct(
        self,
        newsletter: Newsletter,
        issue: Issue,
        edition: Edition,
        *,
        view_url: str,
        subscribe_url: str = "",
    ) -> Letter:
        """Render an edition's letter in the same way without marks or cutting.

        `issue` has the edition's briefs and no others. A letter cut from the galley must equal
        this one; nothing is sent this way.
        """
        html, text = self._render(page_of(newsletter, issue), marked=False)
        uncut = Galley(html=(Span(html),), text=(Span(text),))
        return compose(uncut, edition, view_url=view_url, subscribe_url=subscribe_url)

    def _render(self, page: Page, *, marked: bool) -> tuple[str, str]:
        page = page if marked else of_one_edition(page)
        html = to_html(self._templates.fill(MJML, page, marked=marked))
        self.compiles += 1
        html = inline(html, self._templates.inline_css(page.faces))
        self.inlinings += 1
        return html, self._templates.fill(TEXT, page, marked=marked)
