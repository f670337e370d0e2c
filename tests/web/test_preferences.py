"""The preference page: what is chosen is kept, what cannot be kept is said beside its field."""

import json
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import text

from subscribers.model import Frequency, SubscriptionStatus, TopicSet
from tests.container import TestContainer
from tests.web.conftest import OTHER, READER, Client, choices_path, leave_path, now_of, records

pytestmark = pytest.mark.postgres


def ticked(page: str) -> set[str]:
    boxes = (line for line in page.splitlines() if 'name="topic"' in line)
    return {box.split('value="')[1].split('"')[0] for box in boxes if " checked" in box}


def said(response: httpx.Response) -> str:
    """Return the page; its status is that of an error if it says what is wrong."""
    assert response.status_code == (422 if 'role="alert"' in response.text else 200)
    return response.text


def save(client: Client, container: TestContainer, *topics: str, **fields: str) -> str:
    form = {"topic": list(topics or ("chips", "security")), **fields}
    response = client.post(choices_path(now_of(container)), data=form)
    return said(response)


def press(client: Client, container: TestContainer, button: str, **fields: str) -> str:
    response = client.post(f"{choices_path(now_of(container))}/{button}", data=fields)
    return said(response)


def test_topics_are_shown_and_chosen(client, container, reader):
    assert ticked(client.get(choices_path(reader)).text) == {"chips", "security"}

    page = save(client, container, "robotics", "policy")

    assert "Saved. Your choices apply from the next issue." in page
    assert ticked(page) == {"policy", "robotics"}
    assert ticked(client.get(choices_path(reader)).text) == {"policy", "robotics"}
    assert now_of(container).topics == TopicSet.of(["policy", "robotics"])
    assert now_of(container, OTHER).topics == TopicSet.of([])


def test_everything_ticked_is_everything_also_what_is_still_to_come(client, container, reader):
    page = save(client, container, *container.newsletter.topic_slugs)

    assert now_of(container).topics == TopicSet.of([])
    assert ticked(page) == set(container.newsletter.topic_slugs)


def test_nothing_ticked_changes_nothing_and_says_so(client, container, reader):
    for topics in (["astrology"], ["*"], ["", "\x00"]):
        page = save(client, container, *topics, name="Ann Example", frequency="weekly")
        assert "No topic was chosen, so nothing was changed." in page
        assert f'href="{leave_path(reader)}"' in page
        assert ticked(page) == {"chips", "security"}
        assert 'value="Ann Example"' in page  # what was typed is still there
        assert now_of(container) == reader
    assert client.post(choices_path(reader)).text.count("No topic was chosen") == 1


def test_a_topic_we_do_not_have_is_left_out(client, container, reader):
    assert ticked(save(client, container, "chips", "astrology")) == {"chips"}
    assert now_of(container).topics == TopicSet.of(["chips"])


def test_frequency_name_and_zone_are_kept_and_go_on_record_once(client, container, reader):
    wanted = {"frequency": "weekly", "name": "  Ann   Example ", "zone": "Asia/Tokyo"}
    for _ in range(2):
        page = save(client, container, **wanted)
        assert "Saved." in page

    stands = now_of(container)
    assert (stands.frequency, stands.name, stands.zone) == (
        Frequency.WEEKLY,
        "Ann Example",
        "Asia/Tokyo",
    )
    assert records(container) == [
        ("frequency", "subscriber", {"from": "daily", "to": "weekly"}),
        ("name", "subscriber", {"from": "", "to": "Ann Example"}),
        ("zone", "subscriber", {"from": "UTC", "to": "Asia/Tokyo"}),
    ]


def test_what_the_form_does_not_say_stays_as_it_is(client, container, reader):
    save(client, container, name="Ann Example", frequency="weekly", zone="Asia/Tokyo")
    before = now_of(container)
    save(client, container, "chips", "security")
    assert now_of(container) == before


def test_one_wrong_field_keeps_all_of_the_form_from_being_saved(client, container, reader):
    wrong = [
        ({"name": "x" * 201}, "at most 200 characters", 'id="name-wrong"'),
        ({"name": "Ann\x00"}, "all of them printable", 'aria-describedby="name-wrong"'),
        ({"zone": "Mars/Olympus"}, "Choose a time zone", 'id="zone-wrong"'),
    ]
    for fields, sentence, mark in wrong:
        page = save(client, container, "policy", **({"frequency": "weekly"} | fields))
        assert sentence in page
        assert mark in page
        assert 'role="alert"' in page
        assert ticked(page) == {"policy"}  # as it was typed
        assert 'value="weekly" checked' in page
        assert now_of(container) == reader
    assert records(container) == []


def test_a_frequency_nobody_offers_changes_nothing(client, container, reader):
    save(client, container, frequency="hourly")
    assert now_of(container) == reader


