"""`newsletter check`: whether letters can be sent."""

import typer
from rich.markup import escape

from newsletter.cli.common import AsJson, Slug, answer, console, container, newsletter_of


def check(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Check whether letters can be sent."""
    from newsletter.core.setup_finding import SetupGrade  # help pages need no core

    marks = {SetupGrade.FAIL: "[red]✗[/]", SetupGrade.WARN: "[yellow]![/]"}
    findings = list(container().settings_checks.findings(newsletter_of(newsletter)))
    failing = [one for one in findings if one.grade is SetupGrade.FAIL]
    well = not failing

    def show_text() -> None:
        for one in findings:
            said = f"{one.sentence}; {one.cure}" if one.cure else one.sentence
            console.print(f"{marks.get(one.grade, '[green]✓[/]')} {one.subject:<10}{escape(said)}")
        if well:
            console.print("Letters can be sent.")

    data = [
        {"question": one.subject, "fine": one not in failing, "sentence": one.sentence}
        for one in findings
    ]
    answer(data, as_json=as_json, show=show_text)
    if not well:
        raise typer.Exit(1)
