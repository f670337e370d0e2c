"""`newsletter subscribers`: one person at a time."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli import common
from newsletter.cli.common import AsJson, Slug, actor, answer, console, container, list_of, slugs_of
from newsletter.core.history import HistoryLine
from subscribers.errors import NoSuchSubscription
from subscribers.model import Subscription, TopicSet
from subscribers.records.model import (
    BulkChoice,
    BulkVerb,
    NewSubscriber,
    Person,
    SearchHit,
    consent_report,
    status_text,
    utc,
)

app = typer.Typer()

Email = Annotated[str, Argument(metavar="EMAIL", help="The subscriber's address.")]
Who = Annotated[
    str, Argument(metavar="EMAIL", help="The address; with --segment, a segment's name.")
]
Tags = Annotated[str, Argument(metavar="A,B", help="The tags, separated by commas.")]
OfSegment = Annotated[
    bool, Option("--segment", metavar="", help="EMAIL is the name of a saved segment.")
]
Yes = Annotated[bool, Option("--yes", metavar="", help="Confirm: this cannot be undone.")]
OnlyOf = Annotated[
    str | None,
    Option("--newsletter", metavar="SLUG", help="Only in this newsletter; all of them by default."),
]


@app.command()
def search(
    part: Annotated[str, Argument(metavar="PART", help="An address, or a part.")] = "",
    tag: Annotated[
        str | None, Option(metavar="TAG", help="Only subscribers with this tag.")
    ] = None,
    newsletter: OnlyOf = None,
    limit: common.Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Find subscribers by address, part of it, or tag; newest first."""
    slug = newsletter and list_of(newsletter).slug
    found = container().records.search(part, tag=tag, newsletter=slug, limit=limit)
    answer(found, as_json=as_json, show=lambda: _print_found(found))


@app.command()
def show(email: Email, as_json: AsJson = False) -> None:
    """Show what is known about one subscriber."""
    person = container().records.person(email)
    answer(person, as_json=as_json, show=lambda: _print_person(person))


@app.command()
def history(email: Email, as_json: AsJson = False) -> None:
    """Show one subscriber's history: every consent, change, issue, letter and event."""
    lines = container().people.history(container().records.id_of(email))
    answer(lines, as_json=as_json, show=lambda: _print_history(lines))


@app.command()
def evidence(email: Email, as_json: AsJson = False) -> None:
    """Print the evidence of what a subscriber agreed to, changed, and withdrew."""
    found = container().records.evidence(email)
    now = container().clock.now()
    answer(found, as_json=as_json, show=lambda: print(consent_report(found, now=now)))


@app.command()
def note(
    email: Email,
    text: Annotated[str, Argument(metavar="TEXT", help="The note.")],
    as_json: AsJson = False,
) -> None:
    """Add a note about a subscriber; notes are never changed."""
    person = container().records.person(email)
    container().records.note(person.id, text, actor=actor(), now=container().clock.now())
    answer({"noted": person.email}, as_json=as_json, show=lambda: _said("noted:", person.email))


@app.command()
def tag(
    who: Who,
    tags: Tags,
    newsletter: OnlyOf = None,
    segment: OfSegment = False,
    as_json: AsJson = False,
) -> None:
    """Add tags to a subscriber, or to everybody in a saved segment."""
    changed = _tag(BulkVerb.TAG, who, tags, newsletter, segment=segment)
    answer({"changed": changed}, as_json=as_json, show=lambda: _said(f"{changed:,} tagged:", who))


@app.command()
def untag(
    who: Who,
    tags: Tags,
    newsletter: OnlyOf = None,
    segment: OfSegment = False,
    as_json: AsJson = False,
) -> None:
    """Remove tags from a subscriber, or from everybody in a saved segment."""
    changed = _tag(BulkVerb.UNTAG, who, tags, newsletter, segment=segment)
    answer({"changed": changed}, as_json=as_json, show=lambda: _said(f"{changed:,} untagged:", who))


@app.command()
def edit(
    email: Email,
    name: Annotated[str | None, Option(metavar="TEXT", help="Their name.")] = None,
    zone: Annotated[
        str | None, Option("--timezone", metavar="ZONE", help="Their time zone (IANA).")
    ] = None,
    newsletter: OnlyOf = None,
    as_json: AsJson = False,
) -> None:
    """Correct a subscriber's name or time zone."""
    if name is None and zone is None:
        raise typer.BadParameter("give what to correct: --name or --timezone")
    chosen = _subscriptions(email, newsletter)
    changed = container().people.edit(chosen, name=name, zone=zone, actor=actor())
    text = "corrected" if changed else "nothing to correct for"
    answer({"changed": changed}, as_json=as_json, show=lambda: _said(text, email))


