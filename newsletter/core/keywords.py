"""Keyword rules: which of a newsletter's topics a brief is about."""

import re
from collections.abc import Iterable
from functools import lru_cache

from newsletter.core.brief import Brief, brief_key
from newsletter.core.publication import Newsletter, Topic

MOST_TOPICS = 3  #: a brief suggested for everything is chosen for nothing
_TITLE, _SUMMARY, _BODY = 4, 2, 1  # what one keyword weighs, by where it stands
_ENOUGH = 2  # keywords that count in one place: more of them only say the same again
_SHARE = 4  # a further topic needs at least this fraction (1/4) of the best one's weight
_ACRONYM = re.compile(r"[A-Z]{2,4}")


def suggest_topics(newsletter: Newsletter, brief: Brief) -> tuple[str, ...]:
    """Return the author's topics that the newsletter knows, else those its keywords suggest.

    The author's keep the author's order; suggested ones come best first, ties as the newsletter
    lists them.
    """
    known = newsletter.topic_slugs
    chosen = tuple(dict.fromkeys(slug for slug in brief.topics if slug in known))
    return chosen or _suggested(newsletter, brief)


def named_topics(newsletter: Newsletter, terms: Iterable[str]) -> tuple[str, ...]:
    """Return terms with a topic's slug for its printed title, and without the pillar's own name.

    A term that names no topic stays, for the gate to remark on.
    """
    slugs = {brief_key(topic.title): topic.slug for topic in newsletter.topics}
    slugs |= {brief_key(slug): slug for slug in newsletter.topic_slugs}
    whole = {brief_key(name) for name in (newsletter.pillar, newsletter.name, newsletter.slug)}
    named = ((term, brief_key(term.replace("_", " "))) for term in terms)
    kept = (slugs.get(key, term) for term, key in named if key in slugs or key not in whole)
    return tuple(dict.fromkeys(kept))


def _suggested(newsletter: Newsletter, brief: Brief) -> tuple[str, ...]:
    body = re.sub(r"<[^>]*>", "", " ".join(brief.body))
    places = ((brief.title, _TITLE), (f"{brief.summary} {brief.why}", _SUMMARY), (body, _BODY))
    weights = {topic.slug: _weight(topic, places) for topic in newsletter.topics}
    best = max(weights.values(), default=0)
    fit = [slug for slug, weight in weights.items() if weight and weight * _SHARE >= best]
    return tuple(sorted(fit, key=lambda slug: -weights[slug])[:MOST_TOPICS])


def _weight(topic: Topic, places: tuple[tuple[str, int], ...]) -> int:
    patterns = [_pattern(keyword) for keyword in topic.keywords]
    found = ((worth, sum(bool(p.search(text)) for p in patterns)) for text, worth in places)
    return sum(worth * min(count, _ENOUGH) for worth, count in found)


@lru_cache(maxsize=4096)
def _pattern(keyword: str) -> re.Pattern[str]:
    """Return what finds the keyword as whole words; a short acronym only in capitals."""
    words = r"\s+".join(re.escape(word) for word in keyword.split())
    case = re.NOFLAG if _ACRONYM.fullmatch(keyword) else re.IGNORECASE
    return re.compile(rf"(?<!\w){words}(?!\w)", case)
