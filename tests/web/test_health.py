"""Alive, ready, and in figures: who may ask, and what the answers mean."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, text

from newsletter.adapters.metrics import Metrics
from newsletter.core.delivery import BatchState, Refused, Remedy, Unknown
from newsletter.stores.database import make_engine
from newsletter.stores.healthcheck import check_health
from newsletter.web.health import router
from tests.container import TestContainer, open_container


@dataclass(frozen=True)
class Health:
    """Those of the web's services that a health check uses."""

    healthcheck: Callable[[], dict[str, bool]]
    metrics: Callable[[], bytes]
    metrics_token: str | None


WELL = Health(
    healthcheck=lambda: {"database": True},
    metrics=lambda: b"# TYPE a gauge\na 1\n",
    metrics_token=None,
)


def ask(
    health: Health | None,
    path: str,
    *,
    client: str = "127.0.0.1",
    host: str = "127.0.0.1:8080",
    **headers: str,
) -> httpx.Response:
    app = FastAPI()
    app.state.services = health
    app.include_router(router)

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(client, 4321))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as asking:
            return await asking.get(path, headers=headers)

    return asyncio.run(answer())


def test_everybody_may_ask_whether_the_process_is_alive() -> None:
    answer = ask(None, "/healthz", client="203.0.113.7", host="news.example.com")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
def test_the_rest_is_for_this_machine_only(path: str) -> None:
    assert ask(WELL, path).status_code == 200
    assert ask(WELL, path, client="::1", host="localhost").status_code == 200
    assert ask(WELL, path, client="203.0.113.7").status_code == 404
    assert ask(WELL, path, host="news.example.com").status_code == 404
    for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
        assert ask(WELL, path, **{name: "127.0.0.1"}).status_code == 404


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
def test_with_a_token_only_its_bearer_is_answered(path: str) -> None:
    guarded = replace(WELL, metrics_token="sesame")
    far = {"client": "203.0.113.7", "host": "news.example.com"}
    assert ask(guarded, path, **far, Authorization="Bearer sesame").status_code == 200
    for wrong in ("Bearer sesam", "Bearer ", "Basic sesame", "Bearer sésame"):
        answer = ask(guarded, path, **far, Authorization=wrong.encode())  # type: ignore[arg-type]
        assert answer.status_code == 404
    assert ask(guarded, path).status_code == 404


def test_two_tokens_are_taken_while_one_takes_over_from_the_other() -> None:
    guarded = replace(WELL, metrics_token="old-one, new-one")
    for token, status in (("old-one", 200), ("new-one", 200), ("old-one, new-one", 404), ("", 404)):
        assert ask(guarded, "/metrics", Authorization=f"Bearer {token}").status_code == status
    nobody = replace(WELL, metrics_token=" , ")
    assert ask(nobody, "/metrics", Authorization="Bearer ").status_code == 404


def beat(engine: Engine, age: timedelta = timedelta()) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - :age)"),
            {"age": age},
        )


@pytest.fixture
def ready(engine: Engine) -> Callable[[], httpx.Response]:
    return lambda: ask(replace(WELL, healthcheck=lambda: check_health(engine)), "/readyz")


@pytest.mark.postgres
def test_it_is_ready_with_a_worker_alive_and_its_tables_up_to_date(
    engine: Engine, ready: Callable[[], httpx.Response]
) -> None:
    beat(engine, timedelta(minutes=1))
    answer = ready()
    assert answer.status_code == 503
    assert answer.json() == {"database": True, "migrations": True, "worker": False}
    beat(engine)
    assert (ready().status_code, set(ready().json().values())) == (200, {True})
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = ready()
    assert answer.status_code == 503
    assert answer.json()["migrations"] is False


def gone() -> Engine:
    """An engine of a database that is not there."""
    return make_engine("postgresql://nobody:sesame@127.0.0.1:9/nothing")


def test_without_a_database_it_is_not_ready_and_says_so() -> None:
    answer = ask(replace(WELL, healthcheck=lambda: check_health(gone())), "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": False, "migrations": False, "worker": False}


