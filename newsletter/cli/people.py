"""`newsletter subscribers`: one person at a time."""

from collections.abc import Collection, Iterable
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from newsletter.cli.common import (
    AsJson,
    Slug,
    actor,
    answer,
    console,
    house,
    list_of,
    slugs_of,
)
from newsletter.core.history import HistoryLine
from subscribers.errors import NoSuchSubscription
from subscribers.model import Subscription, TopicSet
from subscribers.records.model import NewSubscriber, Person, SearchHit, account, utc
from subscribers.records.service import WholeList, standing

app = typer.Typer()

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The subscriber's address.")]
Who = Annotated[
    str, typer.Argument(metavar="EMAIL", help="The address; with --segment, a segment's name.")
]
Tags = Annotated[str, typer.Argument(metavar="A,B", help="The tags, separated by commas.")]
OfSegment = Annotated[
    bool, typer.Option("--segment", metavar="", help="EMAIL is the name of a saved segment.")
]
Yes = Annotated[bool, typer.Option("--yes", metavar="", help="Yes: it cannot be undone.")]
OnlyOf = Annotated[
    str | None,
    typer.Option("--newsletter", metavar="SLUG", help="Only in this newsletter; in all of them."),
]


@app.command()
def search(
    part: Annotated[str, typer.Argument(metavar="PART", help="An address, or a part.")] = "",
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="Only who has this tag.")] = None,
    newsletter: OnlyOf = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Find subscribers by address, a part of it, or a tag; the newest first."""
    slug = newsletter and list_of(newsletter).slug
    found = house().records.search(part, tag=tag, newsletter=slug, limit=limit)
    answer(found, as_json=as_json, say=lambda: _say_found(found))


@app.command()
def show(email: Email, as_json: AsJson = False) -> None:
    """Show what is known of one subscriber."""
    person = house().records.person(email)
    answer(person, as_json=as_json, say=lambda: _say_person(person))


@app.command()
def history(email: Email, as_json: AsJson = False) -> None:
    """Tell one subscriber's time line: every consent, change, issue, letter and event."""
    lines = house().people.history(house().records.id_of(email))
    answer(lines, as_json=as_json, say=lambda: _say_history(lines))


@app.command()
def evidence(email: Email, as_json: AsJson = False) -> None:
    """Print all that shows what a subscriber agreed to, changed, and took back."""
    found = house().records.evidence(email)
    now = house().clock.now()
    answer(found, as_json=as_json, say=lambda: print(account(found, now=now)))


@app.command()
def note(
    email: Email,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be remembered.")],
    as_json: AsJson = False,
) -> None:
    """Keep a note about a subscriber; notes are never changed, only added to."""
    person = house().records.person(email)
    house().records.note(person.id, text, actor=actor(), now=house().clock.now())
    answer({"noted": person.email}, as_json=as_json, say=lambda: _said("noted of", person.email))


@app.command()
def tag(
    who: Who,
    tags: Tags,
    newsletter: OnlyOf = None,
    segment: OfSegment = False,
    as_json: AsJson = False,
) -> None:
    """Put tags on a subscriber, or on everybody in a saved segment."""
    chosen = _chosen(who, newsletter, segment=segment)
    changed = house().records.tag(chosen, slugs_of(tags), actor=actor(), now=house().clock.now())
    answer({"changed": changed}, as_json=as_json, say=lambda: _said(f"{changed:,} tagged:", who))


@app.command()
def untag(
    who: Who,
    tags: Tags,
    newsletter: OnlyOf = None,
    segment: OfSegment = False,
    as_json: AsJson = False,
) -> None:
    """Take tags off a subscriber, or off everybody in a saved segment."""
    chosen = _chosen(who, newsletter, segment=segment)
    changed = house().records.untag(chosen, slugs_of(tags), actor=actor(), now=house().clock.now())
    answer({"changed": changed}, as_json=as_json, say=lambda: _said(f"{changed:,} untagged:", who))


@app.command()
def edit(
    email: Email,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="Their name.")] = None,
    zone: Annotated[
        str | None, typer.Option("--timezone", metavar="ZONE", help="Their time zone (IANA).")
    ] = None,
    newsletter: OnlyOf = None,
    as_json: AsJson = False,
) -> None:
    """Correct a subscriber's name or time zone."""
    if name is None and zone is None:
        raise typer.BadParameter("say what is to be corrected: --name, --timezone")
    chosen = _subscriptions(email, newsletter)
    changed = house().people.edit(chosen, name=name, zone=zone, actor=actor())
    told = "corrected" if changed else "nothing to correct for"
    answer({"changed": changed}, as_json=as_json, say=lambda: _said(told, email))


