"""Sign-up: what a newsletter asks of who wants it, and what a form says when it was filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from subscribers.model import Frequency

NAME_LENGTH = 200  #: characters, as in a list


@dataclass(frozen=True, kw_only=True)
class SignUpRules:
    """How people subscribe: `[signup]` of a newsletter's file."""

    open: bool = True  #: false: there is no sign-up page
    consent_text: str = ""  #: what they agree to, shown in full; empty: a usual sentence
    confirm_hours: int = 72  #: how long the link in the confirmation works
    unconfirmed_days: int = 14  #: then a sign-up that nobody confirmed is deleted
    welcome: bool = True  #: a letter when it is confirmed
    welcome_issue: bool = True  #: it tells the latest issue's headlines
    allow_origins: tuple[str, ...] = ()  #: sites whose scripts may post to the JSON endpoint
    refuse_disposable: bool = False  #: addresses of services that throw them away
    address_pause_minutes: int = 10  #: from one mail to an address to the next
    address_mails_a_day: int = 3
    network_signups_an_hour: int = 20  #: from a network: an IPv4 /24 or an IPv6 /64


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A form as it was filled in; anything may stand in it."""

    email: str = ""
    name: str = ""
    topics: tuple[str, ...] | None = None  #: None: the form does not ask
    zone: str = ""  #: empty: the newsletter's
    frequency: str = Frequency.DAILY


class _Asked(Protocol):
    """What a form must know of a newsletter."""

    @property
    def topic_slugs(self) -> tuple[str, ...]: ...


def consent_text(rules: SignUpRules, name: str) -> str:
    """Return what people agree to, as it is shown and kept."""
    usual = f"Send me {name} by email. I can leave at any time, with one click in any letter."
    return rules.consent_text.strip() or usual


def form_faults(
    newsletter: _Asked, typed: Typed, zones: frozenset[str], *, weekly: bool
) -> Mapping[str, str]:
    """Return what is wrong with a form but for its address, by field, in a sentence each."""
    faults: dict[str, str] = {}
    if typed.topics is not None and not typed.topics:
        faults["topics"] = "Please choose one topic at least."
    elif not set(typed.topics or ()).issubset(newsletter.topic_slugs):
        faults["topics"] = "There is no such topic."
    if typed.zone and typed.zone not in zones:
        faults["timezone"] = "There is no such time zone."
    frequencies = {Frequency.DAILY, Frequency.WEEKLY} if weekly else {Frequency.DAILY}
    if typed.frequency not in frequencies:
        faults["frequency"] = "Please choose one of these."
    if len(typed.name) > NAME_LENGTH or not typed.name.isprintable():
        faults["name"] = f"A name has at most {NAME_LENGTH} characters, on one line."
    return faults


def chosen_topics(newsletter: _Asked, topics: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the topics chosen; every one of them means everything, also those still to come."""
    chosen = tuple(slug for slug in newsletter.topic_slugs if slug in (topics or ()))
    return () if len(chosen) == len(newsletter.topic_slugs) else chosen
