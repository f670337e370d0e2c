"""What a letter's links do: a GET asks, a POST acts, and nobody's link opens another's door."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from newsletter.core.mailing import personal
from subscribers.model import Purpose, Subscription, SubscriptionStatus, TopicSet
from subscribers.tokens import make_token
from tests.house import TestHouse
from tests.web.conftest import OTHER, READER, Client

pytestmark = pytest.mark.postgres

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"
MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
)


def leave_path(subscription: Subscription) -> str:
    return "/u/" + make_token(Purpose.UNSUBSCRIBE, subscription.id, subscription.link_key)


def topics_path(subscription: Subscription) -> str:
    return "/p/" + make_token(Purpose.PREFERENCES, subscription.id, subscription.link_key)


def now_of(house: TestHouse, email: str = READER) -> Subscription:
    [subscription] = house.subscriptions.by_email(email)
    return subscription


#: Bodies that a goodbye may come with, and what they are said to be.
BODIES = [
    (ONE_CLICK.encode(), FORM),
    (MULTIPART, "multipart/form-data; boundary=b"),
    (b"confirm=1", FORM),  # the page's own button
    (b"", "text/plain"),
    (b"", "multipart/form-data"),  # without a boundary: what is not read cannot be wrong
    (b"\xff\x00 anything", "application/octet-stream"),
]


def test_a_post_is_a_goodbye_whatever_its_body(client, house, tmp_path):
    leaving = [f"leaving-{n}@example.com" for n in range(len(BODIES))]
    house.subscribe(tmp_path, dict.fromkeys(leaving, ""))

    for email, (content, kind) in zip(leaving, BODIES, strict=True):
        path, headers = leave_path(now_of(house, email)), {"Content-Type": kind}
        first, again = (client.post(path, content=content, headers=headers) for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200), kind
        assert "You have left." in first.text
        assert again.text == first.text
        assert "set-cookie" not in first.headers

    assert {now_of(house, email).status for email in leaving} == {SubscriptionStatus.ENDED}
    assert now_of(house).status is SubscriptionStatus.ACTIVE


def test_the_goodbye_of_a_letter_that_was_sent_ends_its_subscription(client, house):
    house.post()
    envelope, _, claim = house.mailer.asked[0]
    one = claim.recipients[0]
    header = personal(envelope, one).headers["List-Unsubscribe"]
    url = urlsplit(header.partition(">")[0].removeprefix("<"))

    assert client.post(url.path, content=ONE_CLICK, headers={"Content-Type": FORM}).is_success
    assert now_of(house, one.email).status is SubscriptionStatus.ENDED


def test_nothing_but_a_post_acts(client, house, reader):
    for path in (leave_path(reader), topics_path(reader)):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"):
            response = client.ask(method, f"{path}?List-Unsubscribe=One-Click&topic=policy")
            assert response.status_code == (200 if method in ("GET", "HEAD") else 405)
            assert now_of(house) == reader


def test_a_one_click_goodbye_is_never_redirected(client, house, reader):
    path = leave_path(reader)
    for wrong in (path + "/", path + "?", "/" + path, path.upper()):
        assert not client.post(wrong).is_redirect
    assert client.get(path + "/").status_code == 404


def test_the_page_asks_before_and_says_so_after(client, reader):
    path = leave_path(reader)

    before = client.get(path).text
    assert "Leave Technology Daily?" in before
    assert '<form method="post">' in before

    client.post(path)
    after = client.get(path).text
    assert "You have left." in after
    assert "<form" not in after


def test_links_that_are_not_ones_own_are_refused_alike(client, house, reader, tmp_path):
    house.subscriptions.import_list(
        write_list(tmp_path),
        "discontinued",
        known_topics=(),
        default_zone="UTC",
        consent_source="test",
        now=house.clock.now(),
    )
    [gone] = house.subscriptions.by_email("gone@example.com")
    own, other = leave_path(reader), now_of(house, OTHER)
    wrong = [
        own[:-1],
        own + "A",
        own[:-1] + ("A" if own[-1] != "A" else "B"),
        "/u/" + topics_path(reader).removeprefix("/p/"),
        "/u/" + make_token(Purpose.UNSUBSCRIBE, reader.id, other.link_key),
        "/u/" + make_token(Purpose.UNSUBSCRIBE, 2**48 - 1, reader.link_key),
        leave_path(gone),
        "/u/%00",
        "/u/" + "x" * 5000,
        "/p/" + own.removeprefix("/u/"),
    ]
    for path in wrong:
        answers = [client.get(path), client.post(path, data={"topic": "policy"})]
        assert {one.status_code for one in answers} == {404}, path
        assert {one.text for one in answers} == {client.get("/u/nobodys").text}
    assert now_of(house) == reader
    assert now_of(house, OTHER) == other
    assert now_of(house, gone.email) == gone


def write_list(folder: Path) -> Path:
    path = folder / "gone.csv"
    path.write_text("email\ngone@example.com\n")
    return path


def ticked(page: str) -> set[str]:
    boxes = (line for line in page.splitlines() if 'name="topic"' in line)
    return {box.split('value="')[1].split('"')[0] for box in boxes if " checked" in box}


def choose(client: Client, subscription: Subscription, *topics: str) -> str:
    response = client.post(topics_path(subscription), data={"topic": list(topics)})
    assert response.status_code == 200
    return response.text


def test_topics_are_shown_and_chosen(client, house, reader):
    assert ticked(client.get(topics_path(reader)).text) == {"chips", "security"}

    page = choose(client, reader, "robotics", "policy")

    assert "Saved. It counts from the next issue." in page
    assert ticked(page) == {"policy", "robotics"}
    assert ticked(client.get(topics_path(reader)).text) == {"policy", "robotics"}
    assert now_of(house).topics == TopicSet.of(["policy", "robotics"])
    assert now_of(house, OTHER).topics == TopicSet.of([])


def test_everything_ticked_is_everything_also_what_is_still_to_come(client, house, reader):
    page = choose(client, reader, *house.newsletter.topic_slugs)

    assert now_of(house).topics == TopicSet.of([])
    assert ticked(page) == set(house.newsletter.topic_slugs)


def test_nothing_ticked_changes_nothing_and_says_so(client, house, reader):
    for topics in ((), ("astrology",), ("*",), ("", "\x00")):
        page = choose(client, reader, *topics)
        assert "Nothing was ticked, so nothing was changed." in page
        assert f'href="{leave_path(reader)}"' in page
        assert ticked(page) == {"chips", "security"}
        assert now_of(house) == reader


def test_a_topic_we_do_not_have_is_left_out(client, house, reader):
    assert ticked(choose(client, reader, "chips", "astrology")) == {"chips"}
    assert now_of(house).topics == TopicSet.of(["chips"])


def test_who_has_left_has_nothing_to_choose(client, house, reader):
    client.post(leave_path(reader))
    left = now_of(house)

    for page in (client.get(topics_path(reader)).text, choose(client, reader, "policy")):
        assert "You have left." in page
        assert "<form" not in page
        assert "Saved" not in page
    assert now_of(house) == left


def test_a_form_that_cannot_be_read_changes_nothing(client, house, reader):
    for content, kind in ((MULTIPART[:40], "multipart/form-data; boundary=b"), (b"{", FORM)):
        response = client.post(topics_path(reader), content=content, headers={"Content-Type": kind})
        assert response.status_code < 500
    upload = client.post(topics_path(reader), files={"topic": ("topics.txt", b"policy")})
    assert upload.status_code < 500
    assert now_of(house) == reader
