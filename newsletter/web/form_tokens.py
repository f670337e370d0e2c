"""Signed tokens in forms that say when the form was shown: only a machine fills it in at once."""

from collections.abc import Callable
from datetime import datetime, timedelta

from itsdangerous import BadSignature, TimestampSigner

DAY = timedelta(days=1)
QUICK = timedelta(seconds=2)  #: nobody reads a form in less


class FormTokens:
    """Makes and checks the tokens of this installation."""

    def __init__(self, key: Callable[[], bytes], now: Callable[[], datetime]) -> None:
        self._key, self._now = key, now  #: the key is in the database, so it is read on first use

    def make(self, form: str, *, earlier: timedelta = timedelta()) -> str:
        """Return a token for a form that is shown now."""
        signed = _Signer(self._key(), self._now() - earlier).sign(form)
        return signed.rpartition(form.encode() + b".")[2].decode("ascii")

    def is_fresh(self, form: str, token: str) -> bool:
        """Return whether this form was shown here within the last day."""
        age = self._age(form, token)
        return age is not None and timedelta() <= age <= DAY

    def is_read(self, form: str, token: str) -> bool:
        """Return whether this form is fresh, and was shown long enough to be read."""
        age = self._age(form, token)
        return age is not None and QUICK <= age <= DAY

    def _age(self, form: str, token: str) -> timedelta | None:
        try:
            signer = _Signer(self._key(), self._now())
            _, shown = signer.unsign(f"{form}.{token}", return_timestamp=True)
        except (BadSignature, UnicodeError):
            return None
        return self._now() - shown


class _Signer(TimestampSigner):
    """A signer with our clock instead of the machine's."""

    def __init__(self, key: bytes, now: datetime) -> None:
        super().__init__(key, salt="form")
        self._timestamp = int(now.timestamp())

    def get_timestamp(self) -> int:
        return self._timestamp
