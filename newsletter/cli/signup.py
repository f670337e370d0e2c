"""`newsletter signup`: how people subscribe."""

import typer

from newsletter.cli.common import AsJson, Slug, answer, house, newsletter_of

app = typer.Typer(no_args_is_help=True, help="How people subscribe.")


@app.callback()
def _group() -> None:
    pass  # a group, though it has one verb


@app.command()
def snippet(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Print a form to put into another site: plain HTML, without a script."""
    from newsletter.web.public.pages import Pages  # noqa: PLC0415  # the web takes long to load
    from newsletter.web.public.signup import snippet as html_of  # noqa: PLC0415

    which, settings = newsletter_of(newsletter), house().settings
    html = html_of(Pages(settings.templates), which, settings.public_url)
    answer({"html": html}, as_json=as_json, say=lambda: print(html))
