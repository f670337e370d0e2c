"""The rule for one inactive reader, and the SQL held to it."""

from datetime import UTC, date, datetime
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from subscribers.model import Suppression, SuppressionReason
from subscribers.rules.sunset import Inactivity, Step, next_step
from tests.subscribers.sunset.audience import DAY, POLICY, Audience, open_audience

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOW.date()


def inactivity(days: int, asked: int | None = None) -> Inactivity:
    """Return an inactivity since so many days, in which it was asked so many days ago."""
    return Inactivity(
        subscription_id=1,
        subscriber_id=1,
        last_active_on=TODAY - days * DAY,
        engaged_on=None,
        asked_at=None if asked is None else NOW - asked * DAY,
    )


@pytest.mark.parametrize(
    ("one", "letters", "arrived", "expected"),
    [
        (inactivity(89), 9, False, None),
        (inactivity(90), 9, False, Step.ASK),
        (inactivity(90), 2, False, None),  # too few letters: inactivity says nothing
        (inactivity(100, asked=13), 9, True, None),
        (inactivity(100, asked=14), 9, True, Step.PAUSE),
        (inactivity(100, asked=14), 0, True, Step.PAUSE),
        (inactivity(100, asked=14), 9, False, Step.ASK),  # the question itself never arrived
        (inactivity(91, asked=100), 9, True, Step.ASK),  # answered then, and inactive again
        (inactivity(100, asked=100), 9, True, Step.ASK),  # answered on the very day
        (inactivity(50, asked=60), 9, True, None),  # answered
    ],
)
def test_the_ladder(one: Inactivity, letters: int, arrived: bool, expected: Step | None):
    assert next_step(one, POLICY, NOW, letters=letters, arrived=arrived) is expected


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
    audience = open_audience(engine)
    audience.container.clock.time = NOW
    audience.run("DELETE FROM subscription; DELETE FROM delivery; DELETE FROM transactional_email")
    emails = {f"r{next(_serial)}@example.com": said for said in people}
    audience.container.subscribe(tmp_path, dict.fromkeys(emails, ""))
    for email, said in emails.items():
        make_so(audience, email, said)

    expected = {email: shown(said) for email, said in emails.items()}
    steps = list(expected.values())
    counted = audience.container.sunset.count(audience.container.newsletter)
    assert (counted.asked, counted.paused) == (steps.count(Step.ASK), steps.count(Step.PAUSE))
    assert audience.ask_inactive() == (counted.asked, counted.paused)

    for email, what in expected.items():
        one = audience.reader(email)
        assert (one.paused_at == NOW) == (what is Step.PAUSE), (email, emails[email])
        [[asked_at]] = audience.run("SELECT asked_at FROM subscription WHERE id = :id", id=one.id)
        assert (asked_at == NOW and emails[email]["asked"] != 0) == (what is Step.ASK)


def shown(said) -> Step | None:
    if said["stands"]:
        return None
    days = min(
        said[sign] for sign in ("joined", "came", "engaged", "own_act") if said[sign] is not None
    )
    one = inactivity(days, said["asked"])
    return next_step(one, POLICY, NOW, letters=said["letters"], arrived=said["arrived"])


def make_so(audience: Audience, email: str, said) -> None:
    one = audience.reader(email)

    def moment(ago: int | None) -> datetime | None:
        return None if ago is None else NOW - ago * DAY

    engaged: date | None = None if said["engaged"] is None else TODAY - said["engaged"] * DAY
    audience.run(
        """UPDATE subscription SET created_at = :joined, engaged_on = :engaged, asked_at = :asked,
                  status = CASE :stands WHEN 'ended' THEN 'ended' ELSE 'active' END,
                  paused_at = CASE :stands WHEN 'paused' THEN CAST(:paused AS timestamptz) END,
                  import_id = :came
            WHERE id = :id""",
        id=one.id,
        came=None if said["came"] is None else audience.list_of(said["came"]),
        joined=moment(said["joined"]),
        engaged=engaged,
        asked=moment(said["asked"]),
        stands=said["stands"],
        paused=NOW - DAY,
    )
    if said["own_act"] is not None:
        audience.run(
            """INSERT INTO change (subscriber_id, newsletter, at, actor, what)
               VALUES (:id, 'technology', :at, 'subscriber', 'frequency')""",
            id=one.subscriber_id,
            at=moment(said["own_act"]),
        )
    if said["asked"] is not None and said["arrived"]:
        audience.run(
            """INSERT INTO transactional_email (newsletter, kind, refers, created_at, state)
               VALUES ('technology', 'still_wanted', :id, :at, 'accepted')""",
            id=one.id,
            at=moment(said["asked"]),
        )
    if said["stands"] == "suppressed":
        bounced = Suppression(
            email=email, reason=SuppressionReason.BOUNCE, source="test", since=NOW
        )
        audience.container.subscriptions.suppress([bounced])
    audience.letters(one, said["letters"])
