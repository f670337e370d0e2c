"""What is found, shown, tagged and noted; and a record that nobody rewrites."""

from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DatabaseError

from subscribers.errors import InvalidChoice, NoSuchSubscriber, NotAdded
from subscribers.model import SubscriptionStatus, Suppression, SuppressionReason
from tests.subscribers.records.conftest import RecordsContainer

pytestmark = pytest.mark.postgres


def emails(container: RecordsContainer, *part: str, **choice: object) -> list[str]:
    found = container.records.search(*part, **{"limit": 10, **choice})  # type: ignore[arg-type]
    return [one.email for one in found]


def test_a_search_takes_an_address_a_part_of_it_or_a_tag_and_shows_the_newest_first(
    container: RecordsContainer,
):
    container.add("Ann@example.com")
    number = container.add("joann@example.com")
    container.add("bo@example.org", "markets")
    container.records.tag([number], ["press"], actor="anna", now=container.now)

    assert emails(container, "ANN@example.com") == ["Ann@example.com"]
    assert emails(container, "ann@") == ["joann@example.com", "Ann@example.com"]
    assert emails(container, "ann", limit=1) == ["joann@example.com"]
    assert emails(container, tag="press") == ["joann@example.com"]
    assert emails(container, "example", newsletter="markets") == ["bo@example.org"]
    assert emails(container, "%") == []
    [found] = container.records.search("joann", limit=1)
    assert (found.statuses, found.tags) == (("technology: active",), ("press",))


def test_a_tag_is_found_by_its_index_and_not_by_reading_every_reader(
    container: RecordsContainer, tmp_path: Path
):
    container.subscribe(tmp_path, {f"r{number}@example.com": "" for number in range(3000)})
    number = container.subscription("r6@example.com").id
    container.records.tag([number], ["press"], actor="anna", now=container.now)
    container.query("ANALYZE subscriber, subscription")
    before = rows_read(container)
    for _ in range(12):  # also by a plan that is kept
        assert emails(container, tag="press", newsletter="technology") == ["r6@example.com"]
    chosen = container.segments.read("technology", {"tags": ["press"]}, ())
    assert container.segments.count("technology", chosen, now=container.now).matching == 1
    assert rows_read(container) - before < 1000  # the server looks through tables of its own, too


def rows_read(container: RecordsContainer) -> int:
    """Return how many rows of subscriptions were read without an index so far."""
    container.query("SELECT pg_stat_force_next_flush()")
    [(read,)] = container.query("SELECT pg_stat_get_tuples_returned('subscription'::regclass)")
    return read


def test_a_tag_is_on_record_once_and_goes_again(container: RecordsContainer):
    number = container.add("reader@example.com")
    said = {"actor": "anna", "now": container.now}
    assert container.records.tag([number], ["vip", "Press container"], **said) == 1
    assert container.records.tag([number], ["vip"], **said) == 0
    assert container.records.tag([number], ["vip"], off=True, **said) == 1
    assert container.subscription("reader@example.com").tags == ("Press container",)
    for bad in ("", "a,b", "x" * 51, "tab\x07"):
        with pytest.raises(InvalidChoice):
            container.records.tag([number], [bad], **said)
    person_id = container.records.id_of("reader@example.com")
    whats = [one.what for one in container.records.entries(person_id)]
    assert whats == ["imported", "tagged", "untagged"]


def test_a_note_is_shown_with_who_and_when(container: RecordsContainer):
    container.add("reader@example.com")
    person_id = container.records.id_of("reader@example.com")
    container.records.note(person_id, "asked by phone ", actor="anna", now=container.now)

    [note] = container.records.person("reader@example.com").notes

    assert (note.actor, note.at, note.detail) == ("anna", container.now, {"note": "asked by phone"})
    with pytest.raises(InvalidChoice):
        container.records.note(person_id, "  ", actor="anna", now=container.now)


def test_a_name_and_a_zone_are_corrected_both_or_neither(container: RecordsContainer):
    container.add("reader@example.com")
    mine = [container.subscription("reader@example.com")]
    with pytest.raises(InvalidChoice):
        container.people.edit(mine, name="Reader", zone="Mars/Base", actor="anna")
    assert container.subscription("reader@example.com").name == ""

    assert container.people.edit(mine, name="Reader", zone="Europe/Paris", actor="anna")

    now = container.subscription("reader@example.com")
    assert (now.name, now.zone) == ("Reader", "Europe/Paris")
    assert not container.people.edit(mine, name="Reader", zone=None, actor="anna")


