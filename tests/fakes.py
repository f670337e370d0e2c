"""Doubles of ports: small, and tested by the same contract as the real implementations."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from newsletter.core.delivery import Accepted, Claim, Outcome
from newsletter.core.edition import Letter
from newsletter.core.mailing import Envelope


class FakeClock:
    """A clock that a test sets."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 10, tzinfo=UTC)) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def pass_time(self, **by: float) -> None:
        self.time += timedelta(**by)


class FakeMailer:
    """A mailer that returns prepared outcomes, and records its calls."""

    def __init__(self, *answers: Outcome | Callable[[Claim], Outcome]) -> None:
        self.answers = list(answers)  #: used up one by one; after the last, all is accepted
        self.asked: list[tuple[Envelope, Letter, Claim]] = []
        self.trouble: str | None = None  #: what `obstacle` returns

    def send(self, envelope: Envelope, letter: Letter, claim: Claim) -> Outcome:
        self.asked.append((envelope, letter, claim))
        answer = self.answers.pop(0) if self.answers else None
        if answer is None:
            return Accepted(message_id=f"message-{len(self.asked)}")
        return answer(claim) if callable(answer) else answer

    def obstacle(self) -> str | None:
        return self.trouble

    @property
    def addresses(self) -> list[str]:
        """Every address that was asked for, in order, repeats included."""
        return [r.email for _, _, claim in self.asked for r in claim.recipients]


class FakeQueue:
    """A queue whose worker is the test itself."""

    def __init__(self) -> None:
        self.jobs: dict[int, datetime | None] = {}
        self.send_batches: Callable[[Iterable[int]], None] = lambda _: None
        self.patience: FakeClock | None = None  #: whose time passes while a worker waits

    def on_batches(self, send_batches: Callable[[Iterable[int]], None]) -> None:
        self.send_batches = send_batches

    def enqueue(
        self,
        batch_ids: Iterable[int],
        *,
        at: datetime | None = None,
        unless_running: bool = False,
    ) -> None:
        del unless_running  # its worker has one batch at a time, which is claimed
        for batch_id in batch_ids:
            self.jobs.setdefault(batch_id, at)

    def wait(self, seconds: float) -> bool:
        if self.patience:
            self.patience.pass_time(seconds=seconds)
        return self.patience is not None

    def work(self, *, until_empty: bool) -> None:
        assert until_empty
        self.send_batches(self._waiting())

    def _waiting(self) -> Iterator[int]:
        while self.jobs:
            yield self.jobs.popitem()[0]

    def stop(self) -> None:
        self.jobs.clear()
