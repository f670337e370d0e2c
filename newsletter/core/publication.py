"""Newsletter: a publication, as its file in `config/newsletters/` defines it."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from newsletter.core.brief import Verification
from newsletter.core.signup import SignUpRules
from newsletter.core.source import PolledSource
from newsletter.core.tracking import Tracking
from newsletter.errors import NotFound
from subscribers.model import Frequency, SunsetPolicy


class ApprovalPolicy(StrEnum):
    """Who approves an issue."""

    AUTOMATIC = "automatic"  #: approved as soon as it is set
    PERSON = "person"  #: waits for `newsletter issue approve`
    FOUR_EYES = "four_eyes"  #: waits for a person who did not change it last


class Order(StrEnum):
    """How briefs follow one another within an issue."""

    IMPORTANCE = "importance"  #: the weightiest first, then the newest
    NEWEST = "newest"


class Weekday(StrEnum):
    """A day of the week, as the timetable names it."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What can be subscribed to."""

    slug: str  #: as subscriptions store it; never change or reuse one
    title: str  #: as readers see it
    blurb: str  #: one line for the sign-up page
    keywords: tuple[str, ...]  #: whole words or phrases that suggest this topic, any case


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """An address with the name shown beside it."""

    email: str  #: the address
    name: str  #: the name shown beside it


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """When an issue is assembled and sent, in the newsletter's own zone."""

    zone: str  #: IANA name
    days: tuple[Weekday, ...]  #: weekdays with an issue
    holidays: tuple[date, ...] = ()  #: dates without an issue
    assemble_at: time  #: local time of the cut-off
    send_at: time  #: local time of sending
    catch_up_hours: int = 12  #: an issue not sent by then is missed
    reader_time: bool = False  #: it is sent at `send_at` of each reader's own zone


@dataclass(frozen=True, kw_only=True)
class Caps:
    """How much an issue holds."""

    briefs: int  #: in a whole issue
    briefs_per_topic: int  #: of one topic
    leads: int  #: of them, printed first and in full
    age_hours: int  #: an older brief is stale and held


@dataclass(frozen=True, kw_only=True)
class Readers:
    """Whom an issue is for."""

    newsletter: str  #: slug of the newsletter whose subscribers they are
    frequency: Frequency = Frequency.DAILY  #: of those, who chose this
    segment: str | None = None  #: of those, who are in this segment; None: all


@dataclass(frozen=True, kw_only=True)
class WeeklyDigest:
    """The week's printed briefs in one letter, for readers who want fewer mails."""

    day: Weekday  #: the day of the digest
    name: str = ""  #: empty: "The week in", and the newsletter's pillar
    tagline: str = ""  #: empty: the newsletter's own
    assemble_at: time = time(8)  #: local time of the cut-off
    send_at: time = time(9)  #: local time of sending
    briefs: int = 24  #: in a whole digest
    briefs_per_topic: int = 6  #: of one topic
    leads: int = 4  #: of them, printed first and in full


@dataclass(frozen=True, kw_only=True)
class Newsletter:
    """A publication: its pillar, topics, sender and timetable."""

    slug: str
    name: str  #: as the letter and the pages show it
    pillar: str  #: briefs of this pillar belong here
    tagline: str  #: one line under the name
    language: str  #: BCP 47, for the letter's `lang`
    topics: tuple[Topic, ...]
    sender: Mailbox
    reply_to: Mailbox
    unsubscribe_email: str  #: a mailbox people read: the mailto form of List-Unsubscribe
    list_id: str  #: RFC 2919 identifier, without brackets
    postal_address: str  #: one line; without it nothing is sent
    timetable: Timetable
    minimum_verification: Verification  #: the least verified label that may be printed
    caps: Caps
    order: Order  #: how stories follow one another
    approval: ApprovalPolicy  #: who approves an issue
    sources: tuple[PolledSource, ...] = ()  #: polled for briefs, besides those imported by hand
    signup: SignUpRules = field(default_factory=SignUpRules)
    weekly: WeeklyDigest | None = None  #: None: readers have no choice of frequency
    sunset: SunsetPolicy | None = None  #: None: nobody is ever asked
    tracking: Tracking = field(default_factory=Tracking)
    week_of: str | None = None  #: of a digest: the slug of the newsletter whose week it covers

    @property
    def readers(self) -> Readers:
        if self.week_of:
            return Readers(newsletter=self.week_of, frequency=Frequency.WEEKLY)
        return Readers(newsletter=self.slug)

    def topic(self, slug: str) -> Topic:
        """Return the topic of this slug; NotFound names those there are."""
        for topic in self.topics:
            if topic.slug == slug:
                return topic
        known = ", ".join(self.topic_slugs)
        raise NotFound(f"{self.slug} has no topic {slug!r}; choose from: {known}")

    @property
    def topic_slugs(self) -> tuple[str, ...]:
        return tuple(topic.slug for topic in self.topics)


def weekly_digest(main: Newsletter, weekly: WeeklyDigest) -> Newsletter:
    """Return the newsletter that covers the week of another one, for the same list.

    Its List-Id is the other's: there is one subscription, and unsubscribing ends both. It has no
    holidays: a day without it would cost its readers a whole week.
    """
    return replace(
        main,
        slug=f"{main.slug}-weekly",
        name=weekly.name or f"The week in {main.pillar}",
        tagline=weekly.tagline or main.tagline,
        timetable=replace(
            main.timetable,
            days=(weekly.day,),
            holidays=(),
            assemble_at=weekly.assemble_at,
            send_at=weekly.send_at,
        ),
        caps=Caps(
            briefs=weekly.briefs,
            briefs_per_topic=weekly.briefs_per_topic,
            leads=weekly.leads,
            age_hours=7 * 24,
        ),
        order=Order.IMPORTANCE,
        sources=(),
        signup=replace(main.signup, open=False),
        weekly=None,
        sunset=None,
        week_of=main.slug,
    )


def day_of(timetable: Timetable, moment: datetime) -> date:
    """Return the date of a moment where the newsletter is made."""
    return moment.astimezone(ZoneInfo(timetable.zone)).date()


def span_of(newsletter: Newsletter, on: date) -> tuple[datetime, datetime]:
    """Return the first moment of a date where the newsletter is made, and the next day's."""
    first = datetime.combine(on, time(), ZoneInfo(newsletter.timetable.zone))
    return first, first + timedelta(days=1)
