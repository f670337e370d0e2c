"""Errors about subscribers; each class has a default message, its docstring."""

from datetime import timedelta


class SubscribersError(Exception):
    """The request about subscribers failed."""

    def __str__(self) -> str:
        """Return the given message, or the default one."""
        return super().__str__() or (type(self).__doc__ or "").strip()


class ConcurrentChange(SubscribersError):
    """Something else changed the same records at that moment: nothing was changed; try again."""


class DatabaseBusy(SubscribersError):
    """The database is busy and nothing was changed: try again in a moment."""


class InvalidAddress(SubscribersError, ValueError):
    """Not an address an email can be sent to."""


class InvalidChoice(SubscribersError, ValueError):
    """That choice does not exist."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field  #: "name", "zone", "until" or "words"


class TooManyRequests(SubscribersError):
    """Too many emails were asked for: try again later."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__()
        self.wait = wait  #: until one more may be asked for


class InvalidList(SubscribersError, ValueError):
    """A list could not be read; nothing of it was stored."""


class ListQuestions(InvalidList):
    """Something about a list must be explained first; nothing of it was stored."""

    def __init__(self, sentence: str, options: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.options = options  #: of the command, that would explain it


class InvalidLink(SubscribersError):
    """The link is not valid, or its subscription is gone."""


class NoSuchSubscriber(SubscribersError, LookupError):
    """There is no subscriber with this address."""


class NoSuchSuppression(SubscribersError, LookupError):
    """The address is not on the suppression list."""


class SuppressionNotLifted(SubscribersError):
    """Only the address's owner can undo an unsubscribe or a complaint."""


class NoSuchSubscription(SubscribersError, LookupError):
    """There is no such subscription."""


class NotAdded(SubscribersError):
    """An operator cannot add this address."""


class NotMerged(SubscribersError):
    """These two subscribers cannot be merged."""


class InvalidSegment(SubscribersError, ValueError):
    """A segment's filter or name is not valid."""


class NoSuchSegment(SubscribersError, LookupError):
    """There is no segment with this name."""


class NoSuchImport(SubscribersError, LookupError):
    """There was no such import."""


class NotUndone(SubscribersError):
    """An import still counts, and cannot be purged."""
