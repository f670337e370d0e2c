"""Broken promises about subscribers."""


class SubscribersError(Exception):
    """The subscribers' house could not do what was asked."""


class InvalidAddress(SubscribersError, ValueError):
    """Not an address a letter can be sent to."""


class InvalidList(SubscribersError, ValueError):
    """A list could not be read; nothing of it was stored."""


class InvalidLink(SubscribersError):
    """The link is not one of ours, or its subscription is gone."""


class NoSuchSubscriber(SubscribersError, LookupError):
    """There is no subscriber of this address."""
