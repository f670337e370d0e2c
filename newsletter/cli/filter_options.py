"""The options of a filter, for commands that take one."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

import typer
from typer.core import TyperCommand

_PANEL = "The filter: subscribers must match all of it"
_OR = Parameter(
    "or_",
    Parameter.KEYWORD_ONLY,
    default=typer.Option(
        False,
        "--or",
        metavar="",
        help="Begin another filter: subscribers must match all of one of them.",
        rich_help_panel=_PANEL,
    ),
    annotation=bool,
)
_FILTER = {  #: what each option of a filter takes, and its help
    "topic": ("A,B", "Chose any of these topics."),
    "tag": ("A,B", "Has any of these tags."),
    "tags_all": ("A,B", "Has each of these tags."),
    "tags_none": ("A,B", "Has none of these tags."),
    "status": ("WORD", "mailable, active, paused, ended or suppressed."),
    "frequency": ("WORD", "daily or weekly."),
    "zone": ("A,B", "Lives in one of these time zones (Europe/Berlin) or areas (Europe)."),
    "source": ("TEXT", "Came from this source; the beginning is enough."),
    "joined_since": ("DATE", "Joined on this day or later."),
    "joined_before": ("DATE", "Joined before this day."),
    "engaged_within": ("DAYS", "Opened or clicked within this many days."),
    "not_engaged_within": ("DAYS", "Did not open or click for this many days."),
    "domain": ("A,B", "Has an address at any of these domains."),
    "not_domain": ("A,B", "Has no address at any of these domains."),
    "received": ("ISSUE", "Got this issue: its date, or last-3 for any of the last three."),
    "opened": ("ISSUE", "Opened it, or followed a link in it."),
    "not_opened": ("ISSUE", "Got it, and did not open it."),
    "clicked": ("ISSUE", "Followed a link in it."),
    "not_clicked": ("ISSUE", "Got it, and followed no link in it."),
    "clicked_story": ("BRIEF", "Followed the link of this story, by its number."),
}
_MANY = ("A,B", "ISSUE", "BRIEF")  #: what an option may be given several times
_PLURALS = {  #: the filter's names for options
    "topic": "topics",
    "tag": "tags",
    "zone": "zones",
    "domain": "domains",
    "not_domain": "not_domains",
    "clicked_story": "clicked_stories",
}


class FilterCommand(TyperCommand):
    """A command whose options may be several filters, each but the first after an `--or`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = {f"--{name.replace('_', '-')}": name for name in _FILTER}
        others: list[dict[str, Any]] = []
        own, rest = list[str](), iter(args)
        for word in rest:
            option, given, value = word.partition("=")
            if word == "--or":
                others.append({})
            elif others and option in known:
                _add(others[-1], known[option], value if given else next(rest, ""))
            else:
                own.append(word)
        unread = super().parse_args(ctx, own)
        ctx.params["or_"] = others
        return unread


def _add(said: dict[str, Any], name: str, value: str) -> None:
    many = _FILTER[name][0] in _MANY
    field = _PLURALS.get(name, name)
    said[field] = [*said.get(field, []), value] if many else value


def filtering(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a filter; those given are its argument `said`."""

    @wraps(command)
    def filtered(**options: Any) -> None:
        given = {name: options.pop(name) for name in _FILTER}
        said = {_PLURALS.get(name, name): value for name, value in given.items() if value}
        others: list[dict[str, Any]] = options.pop("or_")
        command(said={"any_of": [said, *others]} if others else said, **options)

    name, *more = (one for one in signature(command).parameters.values() if one.name != "said")
    # Typer reads a command's options from its signature.
    vars(filtered)["__signature__"] = Signature([name, *map(_option, _FILTER), _OR, *more])
    return filtered


def _option(name: str) -> Parameter:
    metavar, words = _FILTER[name]
    kind = (list[str] if metavar in _MANY else str) | None
    option = typer.Option(None, metavar=metavar, help=words, rich_help_panel=_PANEL)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=option, annotation=kind)
