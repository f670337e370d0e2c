"""What is found, shown, tagged and noted; and a record that nobody rewrites."""

from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DatabaseError

from subscribers.errors import InvalidChoice, NoSuchSubscriber, NotAdded
from subscribers.model import SubscriptionStatus, Suppression, SuppressionReason
from tests.records.conftest import Office

pytestmark = pytest.mark.postgres


def emails(office: Office, *part: str, **choice: object) -> list[str]:
    found = office.records.search(*part, **{"limit": 10, **choice})  # type: ignore[arg-type]
    return [one.email for one in found]


def test_a_search_takes_an_address_a_part_of_it_or_a_tag_and_shows_the_newest_first(office: Office):
    office.add("Ann@example.com")
    number = office.add("joann@example.com")
    office.add("bo@example.org", "markets")
    office.records.tag([number], ["press"], actor="anna", now=office.now)

    assert emails(office, "ANN@example.com") == ["Ann@example.com"]
    assert emails(office, "ann@") == ["joann@example.com", "Ann@example.com"]
    assert emails(office, "ann", limit=1) == ["joann@example.com"]
    assert emails(office, tag="press") == ["joann@example.com"]
    assert emails(office, "example", newsletter="markets") == ["bo@example.org"]
    assert emails(office, "%") == []
    [found] = office.records.search("joann", limit=1)
    assert (found.standing, found.tags) == (("technology: active",), ("press",))


def test_a_tag_is_on_record_once_and_goes_again(office: Office):
    number = office.add("reader@example.com")
    said = {"actor": "anna", "now": office.now}
    assert office.records.tag([number], ["vip", "Press office"], **said) == 1
    assert office.records.tag([number], ["vip"], **said) == 0
    assert office.records.untag([number], ["vip"], **said) == 1
    assert office.subscription("reader@example.com").tags == ("Press office",)
    for bad in ("", "a,b", "x" * 51, "tab\x07"):
        with pytest.raises(InvalidChoice):
            office.records.tag([number], [bad], **said)
    person_id = office.records.id_of("reader@example.com")
    whats = [one.what for one in office.records.entries(person_id)]
    assert whats == ["imported", "tagged", "untagged"]


def test_a_note_is_shown_with_who_and_when(office: Office):
    office.add("reader@example.com")
    person_id = office.records.id_of("reader@example.com")
    office.records.note(person_id, "asked by phone ", actor="anna", now=office.now)

    [note] = office.records.person("reader@example.com").notes

    assert (note.actor, note.at, note.detail) == ("anna", office.now, {"note": "asked by phone"})
    with pytest.raises(InvalidChoice):
        office.records.note(person_id, "  ", actor="anna", now=office.now)


def test_a_name_and_a_zone_are_corrected_both_or_neither(office: Office):
    office.add("reader@example.com")
    mine = [office.subscription("reader@example.com")]
    with pytest.raises(InvalidChoice):
        office.people.edit(mine, name="Reader", zone="Mars/Base", actor="anna")
    assert office.subscription("reader@example.com").name == ""

    assert office.people.edit(mine, name="Reader", zone="Europe/Paris", actor="anna")

    now = office.subscription("reader@example.com")
    assert (now.name, now.zone) == ("Reader", "Europe/Paris")
    assert not office.people.edit(mine, name="Reader", zone=None, actor="anna")


def test_by_hand_nobody_is_added_who_left_or_is_silenced_or_there(office: Office):
    office.add("reader@example.com")
    with pytest.raises(NotAdded, match="already"):
        office.add("Reader@Example.com")
    office.people.leave([office.subscription("reader@example.com")], actor="anna")
    with pytest.raises(NotAdded, match="goodbye"):
        office.add("reader@example.com")
    silenced = Suppression(
        email="bounced@example.com",
        reason=SuppressionReason.BOUNCE,
        source="test",
        since=office.now,
    )
    office.house.subscriptions.suppress([silenced])
    with pytest.raises(NotAdded, match="bounce"):
        office.add("bounced@example.com")
    assert office.subscription("reader@example.com").status is SubscriptionStatus.ENDED
    with pytest.raises(NoSuchSubscriber):
        office.records.person("bounced@example.com")