@app.command()
def add(
    email: Email,
    consent: Annotated[
        str, Option(metavar="TEXT", help="Where their consent came from; stored as evidence.")
    ],
    newsletter: Slug = None,
    topics: Annotated[
        str | None, Option(metavar="A,B", help="Topics; everything by default.")
    ] = None,
    name: Annotated[str, Option(metavar="TEXT", help="Their name.")] = "",
    zone: Annotated[
        str | None, Option("--timezone", metavar="ZONE", help="The newsletter's zone by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add one subscriber by hand.

    People who unsubscribed, were erased or are suppressed are not added: only they themselves can
    sign up again.
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
    number = container().records.add(newcomer, actor=actor(), now=container().clock.now())
    answer({"subscription": number}, as_json=as_json, show=lambda: _said("added", email))


@app.command()
def unsubscribe(email: Email, newsletter: OnlyOf = None, as_json: AsJson = False) -> None:
    """Unsubscribe a subscriber who asked for it."""
    ended = container().people.unsubscribe(_subscriptions(email, newsletter), actor=actor())
    text = f"{ended} ended for" if ended else "had already unsubscribed:"
    answer({"ended": ended}, as_json=as_json, show=lambda: _said(text, email))


def _refuse_without(yes: bool) -> None:
    if not yes:
        raise typer.BadParameter("this cannot be undone; confirm with --yes", param_hint="'--yes'")


@app.command()
def merge(
    keep: Annotated[str, Argument(metavar="KEEP", help="The address to write to.")],
    other: Annotated[str, Argument(metavar="OTHER", help="The same person's other address.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Merge two subscribers.

    If either of them unsubscribed, the result is unsubscribed; no record is lost.
    """
    records = container().records
    kept, merged = records.id_of(keep), records.id_of(other)
    _refuse_without(yes)
    records.merge(kept, merged, actor=actor(), now=container().clock.now())
    data, text = {"kept": kept, "merged": merged}, f"{other} is merged into"
    answer(data, as_json=as_json, show=lambda: _said(text, keep))


@app.command()
def erase(email: Email, yes: Yes = False, as_json: AsJson = False) -> None:
    """Erase a person with all consent, changes and events; only a keyed hash remains.

    No import adds the address again; its owner can sign up again. Files outside the database
    (lists, result files, exports, SendGrid's own records) are not erased.
    """
    _refuse_without(yes)
    container().people.erase_address(email, actor=actor())
    answer({"erased": True}, as_json=as_json, show=lambda: console.print("erased"))


def _subscriptions(email: str, newsletter: str | None) -> tuple[Subscription, ...]:
    """Return someone's subscriptions, or that to one newsletter."""
    found = container().records.person(email).subscriptions
    if newsletter is None:
        return found
    slug = list_of(newsletter).slug
    if chosen := tuple(one for one in found if one.newsletter == slug):
        return chosen
    raise NoSuchSubscription(f"This address has no subscription to {slug}.")


def _tag(verb: BulkVerb, who: str, tags: str, newsletter: str | None, *, segment: bool) -> int:
    """Change the tags of one subscriber, or in bulk those of a segment; return how many changed."""
    off, now = verb is BulkVerb.UNTAG, container().clock.now()
    if not segment:
        ids = [one.id for one in _subscriptions(who, newsletter)]
        return container().records.tag(ids, slugs_of(tags), off=off, actor=actor(), now=now)
    from subscribers.records.service import read_tag  # here: help pages need no database

    slug = list_of(newsletter).slug
    chosen = container().segments.get(slug, who).filter
    wanted = tuple(sorted(slugs_of(tags) if off else map(read_tag, slugs_of(tags))))
    choice = BulkChoice(verb=verb, newsletter=slug, tags=wanted)
    found = container().bulk_rows.in_segment(choice, slug, chosen, now=now)
    return container().bulk_changes.change(choice, found, chosen_by=f"segment {who}", actor=actor())


def _said(what: str, email: str) -> None:
    console.print(escape(f"{what} {email}"))


def _print_found(found: Iterable[SearchHit]) -> None:
    table = common.grid(map(_row, found))
    console.print(table if table.row_count else "Nobody was found.")


def _row(one: SearchHit) -> tuple[str, ...]:
    suppressed = "merged" if one.merged else one.suppressed and f"suppressed: {one.suppressed}"
    text = ", ".join(filter(None, [*one.statuses, suppressed]))
    return escape(one.email), escape(one.name), escape(text), f"[dim]{_tags(one.tags)}[/]"


def _print_person(person: Person) -> None:
    console.print(f"[bold]{escape(person.email)}[/] {escape(person.name)}".rstrip())
    console.print(f"  on record since {utc(person.since)}")
    for one in person.subscriptions:
        topics = ", ".join(sorted(one.topics.slugs)).replace("*", "everything")
        text = f"{status_text(one)}, {one.frequency}, topics: {topics}, {one.zone}"
        console.print(f"  {escape(f'{one.newsletter}: {text}')} [dim]{_tags(one.tags)}[/]")
    if one := person.suppression:
        console.print(f"  suppressed: {one.reason}, by {escape(one.source)}, {utc(one.since)}")
    for label, words in (
        ("also known as", person.other_addresses),
        ("signed up, not confirmed", person.pending_signups),
        ("new address, not confirmed", filter(None, [person.new_address])),
    ):
        if text := ", ".join(words):
            console.print(f"  {label}: {escape(text)}")
    for one in person.notes:
        text = f"note of {utc(one.at)}, {one.actor}: {one.detail['note']}"
        console.print(f"  {escape(text)}")


def _print_history(lines: Iterable[HistoryLine]) -> None:
    for one in lines:
        about = f" {one.about}" if one.about else ""
        text = f"{utc(one.at)}  {one.what}{about}, by {one.who}"
        console.print(f"{escape(text)} [dim]{escape(one.detail)}[/]".rstrip())


def _tags(tags: Iterable[str]) -> str:
    return escape(" ".join(f"#{tag}" for tag in tags))