def scrape(metrics: Callable[[], bytes]) -> dict[Any, float]:
    """Ask over HTTP; return each sample by its name and the values of its labels."""
    answer = ask(replace(WELL, metrics=metrics), "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name.removeprefix("newsletter_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def ours(found: dict[Any, float]) -> dict[Any, float]:
    return {key: value for key, value in found.items() if not key[0].startswith("process_")}


def no_account(_issue_id: int) -> Any:
    raise AssertionError("nobody asked for it")


def test_foreign_events_are_counted_apart_by_their_origin() -> None:
    counts = {"foreign_events_unmatched": 3, "events_opened": 1}
    found = scrape(Metrics(gone(), audit=no_account, counts=lambda: counts))
    assert found["events_total", "opened"] == 1
    assert {key: value for key, value in found.items() if key[0] == "foreign_events_total"} == {
        ("foreign_events_total", "another_installation"): 0,
        ("foreign_events_total", "unmatched"): 3,
        ("foreign_events_total", "without_ids"): 0,
    }


def test_figures_without_a_database_say_that_it_is_down() -> None:
    found = scrape(Metrics(gone(), audit=no_account, counts=lambda: {"posts_refused": 2}))
    assert found["database_up",] == 0
    assert found["webhook_refused_total",] == 2
    assert ("unknown_batches",) not in found


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    """Seven readers, in batches of three."""
    made = open_container(engine)
    made.receive("chips")
    made.subscribe(tmp_path, {f"reader-{n}@example.com": "" for n in range(7)})
    return made


@pytest.mark.postgres
def test_the_figures_of_an_issue_are_those_of_its_account(container: TestContainer) -> None:
    asked: list[int] = []

    def account(issue_id: int) -> Any:
        asked.append(issue_id)
        return container.deliveries.audit(issue_id)

    metrics = Metrics(container.engine, audit=account, counts=dict)
    assert scrape(metrics)["database_up",] == 1
    stored = container.plan_issue()
    found = scrape(metrics)
    assert found["deliveries", "technology", "to_go"] == 7
    assert found["batches", "technology", "planned"] == 3
    assert asked == []  # nothing is looked through while it leaves
    container.unsubscribe("reader-0@example.com")
    container.mailer.answers = [
        Unknown(reason="timed out"),
        lambda _: Refused(reason="400", remedy=Remedy.EJECT, offenders=(0,)),
    ]
    container.queue.work(until_empty=True)
    found = scrape(metrics)
    sums = container.deliveries.totals(stored.id).sums
    names = ("accepted", "unknown", "to_go")
    assert {n: found["deliveries", "technology", n] for n in names} == {
        n: getattr(sums, n) for n in names
    }
    assert sums.unknown > 0
    assert found["deliveries", "technology", "left_out"] == sums.skipped + sums.refused == 2
    assert found["batches", "technology", "unknown"] == found["unknown_batches",] == 1
    assert found["issue_sums_add_up", "technology"] == 1
    assert found["sending_seconds", "technology"] >= 0
    assert ours(scrape(metrics)) == ours(found)
    assert asked == [stored.id]  # once, however often it is scraped
    with container.engine.begin() as connection:
        connection.execute(text("UPDATE issue SET audience = audience + 1"))
        connection.execute(text("UPDATE batch SET state = 'accepted' WHERE state = 'unknown'"))
    assert scrape(metrics)["issue_sums_add_up", "technology"] == 0


@pytest.mark.postgres
def test_figures_of_the_database_and_of_this_process(engine: Engine) -> None:
    beat(engine)
    with engine.begin() as connection:
        connection.execute(
            text("""INSERT INTO operator_alert (at, newsletter, date, kind, sentence)
                    VALUES (now(), 'technology', '2026-11-23', 'paused', 'why')""")
        )
    counts = {"posts": 5, "events_delivered": 40, "events_bounced": 2, "events_repeated": 9}
    found = scrape(Metrics(engine, audit=no_account, counts=lambda: counts))
    assert (found["workers",], found["unsent_alerts",]) == (1, 1)
    assert found["events_total", "delivered"] == 40
    assert found["events_total", "bounced"] == 2
    assert ("events_total", "repeated") not in found
    assert found["process_resident_memory_bytes",] > 0


@pytest.mark.postgres
def test_every_state_of_a_batch_has_its_place_in_the_figures(container: TestContainer) -> None:
    container.plan_issue()
    metrics = Metrics(container.engine, audit=container.deliveries.audit, counts=dict)
    for state in BatchState:
        with container.engine.begin() as connection:
            connection.execute(text("UPDATE batch SET state = :state"), {"state": state})
        found = scrape(metrics)
        letters = [value for key, value in found.items() if key[0] == "deliveries"]
        assert sum(letters) == 7
        assert found["batches", "technology", state] == 3


@pytest.mark.postgres
def test_transactional_emails_have_their_own_figures(engine: Engine) -> None:
    queued = """
        INSERT INTO transactional_email (newsletter, kind, refers, created_at, state)
        VALUES ('technology', :kind, :refers, now() - CAST(:age AS interval), :state)
    """
    stored = [
        ("confirmation", "90 s", "waiting"),
        ("confirmation", "10 s", "waiting"),
        ("welcome", "5 s", "claimed"),
        ("welcome", "1 h", "accepted"),
        ("welcome", "1 h", "refused"),
        ("welcome", "1 h", "unknown"),
        ("welcome", "3 d", "accepted"),
    ]
    with engine.begin() as connection:
        for refers, (kind, age, state) in enumerate(stored):
            values = {"refers": refers, "kind": kind, "age": age, "state": state}
            connection.execute(text(queued), values)

    found = scrape(Metrics(engine, audit=no_account, counts=dict))

    assert found["transactional_waiting", "confirmation"] == 2
    assert 90 <= found["transactional_oldest_waiting_seconds", "confirmation"] < 900
    assert found["transactional_waiting", "welcome"] == 0
    assert found["transactional_oldest_waiting_seconds", "welcome"] == 0
    states = ("waiting", "claimed", "accepted", "refused", "unknown", "void")
    assert [found["transactional_emails", state] for state in states] == [2, 1, 1, 1, 1, 0]