@pytest.mark.parametrize("table", ["consent", "change"])
def test_the_database_refuses_to_rewrite_the_record(office: Office, table: str):
    number = office.add("reader@example.com")
    office.records.tag([number], ["vip"], actor="anna", now=office.now)
    for rewriting in (f"UPDATE {table} SET at = now()", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError) as refused:
            office.do(rewriting)
        assert isinstance(refused.value.orig, psycopg.errors.RestrictViolation)
    with pytest.raises(DatabaseError):
        office.do(
            "SELECT set_config('subscribers.forgetting', 'on', true)"
            f"; UPDATE {table} SET at = now()"
        )
    assert len(office.rows(f"SELECT * FROM {table}")) == 1


def test_evidence_is_told_in_full(office: Office):
    """Who, what text, when, from where, how confirmed, each later change, and the withdrawal."""
    office.do(
        "INSERT INTO consent_text (hash, text, first_used_at) VALUES ('abc1', :words, now())",
        words="I agree\nto a daily letter.",
    )
    office.add("Reader@example.com", name="A Reader")
    person_id = office.records.id_of("reader@example.com")
    for act, detail in (
        ("requested", '{"form": "/sign-up 3", "text": "abc1", "ip": "192.0.2.7", "agent": "Web"}'),
        ("confirmed", '{"ip": "192.0.2.8", "agent": "Mail"}'),
    ):
        office.do(
            "INSERT INTO consent (subscriber_id, newsletter, at, act, source, detail) "
            "VALUES (:id, 'technology', '2026-11-23 10:00:01+01', :act, 'page', "
            "CAST(:detail AS jsonb))",
            id=person_id,
            act=act,
            detail=detail,
        )
    office.house.clock.pass_time(minutes=5)
    office.people.leave([office.subscription("reader@example.com")], actor="anna")

    told = account_of(office, "reader@example.com")

    for words in (
        "Record of consent: Reader@example.com",
        "A Reader",
        "2026-11-23 09:00:01 UTC  requested (technology)",
        "form: /sign-up 3",
        "from address: 192.0.2.7",
        "from address: 192.0.2.8",
        "statement of consent: asked at the desk",
        "withdrawn (technology)",
        "by: operator anna",
        "Consent text abc1:\n   I agree\n   to a daily letter.",
    ):
        assert words in told


def account_of(office: Office, email: str) -> str:
    from subscribers.records.model import account

    return account(office.records.evidence(email), now=office.now)


def test_an_import_is_evidence_and_stays_it_once_when_it_is_undone_or_merged(
    office: Office, tmp_path: Path
):
    office.house.subscribe(tmp_path, {"bo@example.com": "", "reader@example.com": "chips"})

    def told() -> str:
        return account_of(office, "reader@example.com")

    for words in ("imported (technology)", "statement of consent: test", "list.csv", "line: 3"):
        assert told().count(words) == 1
    office.add("keep@example.com", "markets")
    office.merge("keep@example.com", "reader@example.com")
    assert told().count("imported (technology)") == 1
    office.do(
        "INSERT INTO consent (subscriber_id, newsletter, at, act, source, detail) "
        "SELECT id, 'technology', now(), 'imported', 'import 1', '{\"line\": 3}' "
        "FROM subscriber WHERE email_key = 'reader@example.com'"
    )
    assert told().count("imported (technology)") == 1
    assert told().count("line: 3") == 1


def test_history_is_one_line_after_another_of_all_that_happened(sent: Office):
    person_id = sent.records.id_of("reader@example.com")
    [(delivery_id,)] = sent.rows(f"SELECT id FROM delivery WHERE subscriber_id = {person_id}")
    later = sent.now + timedelta(minutes=9)
    sent.do(
        "INSERT INTO delivery_event (event_id, delivery_id, kind, at, received_at, raw) "
        "VALUES ('e1', :delivery, 'clicked', :at, :at, '{}')",
        delivery=delivery_id,
        at=later,
    )
    sent.house.clock.pass_time(minutes=20)
    sent.house.leave("reader@example.com")

    lines = sent.people.history(person_id)

    assert [one.at for one in lines] == sorted(one.at for one in lines)
    told = [(one.who, one.what) for one in lines]
    assert told[0][1] == "imported"
    assert told[1:] == [
        ("service", "planned"),
        ("service", "sent: accepted"),
        ("reader", "clicked"),
        ("test", "withdrawn"),
    ]