def test_by_hand_nobody_is_added_who_left_or_is_suppressed_or_there(container: RecordsContainer):
    container.add("reader@example.com")
    with pytest.raises(NotAdded, match="already"):
        container.add("Reader@Example.com")
    container.people.unsubscribe([container.subscription("reader@example.com")], actor="anna")
    with pytest.raises(NotAdded, match="unsubscribed"):
        container.add("reader@example.com")
    suppressed = Suppression(
        email="bounced@example.com",
        reason=SuppressionReason.BOUNCE,
        source="test",
        since=container.now,
    )
    container.subscriptions.suppress([suppressed])
    with pytest.raises(NotAdded, match="bounce"):
        container.add("bounced@example.com")
    assert container.subscription("reader@example.com").status is SubscriptionStatus.ENDED
    with pytest.raises(NoSuchSubscriber):
        container.records.person("bounced@example.com")


@pytest.mark.parametrize("table", ["consent", "change"])
def test_the_database_refuses_to_rewrite_the_record(container: RecordsContainer, table: str):
    number = container.add("reader@example.com")
    container.records.tag([number], ["vip"], actor="anna", now=container.now)
    for rewriting in (f"UPDATE {table} SET at = now()", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError) as refused:
            container.query(rewriting)
        assert isinstance(refused.value.orig, psycopg.errors.RestrictViolation)
    with pytest.raises(DatabaseError):
        container.query(
            "SELECT set_config('subscribers.forgetting', 'on', true)"
            f"; UPDATE {table} SET at = now()"
        )
    assert len(container.query(f"SELECT * FROM {table}")) == 1


def test_evidence_is_shown_in_full(container: RecordsContainer):
    """Who, what text, when, from where, how confirmed, each later change, and the withdrawal."""
    container.query(
        "INSERT INTO consent_text (hash, text, first_used_at) VALUES ('abc1', :words, now())",
        words="I agree\nto a daily letter.",
    )
    container.add("Reader@example.com", name="A Reader")
    person_id = container.records.id_of("reader@example.com")
    for act, detail in (
        ("requested", '{"form": "/sign-up 3", "text": "abc1", "ip": "192.0.2.7", "agent": "Web"}'),
        ("confirmed", '{"ip": "192.0.2.8", "agent": "Mail"}'),
    ):
        container.query(
            "INSERT INTO consent (subscriber_id, newsletter, at, act, source, detail) "
            "VALUES (:id, 'technology', '2026-11-23 10:00:01+01', :act, 'page', "
            "CAST(:detail AS jsonb))",
            id=person_id,
            act=act,
            detail=detail,
        )
    container.clock.pass_time(minutes=5)
    container.people.unsubscribe([container.subscription("reader@example.com")], actor="anna")

    shown = account_of(container, "reader@example.com")

    for words in (
        "Record of consent: Reader@example.com",
        "A Reader",
        "2026-11-23 09:00:01 UTC  requested (technology)",
        "form: /sign-up 3",
        "from address: 192.0.2.7",
        "from address: 192.0.2.8",
        "statement of consent: asked in writing",
        "withdrawn (technology)",
        "by: operator anna",
        "Consent text abc1:\n   I agree\n   to a daily letter.",
    ):
        assert words in shown


def account_of(container: RecordsContainer, email: str) -> str:
    from subscribers.records.model import consent_report

    return consent_report(container.records.evidence(email), now=container.now)


def test_an_import_is_evidence_and_stays_it_once_when_it_is_undone_or_merged(
    container: RecordsContainer, tmp_path: Path
):
    container.subscribe(tmp_path, {"bo@example.com": "", "reader@example.com": "chips"})

    def shown() -> str:
        return account_of(container, "reader@example.com")

    for words in ("imported (technology)", "statement of consent: test", "list.csv", "line: 3"):
        assert shown().count(words) == 1
    container.add("keep@example.com", "markets")
    container.merge("keep@example.com", "reader@example.com")
    assert shown().count("imported (technology)") == 1
    container.query(
        "INSERT INTO consent (subscriber_id, newsletter, at, act, source, detail) "
        "SELECT id, 'technology', now(), 'imported', 'import 1', '{\"line\": 3}' "
        "FROM subscriber WHERE email_key = 'reader@example.com'"
    )
    assert shown().count("imported (technology)") == 1
    assert shown().count("line: 3") == 1


def test_history_is_one_line_after_another_of_all_that_happened(sent: RecordsContainer):
    person_id = sent.records.id_of("reader@example.com")
    later = sent.now + timedelta(minutes=9)
    sent.query(
        "INSERT INTO delivery_event "
        "(issue_id, place, event_key, origin, kind, at, received_at, raw) "
        "SELECT issue_id, place, gen_random_uuid(), 'own', 'clicked', :at, :at, '{}' "
        "FROM delivery WHERE subscriber_id = :person",
        person=person_id,
        at=later,
    )
    sent.clock.pass_time(minutes=20)
    sent.unsubscribe("reader@example.com")

    lines = sent.people.history(person_id)

    assert [one.at for one in lines] == sorted(one.at for one in lines)
    shown = [(one.who, one.what) for one in lines]
    assert shown[0][1] == "imported"
    assert shown[1:] == [
        ("service", "planned"),
        ("service", "sent: accepted"),
        ("reader", "clicked"),
        ("test", "withdrawn"),
    ]
