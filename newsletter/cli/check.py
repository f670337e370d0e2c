"""`newsletter check`: whether letters can be sent."""

import typer
from rich.markup import escape

from newsletter.cli.common import AsJson, Slug, answer, console, container, newsletter_of


def check(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Check whether letters can be sent."""
    findings = list(container().settings_checks.findings(newsletter_of(newsletter)))

    def show_text() -> None:
        for one in findings:
            mark = "[green]✓[/]" if one.fine else "[red]✗[/]"
            console.print(f"{mark} {one.subject:<10}{escape(one.sentence)}")
        if all(one.fine for one in findings):
            console.print("Letters can be sent.")

    data = [
        {"question": one.subject, "fine": one.fine, "sentence": one.sentence} for one in findings
    ]
    answer(data, as_json=as_json, show=show_text)
    if not all(one.fine for one in findings):
        raise typer.Exit(1)
