"""Runs checks of an installation side by side, each within a time limit."""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Generic, TypeVar

from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupSubject
from newsletter.errors import ConfigurationError, NewsletterError, SendGridUnavailable
from subscribers.errors import SubscribersError

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class SetupCheck:
    """A group of questions that are asked one after another."""

    about: SetupSubject
    ask: Callable[[], Iterable[SetupFinding]]


class AskedOnce(Generic[T]):
    """Asks when it is first called, for all checks that need the answer; an error is kept, too."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask, self._lock = ask, Lock()
        self._answer: Future[T] | None = None

    def __call__(self) -> T:
        with self._lock:
            if self._answer is None:
                self._answer = _answered(self._ask)
        return self._answer.result()


def run_checks(checks: Sequence[SetupCheck], *, seconds: float) -> tuple[SetupFinding, ...]:
    """Run all at once and return what they found, in their order and that of the areas.

    What has not answered in time could not be found out, and is left to itself: its thread does
    not keep the process alive.
    """
    asked = [(one, _started(one)) for one in checks]
    wait([future for _, future in asked], timeout=seconds)
    found = [finding for one, future in asked for finding in _findings(one, future, seconds)]
    order = list(SetupArea)
    return tuple(sorted(found, key=lambda one: order.index(one.area)))


def _started(one: SetupCheck) -> Future[tuple[SetupFinding, ...]]:
    future: Future[tuple[SetupFinding, ...]] = Future()

    def work() -> None:
        _answer(future, lambda: tuple(one.ask()))

    Thread(target=work, name=f"check {one.about.subject}", daemon=True).start()
    return future


def _answered(ask: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()
    _answer(future, ask)
    return future


def _answer(future: Future[T], ask: Callable[[], T]) -> None:
    try:
        future.set_result(ask())
    except Exception as error:  # noqa: BLE001  # it is raised where the answer is asked for
        future.set_exception(error)


def _findings(
    one: SetupCheck, future: Future[tuple[SetupFinding, ...]], seconds: float
) -> tuple[SetupFinding, ...]:
    try:
        return future.result(timeout=0)
    except TimeoutError:
        return (one.about.unknown(f"no answer within {seconds:.0f} seconds", "try again"),)
    except SendGridUnavailable as error:
        return (one.about.unknown(str(error), "give the key this right, or look at SendGrid"),)
    except (NewsletterError, SubscribersError, ConfigurationError) as error:
        return (one.about.fail(str(error), "mend what it names"),)
    except Exception as error:  # noqa: BLE001  # the other checks still have answers
        _log.exception("a check broke off", extra={"action": "doctor.failed"})
        return (one.about.unknown(f"it broke off: {type(error).__name__}"),)
