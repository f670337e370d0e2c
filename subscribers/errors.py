"""Broken promises about subscribers."""


class SubscribersError(Exception):
    """The subscribers' house could not do what was asked."""

    def __str__(self) -> str:
        """Say the sentence given, or the one this kind of error always says."""
        return super().__str__() or (type(self).__doc__ or "").strip()


class InvalidAddress(SubscribersError, ValueError):
    """Not an address a letter can be sent to."""


class InvalidChoice(SubscribersError, ValueError):
    """A subscriber's choice is not one that there is."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field  #: "name", "zone", "until" or "words"


class InvalidList(SubscribersError, ValueError):
    """A list could not be read; nothing of it was stored."""


class InvalidLink(SubscribersError):
    """The link is not one of ours, or its subscription is gone."""


class NoSuchSubscriber(SubscribersError, LookupError):
    """There is no subscriber of this address."""


class NoSuchSuppression(SubscribersError, LookupError):
    """The address is not on the suppression list."""


class NotLifted(SubscribersError):
    """What the address's owner said is not taken back by anybody else."""


class NoSuchSubscription(SubscribersError, LookupError):
    """There is no such subscription."""


class NotAdded(SubscribersError):
    """An operator cannot add this address."""


class NotMerged(SubscribersError):
    """These two subscribers cannot be made one."""


class InvalidSegment(SubscribersError, ValueError):
    """A segment's filter or name says nothing that can be understood."""


class NoSuchSegment(SubscribersError, LookupError):
    """There is no segment of this name."""


class NoSuchImport(SubscribersError, LookupError):
    """There was no such import."""
