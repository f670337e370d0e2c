"""Stamps: when a form was shown, signed: whoever fills it in at once is a machine."""

from collections.abc import Callable
from datetime import datetime, timedelta

from itsdangerous import BadSignature, TimestampSigner

DAY = timedelta(days=1)
QUICK = timedelta(seconds=2)  #: sooner than this nobody has read a form


class FormTokens:
    """Makes and reads the stamps of one house."""

    def __init__(self, key: Callable[[], bytes], now: Callable[[], datetime]) -> None:
        self._key, self._now = key, now  #: the key is asked for late: it is in the database

    def make(self, form: str, *, earlier: timedelta = timedelta()) -> str:
        """Return a stamp for a form that is shown now."""
        signed = _Signer(self._key(), self._now() - earlier).sign(form)
        return signed.rpartition(form.encode() + b".")[2].decode("ascii")

    def is_fresh(self, form: str, stamp: str) -> bool:
        """Tell whether this form was shown here, and no longer ago than a day."""
        age = self._age(form, stamp)
        return age is not None and timedelta() <= age <= DAY

    def is_read(self, form: str, stamp: str) -> bool:
        """Tell whether this form is fresh, and was shown long enough to be read."""
        age = self._age(form, stamp)
        return age is not None and QUICK <= age <= DAY

    def _age(self, form: str, stamp: str) -> timedelta | None:
        try:
            signer = _Signer(self._key(), self._now())
            _, shown = signer.unsign(f"{form}.{stamp}", return_timestamp=True)
        except (BadSignature, UnicodeError):
            return None
        return self._now() - shown


class _Signer(TimestampSigner):
    """A signer of another clock than the machine's."""

    def __init__(self, key: bytes, now: datetime) -> None:
        super().__init__(key, salt="form")
        self._moment = int(now.timestamp())

    def get_timestamp(self) -> int:
        """Return the moment of this signer."""
        return self._moment
