"""The container: parts can be replaced, and it closes what it opened and nothing else."""

import subprocess
import sys
from dataclasses import fields
from functools import cached_property
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, make_url, text

from newsletter.container import Container
from newsletter.container.seams import Seams
from newsletter.errors import ConfigurationError
from newsletter.web.api.dependencies import ApiServices
from newsletter.web.console.dependencies import ConsoleServices
from tests.container import open_container
from tests.fakes import FakeClock, FakeMailer
from tests.settings import settings_for

SLOW = "alembic apprise apscheduler dateutil fastapi jinja2 mjml premailer procrastinate sendgrid"


def test_a_given_part_is_used_and_every_seam_can_be_given():
    clock, mailer = FakeClock(), FakeMailer()
    container = Container(settings_for(), clock=clock, mailer=mailer)
    assert (container.clock, container.mailer) == (clock, mailer)
    for name in Seams.__annotations__:
        part = object()
        assert getattr(Container(settings_for(), **{name: part}), name) is part


@pytest.mark.parametrize("services", [ConsoleServices, ApiServices])
def test_what_routes_are_given_by_its_name_is_what_they_say_it_is(services: type[Any]):
    for one in fields(services):
        part = getattr(Container, one.name, None)
        if isinstance(part, cached_property) and isinstance(one.type, type):
            assert part.func.__annotations__["return"] == one.type.__name__


def test_a_part_that_is_no_seam_is_refused():
    with pytest.raises(TypeError, match="mailbox"):
        Container(settings_for(), mailbox=None)


def test_without_a_key_there_is_no_mailer():
    with pytest.raises(ConfigurationError, match="SENDGRID_API_KEY"):
        assert Container(settings_for()).mailer


@pytest.mark.postgres
def test_what_was_given_stays_open(engine: Engine):
    with engine.connect() as connection:
        open_container(engine).close()
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
        assert engine.pool.checkedout() == 1  # it would be another pool, had it been disposed of


@pytest.mark.postgres
def test_a_given_engine_needs_no_embedded_server(engine: Engine):
    container = open_container(engine)
    assert (container.embedded, container.database) == (None, engine.url)


@pytest.mark.postgres
def test_a_database_is_not_migrated_before_its_engine_is_asked_for(postgres: str):
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE unmigrated")
    url = make_url(postgres).set(database="unmigrated").render_as_string(hide_password=False)
    container = Container(settings_for(environment={"database_url": SecretStr(url)}))

    assert (container.embedded, container.database.database) == (None, "unmigrated")
    assert _tables(url) == 0
    assert container.engine.url == container.database
    assert _tables(url) > 0

    container.close()


def _tables(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        return connection.execute(found).fetchall()[0][0]


def test_no_slow_module_is_loaded_before_a_part_needs_it():
    code = f"import sys, newsletter.container; print(*({set(SLOW.split())} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
