"""Newsletter: a publication, as its file in `config/newsletters/` defines it."""

from dataclasses import dataclass, field, replace
from datetime import date, time
from enum import StrEnum

from newsletter.core.brief import Verification
from newsletter.core.signup import SignUpRules
from newsletter.core.source import PolledSource
from newsletter.errors import NotFound
from subscribers.model import Frequency, SunsetPolicy


class ApprovalPolicy(StrEnum):
    """Who approves an issue."""

    AUTOMATIC = "automatic"  #: approved as soon as it is set
    PERSON = "person"  #: waits for `newsletter issue approve`


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

    slug: str
    title: str
    blurb: str  #: one line for the sign-up page
    keywords: tuple[str, ...]  #: whole words or phrases that suggest this topic, any case


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """An address with the name shown beside it."""

    email: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """When an issue is assembled and sent, in the newsletter's own zone."""

    zone: str  #: IANA name
    days: tuple[Weekday, ...]
    holidays: tuple[date, ...] = ()  #: dates without an issue
    assemble_at: time
    send_at: time
    catch_up_hours: int = 12  #: an issue that did not leave by then is missed, not sent
    reader_time: bool = False  #: it leaves at `send_at` as each reader's own clock shows it


@dataclass(frozen=True, kw_only=True)
class Caps:
    """How much an issue holds."""

    briefs: int  #: in a whole issue
    briefs_per_topic: int
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

    day: Weekday
    name: str = ""  #: empty: "The week in", and the newsletter's pillar
    tagline: str = ""  #: empty: the newsletter's own
    assemble_at: time = time(8)
    send_at: time = time(9)
    briefs: int = 24
    briefs_per_topic: int = 6
    leads: int = 4


@dataclass(frozen=True, kw_only=True)
class Newsletter:
    """A publication: its pillar, topics, sender and timetable."""

    slug: str
    name: str
    pillar: str  #: briefs of this pillar belong here
    tagline: str
    language: str  #: BCP 47, for the letter's `lang`
    topics: tuple[Topic, ...]
    sender: Mailbox
    reply_to: Mailbox
    unsubscribe_email: str  #: a mailbox people read: the mailto form of List-Unsubscribe
    list_id: str  #: RFC 2919 identifier, without brackets
    postal_address: str  #: one line; without it nothing is sent
    timetable: Timetable
    floor: Verification  #: the least verified label that may be printed
    caps: Caps
    order: Order
    approval: ApprovalPolicy
    sources: tuple[PolledSource, ...] = ()  #: polled for briefs, besides those brought by hand
    signup: SignUpRules = field(default_factory=SignUpRules)
    weekly: WeeklyDigest | None = None  #: None: readers have no choice of frequency
    sunset: SunsetPolicy | None = None  #: None: nobody is ever asked
    week_of: str | None = None  #: of a digest: the slug of the newsletter whose week it tells

    @property
    def readers(self) -> Readers:
        """Return whom its issues are for."""
        if self.week_of:
            return Readers(newsletter=self.week_of, frequency=Frequency.WEEKLY)
        return Readers(newsletter=self.slug)

    def topic(self, slug: str) -> Topic:
        """Return the topic of this slug; NotFound names those there are."""
        for topic in self.topics:
            if topic.slug == slug:
                return topic
        known = ", ".join(self.topic_slugs)
        raise NotFound(f"{self.slug} has no topic {slug!r}; there is: {known}")

    @property
    def topic_slugs(self) -> tuple[str, ...]:
        """Return the slugs in the newsletter's own order."""
        return tuple(topic.slug for topic in self.topics)


def weekly_digest(main: Newsletter, weekly: WeeklyDigest) -> Newsletter:
    """Return the newsletter that tells the week of another one, to the same list.

    Its List-Id is the other's: there is one subscription, and one goodbye ends both. It keeps no
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
