"""The links of a letter: a GET shows a page, a POST acts, and a link works only for its owner."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from newsletter.core.mailing import personal
from subscribers.model import Purpose, SubscriptionStatus
from subscribers.tokens import make_token
from tests.web.conftest import OTHER, choices_path, leave_path, now_of

pytestmark = pytest.mark.postgres

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"
MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
)


#: What else links are signed for.
OTHER_PURPOSES = [one for one in Purpose if one is not Purpose.UNSUBSCRIBE]

#: Bodies that a one-click unsubscribe may have, and their content types.
BODIES = [
    (ONE_CLICK.encode(), FORM),
    (MULTIPART, "multipart/form-data; boundary=b"),
    (b"confirm=1", FORM),  # the page's own button
    (b"", "text/plain"),
    (b"", "multipart/form-data"),  # without a boundary: what is not read cannot be wrong
    (b"\xff\x00 anything", "application/octet-stream"),
]


def test_a_post_unsubscribes_whatever_its_body(client, container, tmp_path):
    leaving = [f"leaving-{n}@example.com" for n in range(len(BODIES))]
    container.subscribe(tmp_path, dict.fromkeys(leaving, ""))

    for email, (content, kind) in zip(leaving, BODIES, strict=True):
        path, headers = leave_path(now_of(container, email)), {"Content-Type": kind}
        first, again = (client.post(path, content=content, headers=headers) for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200), kind
        assert "You have unsubscribed." in first.text
        assert again.text == first.text
        assert "set-cookie" not in first.headers

    assert {now_of(container, email).status for email in leaving} == {SubscriptionStatus.ENDED}
    assert now_of(container).status is SubscriptionStatus.ACTIVE


def test_the_unsubscribe_link_of_a_sent_letter_ends_its_subscription(client, container):
    container.send_issue()
    envelope, _, claim = container.mailer.asked[0]
    one = claim.recipients[0]
    header = personal(envelope, one).headers["List-Unsubscribe"]
    url = urlsplit(header.partition(">")[0].removeprefix("<"))

    assert client.post(url.path, content=ONE_CLICK, headers={"Content-Type": FORM}).is_success
    assert now_of(container, one.email).status is SubscriptionStatus.ENDED


def test_nothing_but_a_post_acts(client, container, reader):
    for path in (leave_path(reader), choices_path(reader)):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"):
            response = client.ask(method, f"{path}?List-Unsubscribe=One-Click&topic=policy")
            assert response.status_code == (200 if method in ("GET", "HEAD") else 405)
            assert now_of(container) == reader


def test_one_click_unsubscribe_is_never_redirected(client, container, reader):
    path = leave_path(reader)
    for wrong in (path + "/", path + "?", "/" + path, path.upper()):
        assert not client.post(wrong).is_redirect
    assert client.get(path + "/").status_code == 404


def test_the_page_asks_before_and_says_so_after(client, reader):
    path = leave_path(reader)

    before = client.get(path).text
    assert "Unsubscribe from Technology Daily?" in before
    assert f'<form method="post" action="{path}">' in before

    client.post(path)
    after = client.get(path).text
    assert "You have unsubscribed." in after
    assert f'action="{path}">' not in after


def test_links_that_are_not_ones_own_are_refused_alike(client, container, reader, tmp_path):
    container.lists.import_list(
        write_list(tmp_path),
        "discontinued",
        known_topics=(),
        default_zone="UTC",
        consent_source="test",
        now=container.clock.now(),
    )
    [gone] = container.subscriptions.by_email("gone@example.com")
    own, other = leave_path(reader), now_of(container, OTHER)
    forged = make_token(Purpose.UNSUBSCRIBE, reader.id, other.link_key)
    wrong = [
        own[:-1],
        own + "A",
        own[:-1] + ("A" if own[-1] != "A" else "B"),
        "/u/" + choices_path(reader).removeprefix("/p/"),
        *("/u/" + make_token(purpose, reader.id, reader.link_key) for purpose in OTHER_PURPOSES),
        "/u/" + forged,
        f"/u/{forged}/weekly",
        "/u/" + make_token(Purpose.UNSUBSCRIBE, 2**48 - 1, reader.link_key),
        leave_path(gone),
        leave_path(gone) + "/back",
        "/u/%00",
        "/u/" + "x" * 5000,
        "/p/" + own.removeprefix("/u/"),
        *(f"/p/{forged}/{button}" for button in ("pause", "unpause", "erase")),
    ]
    nobodys = client.get("/u/nobodys")
    for path in wrong:
        answers = [client.get(path), client.post(path, data={"topic": "policy"})]
        assert {one.status_code for one in answers} == {404}, path
        assert {(one.content, *one.headers.items()) for one in answers} == {
            (nobodys.content, *nobodys.headers.items())
        }
    assert client.get(f"/p/{forged}/data.json").content == nobodys.content
    assert now_of(container) == reader
    assert now_of(container, OTHER) == other
    assert now_of(container, gone.email) == gone


def write_list(folder: Path) -> Path:
    path = folder / "gone.csv"
    path.write_text("email\ngone@example.com\n")
    return path


def test_links_are_short_enough_for_any_header(reader):
    host = "https://news.example.com"
    for path in (leave_path(reader), choices_path(reader)):
        assert len(host + path) <= 70 - 14  # room for a host of 30 characters
