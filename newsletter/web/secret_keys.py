"""Our own secrets in requests: one, or several while a new one takes over from the old one."""

import hmac


def is_one_of(given: str | bytes, keys: str) -> bool:
    """Return whether it is one of the keys, which are separated by commas.

    Each is compared, so that the time says nothing of them.
    """
    sent = given.encode() if isinstance(given, str) else given
    known = [one for key in keys.split(",") if (one := key.strip())]
    return any([hmac.compare_digest(sent, one.encode()) for one in known])  # noqa: C419  # all of them
