"""A segment's filter as a condition in SQL; `Filter.matches` specifies it for one subscription."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from subscribers.model import EVERYTHING
from subscribers.segments.filters import Filter, SubscriberState, joined_within
from subscribers.segments.issues import IssueRef


class Condition(NamedTuple):
    """A condition on `subscription`, and the values it names; each name begins with `segment_`."""

    sql: str
    values: Mapping[str, object]


_SUPPRESSED = """EXISTS (
    SELECT FROM subscriber AS addressee JOIN suppression USING (email_key)
    WHERE addressee.id = subscription.subscriber_id)"""

#: As `subscribers.rules.audience.exclusion` and the view `audience` have it; {} is whether the
#: address is suppressed.
STATES = {
    SubscriberState.MAILABLE: "status = 'active' AND paused_at IS NULL AND NOT {}",
    SubscriberState.ACTIVE: "status = 'active'",
    SubscriberState.PAUSED: "status = 'active' AND paused_at IS NOT NULL AND NOT {}",
    SubscriberState.ENDED: "status <> 'active' AND NOT {}",
    SubscriberState.SUPPRESSED: "{}",
}

_DOMAIN = """subscription.subscriber_id {} (
    SELECT at_domain.id FROM subscriber AS at_domain
     WHERE substring(at_domain.email_key FROM '[^@]*$') = ANY(%(segment_{})s::text[]))"""

# The issues are looked up first, so that only their deliveries are read: see the views
# `issue_left`, `issue_reader` and `story_reader`. Nobody counts who merely has a machine.
_ISSUES = """ARRAY(
    SELECT issue_left.id FROM issue_left
      JOIN unnest(%(segment_{0}_of)s::text[], %(segment_{0}_on)s::date[], %(segment_{0})s::bigint[])
           AS asked (newsletter, date, latest)
        ON asked.newsletter = issue_left.newsletter
       AND (asked.date = issue_left.date OR issue_left.latest <= asked.latest))"""
_DID = f"""subscription.subscriber_id IN (
    SELECT reader.subscriber_id FROM issue_reader AS reader
     WHERE reader.issue_id = ANY({_ISSUES}) AND {{1}})"""
_DID_NOT = f"""subscription.subscriber_id IN (
    SELECT reader.subscriber_id FROM issue_reader AS reader
     WHERE reader.issue_id = ANY({_ISSUES})
     GROUP BY reader.subscriber_id HAVING NOT bool_or({{1}}))"""

# By the value that a filter must give for it to apply.
_CONDITIONS = {
    "newsletter": "subscription.newsletter = %(segment_newsletter)s",
    "topics": """topic_set_id IN (
        SELECT topic_set.id FROM topic_set WHERE slugs && %(segment_topics)s::text[])""",
    "frequency": "frequency = %(segment_frequency)s",
    "zones": """zone = ANY(%(segment_zones)s::text[])
        OR zone ^@ ANY(%(segment_areas)s::text[])""",
    # As the index `subscription_tags` has it, in which only those with a tag are.
    "tags": "tags <> '{}' AND tags && %(segment_tags)s::text[]",
    "tags_all": "tags <> '{}' AND tags @> %(segment_tags_all)s::text[]",
    "tags_none": "NOT tags && %(segment_tags_none)s::text[]",
    "source": "source = %(segment_source)s OR source ^@ %(segment_source_begins)s",
    "since": "subscription.created_at >= %(segment_since)s",
    "before": "subscription.created_at < %(segment_before)s",
    "engaged": "engaged_on >= %(segment_engaged)s",
    "inactive": "coalesce(engaged_on < %(segment_inactive)s, true)",
    "domains": _DOMAIN.format("IN", "domains"),
    "not_domains": _DOMAIN.format("NOT IN", "not_domains"),
    "received": _DID.format("received", "true"),
    "opened": _DID.format("opened", "reader.opened"),
    "not_opened": _DID_NOT.format("not_opened", "reader.opened"),
    "clicked": _DID.format("clicked", "reader.clicked"),
    "not_clicked": _DID_NOT.format("not_clicked", "reader.clicked"),
    "clicked_stories": """subscription.subscriber_id IN (
        SELECT reader.subscriber_id FROM story_reader AS reader
         WHERE reader.brief_id = ANY(%(segment_clicked_stories)s::bigint[]))""",
}


def condition(
    newsletter: str, chosen: Filter, today: date, *, suppressed: str = _SUPPRESSED
) -> Condition:
    """Return the condition that a subscription of this newsletter is in the segment."""
    own = _condition(newsletter, chosen, today, suppressed)
    found = [
        _renamed(_condition(newsletter, one, today, suppressed), f"segment_{number}_")
        for number, one in enumerate(chosen.any_of, start=1)
    ]
    if not found:
        return own
    among = " OR ".join(f"({one.sql})" for one in found)
    values = {name: value for one in found for name, value in one.values.items()}
    return Condition(f"{own.sql} AND ({among})", {**own.values, **values})


def _condition(newsletter: str, chosen: Filter, today: date, suppressed: str) -> Condition:
    values = _values(newsletter, chosen, today)
    parts = ["subscription.undone_at IS NULL"]
    parts += [sql for name, sql in _CONDITIONS.items() if values[name]]
    if chosen.status:
        parts.append(STATES[chosen.status].format(suppressed))
    return Condition(
        " AND ".join(f"({sql})" for sql in parts),
        {f"segment_{name}": value for name, value in values.items() if value},
    )


def _renamed(one: Condition, begin: str) -> Condition:
    """Return a condition whose values have names of their own, beside those of others."""
    return Condition(
        one.sql.replace("%(segment_", f"%({begin}"),
        {name.replace("segment_", begin, 1): value for name, value in one.values.items()},
    )


def _values(newsletter: str, chosen: Filter, today: date) -> dict[str, object]:
    since, before = joined_within(chosen, today)
    return {
        "newsletter": newsletter,
        "topics": chosen.topics and sorted({*chosen.topics, EVERYTHING}),
        "frequency": chosen.frequency and chosen.frequency.value,
        "zones": sorted(chosen.zones),
        "areas": [f"{zone}/" for zone in sorted(chosen.zones)],
        "tags": sorted(chosen.tags),
        "tags_all": sorted(chosen.tags_all),
        "tags_none": sorted(chosen.tags_none),
        "source": chosen.source,
        "source_begins": f"{chosen.source} ",
        "since": since,
        "before": before,
        "engaged": _days_before(today, chosen.engaged_within),
        "inactive": _days_before(today, chosen.not_engaged_within),
        "domains": sorted(chosen.domains),
        "not_domains": sorted(chosen.not_domains),
        "clicked_stories": sorted(chosen.clicked_stories),
    } | _issues(newsletter, chosen)


def _issues(newsletter: str, chosen: Filter) -> dict[str, object]:
    asked: dict[str, Iterable[IssueRef]] = {
        "received": chosen.received,
        "opened": chosen.opened,
        "not_opened": chosen.not_opened,
        "clicked": chosen.clicked,
        "not_clicked": chosen.not_clicked,
    }
    values: dict[str, object] = {}
    for name, refs in asked.items():
        listed = sorted(refs, key=str)
        values[name] = [one.latest for one in listed]
        values[f"{name}_of"] = [one.newsletter or newsletter for one in listed]
        values[f"{name}_on"] = [one.day for one in listed]
    return values


def _days_before(today: date, days: int | None) -> date | None:
    return None if days is None else today - timedelta(days=days)
