"""`newsletter segments`: saved filters, and who matches them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from newsletter.cli.common import AsJson, Slug, actor, answer, console, container, newsletter_of
from newsletter.cli.report import counted
from newsletter.core.publication import Newsletter
from subscribers.errors import InvalidSegment
from subscribers.segments.filters import Filter, describe, filter_data

if TYPE_CHECKING:
    from subscribers.segments.service import Member, Segment, SegmentCount

app = typer.Typer(no_args_is_help=True, help="Save segments, and count who is in them.")

_PANEL = "The filter: subscribers must match all of it"


def _option(metavar: str, words: str, *names: str) -> Any:
    return typer.Option(*names, metavar=metavar, help=words, rich_help_panel=_PANEL)


Words = list[str] | None
Name = Annotated[str, typer.Argument(metavar="NAME", help="The segment.")]
Topics = Annotated[Words, _option("A,B", "Chose any of these topics.", "--topic")]
Tags = Annotated[Words, _option("A,B", "Has any of these tags.", "--tag")]
TagsAll = Annotated[Words, _option("A,B", "Has each of these tags.", "--tags-all")]
TagsNone = Annotated[Words, _option("A,B", "Has none of these tags.", "--tags-none")]
Status = Annotated[
    str | None, _option("WORD", "mailable, active, paused, ended or suppressed.", "--status")
]
Often = Annotated[str | None, _option("WORD", "daily or weekly.", "--frequency")]
Zones = Annotated[
    Words,
    _option("A,B", "Lives in any of these: Europe/Berlin, or a whole area: Europe.", "--zone"),
]
Source = Annotated[
    str | None, _option("TEXT", "Came from this source; the first words are enough.", "--source")
]
Since = Annotated[str | None, _option("DATE", "Joined on this day or later.", "--joined-since")]
Before = Annotated[str | None, _option("DATE", "Joined before this day.", "--joined-before")]
Engaged = Annotated[
    str | None, _option("DAYS", "Opened or clicked within this many days.", "--engaged-within")
]
NotEngaged = Annotated[
    str | None,
    _option("DAYS", "Did not open or click for this many days.", "--not-engaged-within"),
]


@app.command("list")
def list_(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """List the saved segments and their filters."""
    found = container().segments.all(_list_of(newsletter_of(newsletter)))

    def show_text() -> None:
        table = Table.grid(padding=(0, 2, 0, 0))
        for one in found:
            table.add_row(f"[bold]{one.name}[/]", escape(describe(one.filter)))
        console.print(
            table
            if found
            else "There are no segments yet; save one with `newsletter segments save`."
        )

    answer([_data(one) for one in found], as_json=as_json, show=show_text)


@app.command()
def save(
    name: Name,
    topic: Topics = None,
    tag: Tags = None,
    tags_all: TagsAll = None,
    tags_none: TagsNone = None,
    status: Status = None,
    frequency: Often = None,
    zone: Zones = None,
    source: Source = None,
    joined_since: Since = None,
    joined_before: Before = None,
    engaged_within: Engaged = None,
    not_engaged_within: NotEngaged = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", metavar="", help="Replace the segment that has this name."),
    ] = False,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Save a filter under a name, for sending and exporting."""
    said = _said(locals())
    which = newsletter_of(newsletter)
    chosen = container().segments.read(said, which.topic_slugs)
    now = container().clock.now()
    segment = container().segments.save(
        _list_of(which), name, chosen, by=actor(), now=now, replace=replace
    )
    count = container().segments.count(segment.newsletter, chosen, now=now)
    data = _data(segment) | _counted(count)
    answer(data, as_json=as_json, show=lambda: _print(f"[bold]{name}[/]", chosen, count))


@app.command()
def count(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A segment; or give a filter.")
    ] = None,
    topic: Topics = None,
    tag: Tags = None,
    tags_all: TagsAll = None,
    tags_none: TagsNone = None,
    status: Status = None,
    frequency: Often = None,
    zone: Zones = None,
    source: Source = None,
    joined_since: Since = None,
    joined_before: Before = None,
    engaged_within: Engaged = None,
    not_engaged_within: NotEngaged = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Count who is in a segment or matches a filter, and how many of them get letters."""
    said = _said(locals())
    which = newsletter_of(newsletter)
    chosen = _chosen(which, name, said)
    found = container().segments.count(_list_of(which), chosen, now=container().clock.now())
    data = {"segment": name, "filter": filter_data(chosen)} | _counted(found)
    title = f"[bold]{escape(name)}[/]" if name else ""
    answer(data, as_json=as_json, show=lambda: _print(title, chosen, found))


@app.command()
def show(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many to show at most.")] = 10,
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
        console.print(f"  [dim]saved by {escape(segment.by)}, {segment.at:%Y-%m-%d %H:%M %Z}[/]")
        console.print(_members(some))

    data = _data(segment) | _counted(found) | {"sample": some}
    answer(data, as_json=as_json, show=show_text)


@app.command()
def delete(name: Name, newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Delete a segment; no subscription changes."""
    segment = container().segments.delete(_list_of(newsletter_of(newsletter)), name)
    text = f"{segment.name} is deleted; its filter was: {describe(segment.filter)}."
    answer(_data(segment), as_json=as_json, show=lambda: console.print(escape(text)))


_PLURALS = {"topic": "topics", "tag": "tags", "zone": "zones"}
_NO_FILTER = {"name", "replace", "newsletter", "as_json"}


def _said(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a command that belong to the filter, by the filter's names."""
    return {_PLURALS.get(k, k): v for k, v in options.items() if v and k not in _NO_FILTER}


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
        f"  {counted(count.matching, 'subscription')}; "
        f"[bold]{count.mailable:,}[/] of them can get letters"
    )


def _members(some: "tuple[Member, ...]") -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for one in some:
        seen = f"last active {one.engaged_on}" if one.engaged_on else "never active"
        joined = f"joined {one.joined:%Y-%m-%d}"
        table.add_row(f"  {escape(one.email)}", escape(one.name), joined, f"[dim]{seen}[/]")
    return table
