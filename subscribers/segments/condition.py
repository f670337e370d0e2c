"""A segment's filter as a condition in SQL; `Filter.matches` specifies it for one subscription."""

from collections.abc import Iterator, Mapping
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

_TOPICS = """topic_set_id IN (
    SELECT topic_set.id FROM topic_set WHERE slugs && %(segment_topics)s::text[])"""
_ZONES = "(zone = ANY(%(segment_zones)s::text[]) OR zone ^@ ANY(%(segment_areas)s::text[]))"
_SOURCE = "(source = %(segment_source)s OR source ^@ %(segment_source_begins)s)"


_Part = tuple[str, Mapping[str, object]]


def condition(
    newsletter: str, chosen: Filter, today: date, *, suppressed: str = _SUPPRESSED
) -> Condition:
    """Return the condition that a subscription of this newsletter is in the segment."""
    parts: list[_Part] = [
        ("subscription.newsletter = %(segment_newsletter)s", {"segment_newsletter": newsletter}),
        ("subscription.undone_at IS NULL", {}),
        *_choices(chosen, suppressed),
        *_tags(chosen),
        *_origin(chosen, today),
        *_engagement(chosen, today),
    ]
    values = {name: value for _, given in parts for name, value in given.items()}
    return Condition(" AND ".join(f"({sql})" for sql, _ in parts), values)


def _choices(chosen: Filter, suppressed: str) -> Iterator[_Part]:
    if chosen.topics:
        yield _TOPICS, {"segment_topics": sorted({*chosen.topics, EVERYTHING})}
    if chosen.status:
        yield STATES[chosen.status].format(suppressed), {}
    if chosen.frequency:
        yield "frequency = %(segment_frequency)s", {"segment_frequency": chosen.frequency.value}
    if chosen.zones:
        zones = sorted(chosen.zones)
        yield _ZONES, {"segment_zones": zones, "segment_areas": [f"{zone}/" for zone in zones]}


def _tags(chosen: Filter) -> Iterator[_Part]:
    if chosen.tags:
        yield "tags && %(segment_tags)s::text[]", {"segment_tags": sorted(chosen.tags)}
    if chosen.tags_all:
        yield "tags @> %(segment_tags_all)s::text[]", {"segment_tags_all": sorted(chosen.tags_all)}
    if chosen.tags_none:
        none = {"segment_tags_none": sorted(chosen.tags_none)}
        yield "NOT tags && %(segment_tags_none)s::text[]", none


def _origin(chosen: Filter, today: date) -> Iterator[_Part]:
    if chosen.source:
        given = {"segment_source": chosen.source, "segment_source_begins": f"{chosen.source} "}
        yield _SOURCE, given
    since, before = joined_within(chosen, today)
    if since:
        yield "subscription.created_at >= %(segment_since)s", {"segment_since": since}
    if before:
        yield "subscription.created_at < %(segment_before)s", {"segment_before": before}


def _engagement(chosen: Filter, today: date) -> Iterator[_Part]:
    if chosen.engaged_within is not None:
        day = today - timedelta(days=chosen.engaged_within)
        yield "engaged_on >= %(segment_engaged)s", {"segment_engaged": day}
    if chosen.not_engaged_within is not None:
        day = today - timedelta(days=chosen.not_engaged_within)
        yield "coalesce(engaged_on < %(segment_inactive)s, true)", {"segment_inactive": day}
