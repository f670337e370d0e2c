"""`newsletter webhooks`: where what happens here is posted to."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli.common import AsJson, actor, answer, console, container, grid, headed, minute
from newsletter.core.webhook import (
    CHOICES,
    NewEndpoint,
    WebhookEndpoint,
    WebhookEventKind,
)
from newsletter.core.webhook_delivery import WebhookDelivery

app = typer.Typer(no_args_is_help=True, help="Post what happens here to other programs.")

_EVENTS = " | ".join(CHOICES)

Name = Annotated[str, Argument(metavar="NAME", help="The endpoint's name.")]
Events = Annotated[
    list[str] | None,
    Option(
        "--event", metavar="EVENT", help=f"{_EVENTS}; may be given several times. Default: all."
    ),
]
Slugs = Annotated[
    list[str] | None,
    Option(
        "--newsletter",
        metavar="SLUG",
        help="Only of this newsletter; may be given several times. Default: all newsletters.",
    ),
]
Because = Annotated[str, Option("--because", help="The reason, which is recorded.")]


@app.command()
def add(
    name: Name,
    url: Annotated[str, Argument(metavar="URL", help="Where to post: an https address.")],
    event: Events = None,
    newsletter: Slugs = None,
    with_addresses: Annotated[
        bool,
        Option("--with-addresses", metavar="", help="Payloads may hold the addresses of readers."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add an endpoint; prints the secret that it is to verify signatures with, this once."""
    wanted = NewEndpoint(
        name=name,
        url=url,
        events=frozenset(map(_kind, event)) if event else frozenset(CHOICES),
        newsletters=frozenset(newsletter or ()),
        addresses=with_addresses,
    )
    added, secret = container().webhooks.add(wanted, actor=actor())
    answer({"endpoint": added, "secret": secret}, as_json=as_json, show=lambda: print(secret))


@app.command("list")
def list_endpoints(as_json: AsJson = False) -> None:
    """List the endpoints."""
    found = container().webhooks.endpoints()
    answer(found, as_json=as_json, show=lambda: _print_endpoints(found))


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show an endpoint, and what was posted to it lately."""
    endpoint = container().webhooks.named(name)
    deliveries = container().webhooks.deliveries(endpoint.id)
    data = {"endpoint": endpoint, "deliveries": deliveries}
    answer(data, as_json=as_json, show=lambda: _print_endpoint(endpoint, deliveries))


@app.command("test")
def try_endpoint(name: Name, as_json: AsJson = False) -> None:
    """Post a ping to an endpoint now, and show its answer; fails unless it is a success."""
    endpoint = container().webhooks.named(name)
    found = container().webhooks.test(endpoint.id, actor=actor())
    answer(found, as_json=as_json, show=lambda: console.print(escape(_answered(found))))
    if not found.answer.is_success:
        raise typer.Exit(1)


@app.command()
def pause(name: Name, because: Because = "paused by a person", as_json: AsJson = False) -> None:
    """Post nothing to an endpoint until it is resumed; its events wait, three days at most."""
    webhooks = container().webhooks
    paused = webhooks.pause(webhooks.named(name).id, actor=actor(), because=because)
    answer(paused, as_json=as_json, show=lambda: _say("paused", name))


@app.command()
def resume(name: Name, as_json: AsJson = False) -> None:
    """Let a paused endpoint have its events again, those that waited first."""
    webhooks = container().webhooks
    resumed = webhooks.resume(webhooks.named(name).id, actor=actor())
    answer(resumed, as_json=as_json, show=lambda: _say("resumed", name))


@app.command()
def rotate(name: Name, as_json: AsJson = False) -> None:
    """Give an endpoint another secret, and print it; for 24 hours the one before signs, too."""
    webhooks = container().webhooks
    secret = webhooks.rotate(webhooks.named(name).id, actor=actor())
    answer({"secret": secret}, as_json=as_json, show=lambda: print(secret))


@app.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """Remove an endpoint, with what was still to be posted to it."""
    webhooks = container().webhooks
    webhooks.remove(webhooks.named(name).id, actor=actor())
    answer({"removed": name}, as_json=as_json, show=lambda: _say("removed", name))


@app.command("send-again")
def send_again(
    name: Name,
    delivery: Annotated[
        int, Argument(metavar="NUMBER", help="Of the delivery, as `webhooks show` has it.")
    ],
    as_json: AsJson = False,
) -> None:
    """Post an event once more, under its old id; the scheduler does so within seconds."""
    webhooks = container().webhooks
    found = webhooks.send_again(webhooks.named(name).id, delivery, actor=actor())
    answer(found, as_json=as_json, show=lambda: _say("to be posted again", found.event.id))


def _kind(name: str) -> WebhookEventKind:
    if name not in list(CHOICES):
        raise typer.BadParameter(f"{name!r} is no event; choose from: {_EVENTS}")
    return WebhookEventKind(name)


def _say(what: str, name: str) -> None:
    console.print(f"{what}: {escape(name)}")


def _events(endpoint: WebhookEndpoint) -> str:
    everything = endpoint.events == frozenset(CHOICES)
    return "all events" if everything else ", ".join(sorted(endpoint.events))


def _print_endpoints(found: Iterable[WebhookEndpoint]) -> None:
    lines = (
        [escape(one.name), one.state.value, escape(one.url), _events(one), _newsletters(one)]
        for one in found
    )
    console.print(headed("name", "", "address", "events", "newsletters", rows=lines))


def _newsletters(endpoint: WebhookEndpoint) -> str:
    return ", ".join(sorted(endpoint.newsletters)) or "all newsletters"


def _print_endpoint(endpoint: WebhookEndpoint, found: Iterable[WebhookDelivery]) -> None:
    state = f"{endpoint.state.value}: {endpoint.reason}" if endpoint.reason else endpoint.state
    pairs = {
        "address": endpoint.url,
        "state": state,
        "events": _events(endpoint),
        "newsletters": _newsletters(endpoint),
        "addresses of readers": "in payloads" if endpoint.addresses else "never",
        "added": f"{minute(endpoint.created_at)} by {endpoint.created_by}",
    }
    if endpoint.former_until and endpoint.former_until > container().clock.now():
        pairs["two secrets until"] = minute(endpoint.former_until)
    if endpoint.failing_since:
        pairs["takes nothing since"] = minute(endpoint.failing_since)
    console.print(grid((name, escape(value)) for name, value in pairs.items()))
    lines = (
        [str(one.id), minute(one.event.at), one.event.kind.value, one.state.value,
         str(one.tries), escape(_answered(one))]
        for one in found
    )  # fmt: skip
    console.print()
    console.print(
        headed("number", "at", "event", "state", "tries", "answer", rows=lines, right=(0, 4))
    )


def _answered(one: WebhookDelivery) -> str:
    """Return what the latest try came to, on one line."""
    status = str(one.answer.status or "")
    said = " ".join(one.answer.body.split())
    return " ".join(
        part for part in (one.answer.reason or status, f"“{said}”" if said else "") if part
    )
