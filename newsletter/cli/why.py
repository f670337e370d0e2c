"""`newsletter why`: what happened to one person's letter, or why there was none."""

from typing import TYPE_CHECKING, Annotated

from rich.markup import escape
from typer import Argument

from newsletter.cli.common import AsJson, Date, Slug, answer, console, container, issue_of, minute

if TYPE_CHECKING:
    from newsletter.services.explain import Explanation


def why(
    email: Annotated[str, Argument(help="The subscriber's address.")],
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Explain what happened to a person's letter, or why there was none."""
    which, on = issue_of(newsletter, date)
    found = container().explaining.why(which, email, on)
    data = {
        "email": email,
        "answer": found.sentence,
        "issue": found.issue and {"id": found.issue.id, "date": found.issue.issue.date},
        "subscription": found.subscription,
        "suppression": found.suppression,
        "delivery": found.record,
    }
    answer(data, as_json=as_json, show=lambda: _print(found))


def _print(found: "Explanation") -> None:
    console.print(f"[bold]{escape(found.sentence)}[/]")
    if subscription := found.subscription:
        topics = ", ".join(sorted(subscription.topics.slugs)).replace("*", "everything")
        console.print(f"  subscription {subscription.id}: {subscription.status}, topics: {topics}")
    if suppression := found.suppression:
        console.print(
            f"  suppressed: {suppression.reason}, by {suppression.source}, "
            f"since {minute(suppression.since)}"
        )
    record = found.record
    if record is None or record.place is None:
        return
    console.print(
        f"  delivery {record.place} of issue {record.number}, edition {record.edition_key} "
        f"(briefs {', '.join(map(str, record.brief_ids))}), "
        f"batch {record.batch_id}: {record.batch_state}"
    )
    for attempt in record.attempts:
        said = attempt["reason"] or attempt["message_id"] or ""
        console.print(
            f"  attempt {attempt['number']}, {attempt['started_at']:%H:%M:%S %Z}: "
            f"{attempt['outcome'] or 'no answer yet'} {escape(said)}".rstrip()
        )
    for event in record.events:
        said = escape(event["reason"] or event["response"] or "")
        console.print(f"  {event['at']:%H:%M:%S %Z} {event['kind']} [dim]{said}[/]")
