"""Posts to endpoints go to public addresses only, in time, and are answered in a few words."""

import socket
import threading

import pytest

from newsletter.adapters.webhooks import HttpWebhooks
from newsletter.core.webhook_delivery import WebhookAnswer
from tests.webhook_endpoint import Endpoint


def post(url: str, seconds: float = 5, **more: object) -> WebhookAnswer:
    more = {"allow_hosts": ("127.0.0.1",)} | more
    return HttpWebhooks(seconds=seconds, **more).post(url, {"webhook-id": "evt_1"}, b"{}")


def test_a_post_is_json_with_its_headers_and_its_answer_is_read(endpoint: Endpoint):
    endpoint.answer = b"taken"
    assert post(endpoint.url) == WebhookAnswer(status=204)  # which has no body
    endpoint.status = 202
    assert post(endpoint.url) == WebhookAnswer(status=202, body="taken")
    sent = endpoint.posted[0]
    assert sent.body == b"{}"
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["webhook-id"] == "evt_1"
    assert sent.headers["host"].startswith("127.0.0.1:")
    assert sent.headers["user-agent"].startswith("newsletter/")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "https://10.0.0.5/", "https://[::1]/", "http://169.254.169.254/"]
)
def test_a_private_address_is_not_posted_to(url: str):
    host = url.split("/")[2].partition(":9")[0].strip("[]")
    said = f"{host} is not on the public internet"
    assert post(url, allow_hosts=()) == WebhookAnswer(reason=said)


def test_a_name_whose_address_is_private_or_changes_gains_nothing(endpoint: Endpoint):
    resolved = list[str]()

    def rebinding(host: str, _port: int) -> list[str]:
        resolved.append(host)
        return ["93.184.216.34", "127.0.0.1"] if len(resolved) == 1 else ["127.0.0.1"]

    port = endpoint.url.split(":")[2].partition("/")[0]
    answer = post(f"http://hooks.example.com:{port}/hooks/0", allow_hosts=(), resolve=rebinding)
    assert answer.reason == "hooks.example.com is not on the public internet"
    assert resolved == ["hooks.example.com"]
    assert endpoint.posted == []


def test_an_answer_that_does_not_come_is_left_at_the_time_limit(endpoint: Endpoint):
    endpoint.gate.clear()
    assert post(endpoint.url, 0.3).reason == "127.0.0.1 took longer than 0.3 seconds"


def test_who_is_not_there_or_speaks_no_http_is_said():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def babble() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 mail.example.com ESMTP\r\n")
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass

        thread = threading.Thread(target=babble)
        thread.start()
        said = post(f"http://127.0.0.1:{port}/").reason
        thread.join()
    assert said == "127.0.0.1 broke off, or does not speak HTTP"
    assert post(f"http://127.0.0.1:{port}/").reason == "127.0.0.1 cannot be reached"
    assert post("http://nowhere.invalid/").reason == "there is no host nowhere.invalid"


def test_of_an_answer_the_beginning_is_kept_without_addresses(endpoint: Endpoint):
    endpoint.status, endpoint.answer = 400, b"no reader@example.com\x07 here\n" + b"x" * 100_000
    found = post(endpoint.url)
    assert found.reason == "127.0.0.1 answered 400"
    assert found.body.startswith("no [address] here\nxxx")
    assert len(found.body) <= 500