def test_a_pause_ends_where_the_date_begins_for_its_reader(client, container, reader):
    save(client, container, zone="Asia/Tokyo")

    page = press(client, container, "pause", until="2026-12-24")

    assert "No emails until 24 December 2026." in page
    assert "End the pause" in page
    midnight = datetime(2026, 12, 23, 15, tzinfo=UTC)
    assert now_of(container).paused_until == midnight
    assert container.subscriptions.counts("technology").paused == 1
    assert container.subscriptions.end_expired_pauses(midnight.replace(hour=14)) == 0
    assert container.subscriptions.end_expired_pauses(midnight) == 1


def test_a_pause_is_ended_by_a_button_and_both_are_on_record(client, container, reader):
    press(client, container, "pause", until="2026-12-24")
    for _ in range(2):
        assert "Saved. You get emails again." in press(client, container, "unpause")

    assert now_of(container) == reader
    assert [what for what, _, _ in records(container)] == ["paused", "unpaused"]


@pytest.mark.parametrize(
    "until", ["", "soon", "2026-11-23", "2020-01-01", "2028-01-01", "9999-12-31"]
)
def test_a_pause_without_a_day_to_come_is_refused_beside_its_field(
    client, container, reader, until
):
    page = press(client, container, "pause", until=until)

    assert 'aria-describedby="until-wrong"' in page
    assert f'name="until" value="{until}"' in page
    assert now_of(container) == reader


def test_a_newsletter_without_a_digest_offers_no_frequency(
    container, reader, client_without_weekly
):
    page = client_without_weekly.get(choices_path(reader)).text
    assert 'name="frequency"' not in page

    save(client_without_weekly, container, frequency="weekly")
    client_without_weekly.post(leave_path(reader) + "/weekly")
    assert now_of(container) == reader


def test_who_has_left_has_nothing_to_choose_but_a_way_back(client, container, reader):
    client.post(leave_path(reader))
    left, path = now_of(container), choices_path(reader)

    posts = [
        client.post(f"{path}{button}", data={"topic": "policy", "until": "2026-12-24"}).text
        for button in ("", "/pause")
    ]
    for page in (client.get(path).text, *posts):
        assert "You have unsubscribed." in page
        assert "Saved" not in page
        assert 'name="topic"' not in page
        assert f'action="{leave_path(reader)}/back"' in page
    assert now_of(container) == left


def test_a_new_address_is_asked_before_it_counts(client, container, reader):
    page = press(client, container, "address", email="new@example.org")

    assert "An email to new@example.org is on its way." in page
    assert container.records.person(READER).new_address == "new@example.org"
    assert now_of(container) == reader


def test_what_is_no_address_is_said_beside_its_field(client, container, reader):
    page = press(client, container, "address", email='"><i>new')

    assert "We cannot write to this address." in page
    assert 'value="&#34;&gt;&lt;i&gt;new"' in page
    assert 'aria-describedby="email-wrong"' in page
    assert container.records.person(READER).new_address is None


def test_my_data_is_a_file_to_download(client, container, reader):
    save(client, container, name="Ann Example")

    response = client.get(choices_path(reader) + "/data.json")

    assert response.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert response.headers["Content-Type"] == "application/json"
    said = json.dumps(response.json())
    assert READER in said
    assert "Ann Example" in said
    assert OTHER not in said


def test_erase_me_asks_first_and_then_leaves_no_link_alive(client, container, reader):
    path = choices_path(reader)
    asked = client.get(path + "/erase")
    assert "This cannot be undone." in asked.text
    assert now_of(container) == reader

    erased = client.post(path + "/erase")

    assert (erased.status_code, "Your data is erased." in erased.text) == (200, True)
    dead = [client.get(path), client.post(path + "/erase"), client.post(leave_path(reader))]
    assert {(one.status_code, one.text) for one in dead} == {(404, client.get("/u/x").text)}
    with container.engine.begin() as connection:
        left = connection.execute(text("SELECT email FROM subscriber")).scalars().all()
    assert left == [OTHER]


def test_a_form_that_cannot_be_read_changes_nothing(client, container, reader):
    form = "application/x-www-form-urlencoded"
    broken = b'--b\r\nContent-Disposition: form-data; name="topic"'
    for content, kind in ((broken, "multipart/form-data; boundary=b"), (b"{", form)):
        for button in ("", "/pause"):
            response = client.post(
                choices_path(reader) + button, content=content, headers={"Content-Type": kind}
            )
            assert response.status_code < 500
    upload = client.post(choices_path(reader), files={"topic": ("topics.txt", b"policy")})
    assert upload.status_code < 500
    assert now_of(container) == reader
    assert now_of(container).status is SubscriptionStatus.ACTIVE
