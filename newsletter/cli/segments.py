"""`newsletter segments`: saved filters, and who matches them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from newsletter.cli import common
from newsletter.cli.common import AsJson, Slug, actor, answer, console, container, newsletter_of
from newsletter.cli.filter_options import FilterCommand, filtering
from newsletter.core.publication import Newsletter
from subscribers.errors import InvalidSegment
from subscribers.segments.filter_reader import filter_data
from subscribers.segments.filter_sentence import describe
from subscribers.segments.filters import Filter

if TYPE_CHECKING:
    from subscribers.segments.service import Member, Segment, SegmentCount

app = typer.Typer(no_args_is_help=True, help="Save segments, and count who is in them.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The segment.")]


@app.command("list")
def list_(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """List the saved segments and their filters."""
    found = container().segments.all(_list_of(newsletter_of(newsletter)))
    table = common.grid((f"[bold]{one.name}[/]", escape(describe(one.filter))) for one in found)
    none = "There are no segments yet; save one with `newsletter segments save`."
    text, data = table if found else none, [_data(one) for one in found]
    answer(data, as_json=as_json, show=lambda: console.print(text))


@app.command(cls=FilterCommand)
@filtering
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
    chosen = container().segments.read(_list_of(which), said, which.topic_slugs)
    now = container().clock.now()
    segment = container().segments.save(
        _list_of(which), name, chosen, by=actor(), now=now, replace=replace
    )
    found = container().segments.count(segment.newsletter, chosen, now=now)
    data = _data(segment) | _counted(found)
    answer(data, as_json=as_json, show=lambda: _print(f"[bold]{name}[/]", chosen, found))


@app.command(cls=FilterCommand)
@filtering
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
    return container().segments.read(_list_of(which), said, which.topic_slugs)


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
