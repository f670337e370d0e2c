"""The rule for one silence, and the SQL held to it."""

from datetime import UTC, date, datetime
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from subscribers.model import Suppression, SuppressionReason
from subscribers.rules.sunset import Silence, Step, step
from tests.sunset.place import DAY, POLICY, Place, open_place

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOW.date()


def silence(heard: int, asked: int | None = None) -> Silence:
    """Return a silence since so many days, in which it was asked so many days ago."""
    return Silence(
        subscription_id=1,
        subscriber_id=1,
        heard_on=TODAY - heard * DAY,
        engaged_on=None,
        asked_at=None if asked is None else NOW - asked * DAY,
    )


@pytest.mark.parametrize(
    ("one", "letters", "arrived", "expected"),
    [
        (silence(89), 9, False, None),
        (silence(90), 9, False, Step.ASK),
        (silence(90), 2, False, None),  # too few letters: silence says nothing
        (silence(100, asked=13), 9, True, None),
        (silence(100, asked=14), 9, True, Step.PAUSE),
        (silence(100, asked=14), 0, True, Step.PAUSE),
        (silence(100, asked=14), 9, False, Step.ASK),  # the question itself never arrived
        (silence(91, asked=100), 9, True, Step.ASK),  # answered then, and silent again
        (silence(100, asked=100), 9, True, Step.ASK),  # answered on the very day
        (silence(50, asked=60), 9, True, None),  # answered
    ],
)
def test_the_ladder(one: Silence, letters: int, arrived: bool, expected: Step | None):
    assert step(one, POLICY, NOW, letters=letters, arrived=arrived) is expected


AGO = st.sampled_from([None, 0, 13, 14, 15, 89, 90, 91, 200])
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "joined": st.sampled_from([0, 50, 90, 300]),
            "came": st.sampled_from([None, None, 0, 91]),  # with a list, so many days ago
            "engaged": AGO,
            "own_act": st.sampled_from([None, None, 14, 90]),
            "asked": AGO,
            "letters": st.sampled_from([0, 2, 3, 5]),
            "arrived": st.booleans(),
            "stands": st.sampled_from(["", "", "", "ended", "paused", "suppressed"]),
        }
    ),
    min_size=1,
    max_size=8,
)
_serial = count()


@pytest.mark.postgres
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(people=PEOPLE)
def test_a_go_does_what_the_rule_says_for_each(engine: Engine, tmp_path, people):
    place = open_place(engine)
    place.house.clock.time = NOW
    place.run("DELETE FROM subscription; DELETE FROM delivery; DELETE FROM correspondence")
    emails = {f"r{next(_serial)}@example.com": said for said in people}
    place.house.subscribe(tmp_path, dict.fromkeys(emails, ""))
    for email, said in emails.items():
        make_so(place, email, said)

    expected = {email: told(said) for email, said in emails.items()}
    steps = list(expected.values())
    counted = place.sunset.count(place.house.newsletter)
    assert (counted.asked, counted.paused) == (steps.count(Step.ASK), steps.count(Step.PAUSE))
    assert place.go() == (counted.asked, counted.paused)

    for email, what in expected.items():
        one = place.reader(email)
        assert (one.paused_at == NOW) == (what is Step.PAUSE), (email, emails[email])
        [[asked_at]] = place.run("SELECT asked_at FROM subscription WHERE id = :id", id=one.id)
        assert (asked_at == NOW and emails[email]["asked"] != 0) == (what is Step.ASK)


def told(said) -> Step | None:
    if said["stands"]:
        return None
    heard = min(
        said[sign] for sign in ("joined", "came", "engaged", "own_act") if said[sign] is not None
    )
    one = silence(heard, said["asked"])
    return step(one, POLICY, NOW, letters=said["letters"], arrived=said["arrived"])


def make_so(place: Place, email: str, said) -> None:
    one = place.reader(email)

    def moment(ago: int | None) -> datetime | None:
        return None if ago is None else NOW - ago * DAY

    engaged: date | None = None if said["engaged"] is None else TODAY - said["engaged"] * DAY
    place.run(
        """UPDATE subscription SET created_at = :joined, engaged_on = :engaged, asked_at = :asked,
                  status = CASE :stands WHEN 'ended' THEN 'ended' ELSE 'active' END,
                  paused_at = CASE :stands WHEN 'paused' THEN CAST(:paused AS timestamptz) END,
                  import_id = :came
            WHERE id = :id""",
        id=one.id,
        came=None if said["came"] is None else place.list_of(said["came"]),
        joined=moment(said["joined"]),
        engaged=engaged,
        asked=moment(said["asked"]),
        stands=said["stands"],
        paused=NOW - DAY,
    )
    if said["own_act"] is not None:
        place.run(
            """INSERT INTO change (subscriber_id, newsletter, at, actor, what)
               VALUES (:id, 'technology', :at, 'subscriber', 'frequency')""",
            id=one.subscriber_id,
            at=moment(said["own_act"]),
        )
    if said["asked"] is not None and said["arrived"]:
        place.run(
            """INSERT INTO correspondence (newsletter, kind, refers, created_at, state)
               VALUES ('technology', 'still_wanted', :id, :at, 'accepted')""",
            id=one.id,
            at=moment(said["asked"]),
        )
    if said["stands"] == "suppressed":
        bounced = Suppression(
            email=email, reason=SuppressionReason.BOUNCE, source="test", since=NOW
        )
        place.house.subscriptions.suppress([bounced])
    place.letters(one, said["letters"])
