"""Other ways to send the same letter, over the same sink."""

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

from newsletter.bootstrap import House
from newsletter.core.edition import edition_for
from newsletter.core.mailing import personal
from newsletter.core.stored import FiledIssue
from newsletter.rendering.renderer import Renderer
from newsletter.settings import shipped
from subscribers.model import TopicSet
from tests.bench.floors import claim_of, whole_letter
from tests.bench.measure import watch
from tests.bench.place import SLUG
from tests.bench.sink import Sink

#: Made by `make bench`, for this comparison alone.
DJANGO = Path(__file__).parents[2] / "build/bench/bin/python"
_SCRIPT = Path(__file__).with_name("anymail_batch.py")


def naive(house: House, filed: FiledIssue, *, readers: int) -> float:
    """Render, compile, inline and post for one reader after another; return recipients/s."""
    newsletter, renderer = house.settings.newsletter(SLUG), Renderer(shipped("templates"))
    slugs, (envelope, _) = newsletter.topic_slugs, whole_letter(house, filed)
    with watch() as posting:
        for number in range(readers):
            edition = edition_for(filed.issue, TopicSet.of([slugs[number % len(slugs)]]))
            assert edition
            only = filed.issue.only(edition.brief_ids)
            letter = renderer.direct(newsletter, only, edition, view_url="https://example.com/")
            house.mailer.send(envelope, letter, claim_of(1))
    return readers / posting.seconds


def anymail(house: House, filed: FiledIssue, sink: Sink, *, readers: int) -> float | None:
    """Send with django-anymail, 1,000 a message; return recipients/s, None where it is missing."""
    if not DJANGO.exists():
        return None
    envelope, letter = whole_letter(house, filed)
    size = min(1000, readers)
    task = {
        "url": sink.url,
        "messages": max(1, readers // size),
        "letter": asdict(letter),
        "readers": {
            one.email: asdict(personal(envelope, one)) for one in claim_of(size).recipients
        },
    }
    sink.counts()
    done = subprocess.run(
        [DJANGO, _SCRIPT], input=json.dumps(task), capture_output=True, text=True, check=True
    )
    assert sink.counts().recipients == task["messages"] * size
    return task["messages"] * size / float(done.stdout)
