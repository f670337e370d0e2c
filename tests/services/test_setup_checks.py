"""Checks run side by side: one that hangs or breaks off takes no other with it."""

import threading
from collections.abc import Iterator

import pytest

from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupGrade, SetupSubject
from newsletter.errors import ConfigurationError, SendGridUnavailable
from newsletter.services.setup_checks import AskedOnce, SetupCheck, run_checks

WELL = SetupSubject(SetupArea.DNS, "well")


def fine() -> Iterator[SetupFinding]:
    yield WELL.ok("it is")


def failing(error: Exception) -> Iterator[SetupFinding]:
    yield WELL.ok("so far")
    raise error


@pytest.mark.parametrize(
    ("error", "grade"),
    [
        (SendGridUnavailable("SendGrid does not answer"), SetupGrade.UNKNOWN),
        (ConfigurationError("it is not set"), SetupGrade.FAIL),
        (ZeroDivisionError(), SetupGrade.UNKNOWN),
    ],
)
def test_what_breaks_off_takes_no_other_with_it(error: Exception, grade: SetupGrade) -> None:
    broken = SetupCheck(SetupSubject(SetupArea.PUBLIC, "broken"), lambda: failing(error))
    found = run_checks([broken, SetupCheck(WELL, fine)], seconds=30)
    assert [(one.subject, one.grade) for one in found] == [
        ("well", SetupGrade.OK),  # in the order of the areas
        ("broken", grade),
    ]


def test_what_does_not_answer_in_time_could_not_be_found_out() -> None:
    release = threading.Event()

    def hang() -> Iterator[SetupFinding]:
        release.wait()
        yield WELL.ok("late")

    found = run_checks([SetupCheck(WELL, hang), SetupCheck(WELL, fine)], seconds=0.2)
    release.set()
    assert [one.sentence for one in found] == ["no answer within 0 seconds", "it is"]


def test_checks_run_at_once() -> None:
    both = threading.Barrier(2)

    def meet() -> Iterator[SetupFinding]:
        both.wait(timeout=30)
        yield WELL.ok("met")

    found = run_checks([SetupCheck(WELL, meet)] * 2, seconds=30)
    assert {one.sentence for one in found} == {"met"}


def test_what_several_need_is_asked_once_and_its_error_is_theirs() -> None:
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        raise ConfigurationError("there is no key")

    once = AskedOnce(ask)
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            once()
    assert asked == [1]
