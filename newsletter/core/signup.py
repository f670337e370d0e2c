"""Sign-up: the rules of a newsletter, and what is wrong with a form as it was filled in."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from subscribers.model import Frequency

NAME_LENGTH = 200  #: characters, as in a list


@dataclass(frozen=True, kw_only=True)
class SignUpRules:
    """How people subscribe: `[signup]` in a newsletter's file."""

    open: bool = True  #: false: there is no sign-up page
    consent_text: str = ""  #: what they agree to, shown in full; empty: a usual sentence
    confirm_hours: int = 72  #: how long the link in the confirmation works
    unconfirmed_days: int = 14  #: then a sign-up that nobody confirmed is deleted
    welcome: bool = True  #: a letter when it is confirmed
    welcome_issue: bool = True  #: it lists the latest issue's headlines
    allow_origins: tuple[str, ...] = ()  #: sites whose scripts may post to the JSON endpoint
    refuse_disposable: bool = False  #: addresses at services for throw-away mail
    address_pause_minutes: int = 10  #: from one mail to an address to the next
    address_mails_a_day: int = 3  #: to one address
    network_signups_an_hour: int = 20  #: from a network: an IPv4 /24 or an IPv6 /64
    address_changes_a_day: int = 5  #: of one subscriber, before they confirm one


@dataclass(frozen=True, kw_only=True)
class SignUpForm:
    """A form as it was filled in; anything may stand in it."""

    email: str = ""
    name: str = ""
    topics: tuple[str, ...] | None = None  #: None: the form does not ask
    zone: str = ""  #: empty: the newsletter's
    frequency: str = Frequency.DAILY


def consent_text(rules: SignUpRules, name: str) -> str:
    usual = f"Send me {name} by email. I can leave at any time, with one click in any letter."
    return rules.consent_text.strip() or usual


def form_faults(
    topics: Collection[str], form: SignUpForm, zones: frozenset[str], *, weekly: bool
) -> Mapping[str, str]:
    """Return what is wrong with a form but for its address, by field, in a sentence each."""
    faults: dict[str, str] = {}
    if form.topics is not None and not form.topics:
        faults["topics"] = "Please choose at least one topic."
    elif not set(form.topics or ()).issubset(topics):
        faults["topics"] = "There is no such topic."
    if form.zone and form.zone not in zones:
        faults["timezone"] = "There is no such time zone."
    frequencies = {Frequency.DAILY, Frequency.WEEKLY} if weekly else {Frequency.DAILY}
    if form.frequency not in frequencies:
        faults["frequency"] = "Please choose one of these."
    if len(form.name) > NAME_LENGTH or not form.name.isprintable():
        faults["name"] = f"A name has at most {NAME_LENGTH} characters, on one line."
    return faults


def chosen_topics(all_topics: tuple[str, ...], topics: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the topics chosen; all of them means everything, later topics included."""
    chosen = tuple(slug for slug in all_topics if slug in (topics or ()))
    return () if len(chosen) == len(all_topics) else chosen