@app.command()
def add(
    email: Email,
    consent: Annotated[
        str, typer.Option(metavar="TEXT", help="Where their consent came from; kept as evidence.")
    ],
    newsletter: Slug = None,
    topics: Annotated[
        str | None, typer.Option(metavar="A,B", help="Topics; everything by default.")
    ] = None,
    name: Annotated[str, typer.Option(metavar="TEXT", help="Their name.")] = "",
    zone: Annotated[
        str | None,
        typer.Option("--timezone", metavar="ZONE", help="The newsletter's zone by default."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add one subscriber by hand.

    Who left, was erased, or must not be written to is not added: only they themselves come back.
    """
    which = list_of(newsletter)
    slugs = slugs_of(topics)
    if unknown := sorted(set(slugs).difference(which.topic_slugs)):
        raise typer.BadParameter(f"unknown topic: {', '.join(unknown)}", param_hint="'--topics'")
    newcomer = NewSubscriber(
        email=email,
        newsletter=which.slug,
        statement=consent,
        zone=zone or which.timetable.zone,
        topics=TopicSet.of(slugs),
        name=name,
    )
    number = house().records.add(newcomer, actor=actor(), now=house().clock.now())
    answer({"subscription": number}, as_json=as_json, say=lambda: _said("added", email))


@app.command()
def leave(email: Email, newsletter: OnlyOf = None, as_json: AsJson = False) -> None:
    """Say goodbye for a subscriber who asked for it."""
    ended = house().people.leave(_subscriptions(email, newsletter), actor=actor())
    told = f"{ended} ended for" if ended else "had left already:"
    answer({"ended": ended}, as_json=as_json, say=lambda: _said(told, email))


def _refuse_without(yes: bool) -> None:
    if not yes:
        raise typer.BadParameter("it cannot be undone; say --yes", param_hint="'--yes'")


@app.command()
def merge(
    keep: Annotated[str, typer.Argument(metavar="KEEP", help="The address to write to.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The same person's other address.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make two subscribers one. A goodbye of either counts; nothing on record is lost."""
    records = house().records
    kept, merged = records.id_of(keep), records.id_of(other)
    _refuse_without(yes)
    records.merge(kept, merged, actor=actor(), now=house().clock.now())
    answer(
        {"kept": kept, "merged": merged},
        as_json=as_json,
        say=lambda: _said(f"{other} is now one with", keep),
    )


@app.command()
def erase(
    email: Email,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Forget a person, with all consent, changes and events; a keyed hash alone remains.

    No import brings the address back; its owner may sign up again. Files outside the database
    (lists, result files, exports, SendGrid's own records) are not reached.
    """
    _refuse_without(yes)
    house().people.erase_address(email, actor=actor())
    answer({"erased": True}, as_json=as_json, say=lambda: console.print("erased"))


def _subscriptions(email: str, newsletter: str | None) -> tuple[Subscription, ...]:
    """Return someone's subscriptions, or that to one newsletter."""
    found = house().records.person(email).subscriptions
    if newsletter is None:
        return found
    slug = list_of(newsletter).slug
    if chosen := tuple(one for one in found if one.newsletter == slug):
        return chosen
    raise NoSuchSubscription(f"This address has no subscription to {slug}.")


def _chosen(who: str, newsletter: str | None, *, segment: bool) -> Collection[int] | WholeList:
    if not segment:
        return [one.id for one in _subscriptions(who, newsletter)]
    slug = list_of(newsletter).slug
    return WholeList(newsletter=slug, within=house().segments.get(slug, who).filter)


def _said(what: str, email: str) -> None:
    console.print(escape(f"{what} {email}"))


def _say_found(found: Iterable[SearchHit]) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    for one in found:
        silenced = "merged" if one.merged else one.suppressed and f"suppressed: {one.suppressed}"
        told = ", ".join(filter(None, [*one.standing, silenced]))
        table.add_row(
            escape(one.email), escape(one.name), escape(told), f"[dim]{_tags(one.tags)}[/]"
        )
    console.print(table if table.row_count else "nobody")


def _say_person(person: Person) -> None:
    console.print(f"[bold]{escape(person.email)}[/] {escape(person.name)}".rstrip())
    console.print(f"  on record since {utc(person.since)}")
    for one in person.subscriptions:
        topics = ", ".join(sorted(one.topics.slugs)).replace("*", "everything")
        told = f"{one.newsletter}: {standing(one)}, {one.frequency}, topics: {topics}, {one.zone}"
        console.print(f"  {escape(told)} [dim]{_tags(one.tags)}[/]")
    if found := person.suppression:
        console.print(
            f"  suppressed: {found.reason}, by {escape(found.source)}, {utc(found.since)}"
        )
    for label, words in (
        ("also known as", person.other_addresses),
        ("asked for, not confirmed", person.asked),
        ("new address, not confirmed", filter(None, [person.new_address])),
    ):
        if told := ", ".join(words):
            console.print(f"  {label}: {escape(told)}")
    for one in person.notes:
        told = f"note of {utc(one.at)}, {one.actor}: {one.detail['note']}"
        console.print(f"  {escape(told)}")


def _say_history(lines: Iterable[HistoryLine]) -> None:
    for one in lines:
        about = f" {one.about}" if one.about else ""
        told = f"{utc(one.at)}  {one.what}{about}, by {one.who}"
        console.print(f"{escape(told)} [dim]{escape(one.detail)}[/]".rstrip())


def _tags(tags: Iterable[str]) -> str:
    return escape(" ".join(f"#{tag}" for tag in tags))
