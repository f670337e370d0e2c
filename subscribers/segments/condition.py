"""A segment's filter as a condition in SQL; `Filter.matches` specifies it for one subscription."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from subscribers.model import EVERYTHING
from subscribers.segments.filters import Filter, SubscriberState, joined_within


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

# By the value that a filter must give for it to apply.
_CONDITIONS = {
    "newsletter": "subscription.newsletter = %(segment_newsletter)s",
    "topics": """topic_set_id IN (
        SELECT topic_set.id FROM topic_set WHERE slugs && %(segment_topics)s::text[])""",
    "frequency": "frequency = %(segment_frequency)s",
    "zones": """zone = ANY(%(segment_zones)s::text[])
        OR zone ^@ ANY(%(segment_areas)s::text[])""",
    "tags": "tags && %(segment_tags)s::text[]",
    "tags_all": "tags @> %(segment_tags_all)s::text[]",
    "tags_none": "NOT tags && %(segment_tags_none)s::text[]",
    "source": "source = %(segment_source)s OR source ^@ %(segment_source_begins)s",
    "since": "subscription.created_at >= %(segment_since)s",
    "before": "subscription.created_at < %(segment_before)s",
    "engaged": "engaged_on >= %(segment_engaged)s",
    "inactive": "coalesce(engaged_on < %(segment_inactive)s, true)",
}


def condition(
    newsletter: str, chosen: Filter, today: date, *, suppressed: str = _SUPPRESSED
) -> Condition:
    """Return the condition that a subscription of this newsletter is in the segment."""
    values = _values(newsletter, chosen, today)
    parts = ["subscription.undone_at IS NULL"]
    parts += [sql for name, sql in _CONDITIONS.items() if values[name]]
    if chosen.status:
        parts.append(STATES[chosen.status].format(suppressed))
    return Condition(
        " AND ".join(f"({sql})" for sql in parts),
        {f"segment_{name}": value for name, value in values.items() if value},
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
    }


def _days_before(today: date, days: int | None) -> date | None:
    return None if days is None else today - timedelta(days=days)
