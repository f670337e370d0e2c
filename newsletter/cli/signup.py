"""`newsletter signup`: how people subscribe."""

import typer

from newsletter.cli.common import AsJson, Slug, answer, container, newsletter_of

app = typer.Typer(no_args_is_help=True, help="Help people subscribe.")


@app.callback()
def _group() -> None:
    pass  # makes it a group, though it has only one command


@app.command()
def snippet(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Print a sign-up form for another site: plain HTML, no script."""
    from newsletter.web.pages import Pages  # the web takes long to load
    from newsletter.web.public.signup import snippet as html_of

    which, settings = newsletter_of(newsletter), container().settings
    html = html_of(Pages(settings.templates), which, settings.public_url)
    answer({"html": html}, as_json=as_json, show=lambda: print(html))
