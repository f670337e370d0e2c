"""Errors. What is merely expected (a refusal, a held brief) is a value, not an error."""


class NewsletterError(Exception):
    """The newsletter service could not do what was asked."""

    def __str__(self) -> str:
        """Return the sentence given, or the class's own."""
        return super().__str__() or (type(self).__doc__ or "").strip()


class InvalidBrief(NewsletterError, ValueError):
    """A brief could not be read."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place  #: file, and line or field where known
        self.reason = reason


class NotFound(NewsletterError, LookupError):
    """It does not exist."""


class RenderingFailed(NewsletterError):
    """An issue could not be set in type."""


class PartitionMissing(NewsletterError):
    """There is no partition that an issue's deliveries could be stored in."""

    def __init__(self, issue_id: int) -> None:
        super().__init__(
            f"issue {issue_id} cannot be planned, and nothing of it was: there is no partition for "
            "its deliveries. `newsletter run` makes it within minutes, and so does trying again, "
            "unless the database refuses: the role of NEWSLETTER_DATABASE_URL must own the tables"
        )


class NotAllowed(NewsletterError):
    """That is not allowed."""


class ReasonNeeded(NotAllowed):
    """A reason is needed, since it is recorded."""


class ConfirmationNeeded(NotAllowed):
    """Confirm first that it is you: this needs a fresh sign-in."""


class NotApproved(NotAllowed):
    """This issue has not been approved."""


class FindingsUnseen(NotAllowed):
    """Somebody must look at something first."""

    def __init__(self, findings: tuple[str, ...]) -> None:
        super().__init__(f"look at this first: {' '.join(findings)}")
        self.findings = findings  #: a sentence each


class InvalidEdit(NotAllowed):
    """An edit asks for something that a draft cannot be."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field  #: with what it is about below it: "order/2"


class StaleDraft(NotAllowed):
    """This is no longer the draft that was looked at."""

    def __init__(self, changes: tuple[str, ...]) -> None:
        what = "; ".join(changes) or "its sender, its links or the templates changed"
        super().__init__(f"this is no longer what you looked at: {what}")
        self.changes = changes  #: a sentence each, without a full stop


class InvalidEndpoint(NotAllowed):
    """That cannot be a webhook endpoint."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field  #: "name", "url", "events" or "newsletters"


class ChangedMeanwhile(NotAllowed):
    """It was changed meanwhile: read it again."""


class StaleBrief(ChangedMeanwhile):
    """This is no longer the brief that was read."""

    def __init__(self, brief_id: int) -> None:
        super().__init__(f"brief {brief_id} was changed meanwhile: read it again")


class OwnChange(NotAllowed):
    """Nobody approves what they changed last."""


class UndeclaredLogin(NotAllowed):
    """A login of the command line that no member of staff declared is nobody's second person."""

    def __init__(self, login: str) -> None:
        super().__init__(
            f"two people are needed, and nobody knows who {login} is at the command line: "
            f"`newsletter staff login-name ADDRESS {login}` says so"
        )


class NotAPerson(NotAllowed):
    """Two people are needed for this approval, and a token is none of them."""


class EventNotAuthentic(NewsletterError):
    """A webhook request was not signed by SendGrid."""


class AlertNotSent(NewsletterError):
    """An operator alert could not be sent yet."""


class SendGridUnavailable(NewsletterError):
    """SendGrid did not answer a request."""


class ProviderUnavailable(NewsletterError):
    """The company's sign-in does not answer."""


class DatabaseUnreachable(NewsletterError):
    """The database does not answer."""


class DatabaseMismatch(NewsletterError):
    """The database has the tables of another version of this program."""


class ConfigurationError(Exception):
    """The settings are wrong. Outside the tree on purpose: nothing may swallow it."""


class LookupUnanswered(NewsletterError):
    """The DNS did not answer."""


class SiteUnreachable(NewsletterError):
    """The web pages do not answer."""
