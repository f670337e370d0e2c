"""A day of the technology newsletter: four briefs in, one held, readers, and a staff mailer."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from newsletter.core.brief import Source
from newsletter.core.delivery import Accepted
from newsletter.core.publication import ApprovalPolicy, Newsletter
from newsletter.core.staff import Grant, Permission
from newsletter.core.transactional import TransactionalMessage
from tests.container import TODAY, TestContainer, brief
from tests.settings import TECHNOLOGY
from tests.web.console.serving import OWN_SLUG, console_container

ISSUE = f"/{OWN_SLUG}/issues/{TODAY}"
MARKETER = tuple(
    Grant(permission=one, newsletter=OWN_SLUG)
    for one in (Permission.EDIT, Permission.APPROVE, Permission.KEEP_LIST)
)
READERS = {f"r{n}@example.com": ("chips", "chips;policy", "")[n % 3] for n in range(12)}
HELD = brief("policy", source=Source(name="Example Wire", url=""))  #: it has no link


class StaffMailerDouble:
    """Accepts every test letter, and keeps it."""

    def __init__(self) -> None:
        self.asked: list[TransactionalMessage] = []

    def send_test(self, message: TransactionalMessage) -> Accepted:
        self.asked.append(message)
        return Accepted(message_id=f"test-{len(self.asked)}")


def day_of_practice(
    engine: Engine, url: str, folder: Path, newsletter: Newsletter = TECHNOLOGY, **sending: Any
) -> TestContainer:
    """Return a container in practice with a draft set this morning, before it is approved."""
    newsletter = replace(newsletter, approval=ApprovalPolicy.PERSON)
    host = "http://127.0.0.1:9"
    made = console_container(engine, url, host=host, newsletter=newsletter, **sending)
    made.staff_mailer = StaffMailerDouble()
    made.receive("chips", "security", "software")
    made.intake.receive(HELD)
    # One chose what is not in it, which is to be looked at.
    made.subscribe(folder, READERS | {"robot@example.com": "robotics"})
    made.publishing.assemble(newsletter, TODAY)
    return made


def send_batches(container: TestContainer, most: int = 1) -> None:
    """Have the worker take so many batches."""
    for batch_id in list(container.queue.jobs)[:most]:
        container.queue.jobs.pop(batch_id)
        container.sending.send_batches([batch_id])


def titles(container: TestContainer) -> list[str]:
    """Return the titles of the stored issue's stories, in their order."""
    stored = container.publishing.issue(container.newsletter, TODAY)
    return [entry.brief.title for entry in stored.issue.entries]


def state(container: TestContainer) -> str:
    return container.publishing.issue(container.newsletter, TODAY).state.value


def receive_later(container: TestContainer, topic: str) -> None:
    """Take one more brief in, and set the draft anew with it."""
    container.clock.time += timedelta(minutes=1)
    container.receive(topic)
    container.publishing.assemble(container.newsletter, TODAY)


def go_to(moment: str, container: TestContainer) -> None:
    """Bring the day's draft to a later moment of it."""
    newsletter = container.newsletter
    if moment == "skipped":
        container.skipped_days.skip(newsletter, TODAY, because="a feast", actor="test")
    if moment == "empty":
        container.query("UPDATE issue SET state = 'missed', content_hash = NULL RETURNING id")
    if moment in {"draft", "skipped", "empty"}:
        return
    approved = container.publishing.approve(newsletter, TODAY, actor="test", expecting=None)
    if moment == "sent by hand":
        container.sending_by_hand.send(
            newsletter, TODAY, approved_hash=approved.approved_hash or "", actor="test"
        )
    if moment in {"approved", "sent by hand"}:
        return
    stored = container.plan_issue()
    send_batches(container, 1)
    if moment == "stopped":
        container.sending_limits.pause(stored, actor="test", because="a look")
    if moment == "sent":
        container.queue.work(until_empty=True)
