"""`newsletter segments`: saved filters, and who matches them."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from newsletter.cli import common
from newsletter.cli.common import AsJson, Slug, actor, answer, console, container, newsletter_of
from newsletter.core.publication import Newsletter
from subscribers.errors import InvalidSegment
from subscribers.segments.filters import Filter, describe, filter_data

if TYPE_CHECKING:
    from subscribers.segments.service import Member, Segment, SegmentCount

app = typer.Typer(no_args_is_help=True, help="Save segments, and count who is in them.")

_PANEL = "The filter: subscribers must match all of it"
_FILTER = {  #: what each option of a filter takes, and its help
    "topic": ("A,B", "Chose any of these topics."),
    "tag": ("A,B", "Has any of these tags."),
    "tags_all": ("A,B", "Has each of these tags."),
    "tags_none": ("A,B", "Has none of these tags."),
    "status": ("WORD", "mailable, active, paused, ended or suppressed."),
    "frequency": ("WORD", "daily or weekly."),
    "zone": ("A,B", "Lives in one of these time zones (Europe/Berlin) or areas (Europe)."),
    "source": ("TEXT", "Came from this source; the beginning is enough."),
    "joined_since": ("DATE", "Joined on this day or later."),
    "joined_before": ("DATE", "Joined before this day."),
    "engaged_within": ("DAYS", "Opened or clicked within this many days."),
    "not_engaged_within": ("DAYS", "Did not open or click for this many days."),
}
_PLURALS = {"topic": "topics", "tag": "tags", "zone": "zones"}  #: the filter's names for options

Name = Annotated[str, typer.Argument(metavar="NAME", help="The segment.")]


def _filtering(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a filter; those given are its argument `said`."""

    @wraps(command)
    def filtering(**options: Any) -> None:
        given = {name: options.pop(name) for name in _FILTER}
        said = {_PLURALS.get(name, name): value for name, value in given.items() if value}
        command(said=said, **options)

    name, *others = (one for one in signature(command).parameters.values() if one.name != "said")
    # Typer reads a command's options from its signature.
    vars(filtering)["__signature__"] = Signature([name, *map(_option, _FILTER), *others])
    return filtering


def _option(name: str) -> Parameter:
    metavar, words = _FILTER[name]
    kind = (list[str] if metavar == "A,B" else str) | None
    option = typer.Option(None, metavar=metavar, help=words, rich_help_panel=_PANEL)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=option, annotation=kind)


@app.command("list")
def list_(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """List the saved segments and their filters."""
    found = container().segments.all(_list_of(newsletter_of(newsletter)))
    table = common.grid((f"[bold]{one.name}[/]", escape(describe(one.filter))) for one in found)
    none = "There are no segments yet; save one with `newsletter segments save`."
    text, data = table if found else none, [_data(one) for one in found]
    answer(data, as_json=as_json, show=lambda: console.print(text))


@app.command()
@_filtering
def save(
    name: Name,
    *,
    said: dict[str, Any],
    replace: Annotated[
        bool, typer.Option("--replace", metavar="", help="Replace the segment that has this name.")
    ] = False,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Save a filter under a name, for sending and exporting."""
    which = newsletter_of(newsletter)
    chosen = container().segments.read(said, which.topic_slugs)
    now = container().clock.now()
    segment = container().segments.save(
        _list_of(which), name, chosen, by=actor(), now=now, replace=replace
    )
    found = container().segments.count(segment.newsletter, chosen, now=now)
    data = _data(segment) | _counted(found)
    answer(data, as_json=as_json, show=lambda: _print(f"[bold]{name}[/]", chosen, found))


@app.command()
@_filtering
def count(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A segment; or give a filter.")
    ] = None,
    *,
    said: dict[str, Any],
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Count who is in a segment or matches a filter, and how many of them get letters."""
    which = newsletter_of(newsletter)
    chosen = _chosen(which, name, said)
    found = container().segments.count(_list_of(which), chosen, now=container().clock.now())
    data = {"segment": name, "filter": filter_data(chosen)} | _counted(found)
    title = f"[bold]{escape(name)}[/]" if name else ""
    answer(data, as_json=as_json, show=lambda: _print(title, chosen, found))


@app.command()
def show(
    name: Name,
    limit: common.Limit = 10,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Show a segment's filter, its size, and some of its members, newest first."""
    which, now = newsletter_of(newsletter), container().clock.now()
    segment = container().segments.get(_list_of(which), name)
    found = container().segments.count(segment.newsletter, segment.filter, now=now)
    some = container().segments.sample(segment.newsletter, segment.filter, now=now, limit=limit)

    def show_text() -> None:
        _print(f"[bold]{name}[/]", segment.filter, found)
        console.print(f"  [dim]saved by {escape(segment.by)}, {common.minute(segment.at)}[/]")
        console.print(common.grid(map(_member, some)))

    data = _data(segment) | _counted(found) | {"sample": some}
    answer(data, as_json=as_json, show=show_text)


@app.command()
def delete(name: Name, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Delete a segment; no subscription changes."""
    segment = container().segments.delete(_list_of(newsletter_of(newsletter)), name)
    text = f"{segment.name} is deleted; its filter was: {describe(segment.filter)}."
    answer(_data(segment), as_json=as_json, show=lambda: console.print(escape(text)))


def _chosen(which: Newsletter, name: str | None, said: dict[str, Any]) -> Filter:
    if name and said:
        raise InvalidSegment("give either the name of a segment or a filter, not both")
    if name:
        return container().segments.get(_list_of(which), name).filter
    return container().segments.read(said, which.topic_slugs)


def _list_of(newsletter: Newsletter) -> str:
    """Return the newsletter whose subscribers they are; a digest has those of its newsletter."""
    return newsletter.readers.newsletter


def _data(segment: "Segment") -> dict[str, Any]:
    return {
        "name": segment.name,
        "newsletter": segment.newsletter,
        "filter": filter_data(segment.filter),
        "sentence": describe(segment.filter),
        "saved_at": segment.at,
        "saved_by": segment.by,
    }


def _counted(count: "SegmentCount") -> dict[str, int]:
    return {"matching": count.matching, "mailable": count.mailable}


def _print(title: str, chosen: Filter, count: "SegmentCount") -> None:
    console.print(f"{title}{': ' if title else ''}{escape(describe(chosen))}")
    console.print(
        f"  {common.counted(count.matching, 'subscription')}; "
        f"[bold]{count.mailable:,}[/] of them can get letters"
    )


def _member(one: "Member") -> tuple[str, ...]:
    seen = f"last active {one.engaged_on}" if one.engaged_on else "never active"
    joined = f"joined {one.joined:%Y-%m-%d}"
    return f"  {escape(one.email)}", escape(one.name), joined, f"[dim]{seen}[/]"
