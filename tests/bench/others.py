"""Other ways to send the same letter, over the same sink."""

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

from newsletter.container import Container
from newsletter.core.edition import edition_for
from newsletter.core.mailing import personal
from newsletter.core.stored import StoredIssue
from newsletter.rendering.renderer import IssueRenderer
from newsletter.settings import shipped
from subscribers.model import TopicSet
from tests.bench.baselines import claim_of, whole_letter
from tests.bench.installation import SLUG
from tests.bench.measure import stopwatch
from tests.bench.sink import Sink

#: Made by `make bench`, for this comparison alone.
DJANGO = Path(__file__).parents[2] / "build/bench/bin/python"
_SCRIPT = Path(__file__).with_name("anymail_batch.py")


def naive(container: Container, stored: StoredIssue, *, readers: int) -> float:
    """Render, compile, inline and post for one reader after another; return recipients/s."""
    newsletter, renderer = container.settings.newsletter(SLUG), IssueRenderer(shipped("templates"))
    slugs, (envelope, _) = newsletter.topic_slugs, whole_letter(container, stored)
    with stopwatch() as posting:
        for number in range(readers):
            edition = edition_for(stored.issue, TopicSet.of([slugs[number % len(slugs)]]))
            assert edition
            only = stored.issue.only(edition.brief_ids)
            letter = renderer.direct(newsletter, only, edition, view_url="https://example.com/")
            container.mailer.send(envelope, letter, claim_of(1))
    return readers / posting.seconds


def anymail(container: Container, stored: StoredIssue, sink: Sink, *, readers: int) -> float | None:
    """Send with django-anymail, 1,000 a message; return recipients/s, None where it is missing."""
    if not DJANGO.exists():
        return None
    envelope, letter = whole_letter(container, stored)
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
