"""Faults on demand: how the next calls of mail/send fail."""

import random
import re
import threading
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator


class FaultKind(StrEnum):
    """The kinds of failure, each with the error that urllib raises."""

    HANG = "hang"  #: accepts, then says nothing: TimeoutError
    CLOSE_AFTER_ACCEPT = "close_after_accept"  #: accepts, then hangs up: RemoteDisconnected
    TRUNCATE_202 = "truncate_202"  #: accepts, and breaks off within the answer: IncompleteRead
    GARBAGE = "garbage"  #: accepts, and answers what is not HTTP: BadStatusLine
    CLOSE_BEFORE_READ = "close_before_read"  #: small: RemoteDisconnected; large: URLError
    RESET = "reset"  #: resets the connection within a large body: URLError
    EARLY_413 = "early_413"  #: answers before it has read; a large body sees a URLError instead
    REDIRECT = "redirect"  #: 302 to a page that answers 200, which urllib follows with a GET
    STATUS_401_CREDITS = "status_401_credits"
    STATUS_403 = "status_403"
    STATUS_429 = "status_429"
    STATUS_500 = "status_500"
    STATUS_502 = "status_502"
    STATUS_503 = "status_503"
    STATUS_504 = "status_504"
    BAD_ADDRESS = "bad_address"  #: 400 for addresses that match `pattern`, on every call


_ACCEPTING = {
    FaultKind.HANG, FaultKind.CLOSE_AFTER_ACCEPT, FaultKind.TRUNCATE_202, FaultKind.GARBAGE,
}  # fmt: skip
_CHOOSING = {  # a rule may choose whether the request is accepted
    FaultKind.HANG, FaultKind.STATUS_500, FaultKind.STATUS_502, FaultKind.STATUS_503,
    FaultKind.STATUS_504,
}  # fmt: skip


class FaultRule(BaseModel):
    """A fault, and which calls it applies to."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    kind: FaultKind
    share: float = Field(1.0, ge=0, le=1)  #: of the calls
    times: int | None = Field(None, ge=0)  #: calls it still applies to; None: without end
    seconds: float = Field(30.0, ge=0)  #: how long it hangs, or until a 429's limit is reset
    headers: bool = True  #: whether a 429 has X-RateLimit headers
    accept: bool | None = None  #: whether the request is accepted; None: as its kind does
    pattern: str = ""  #: of a bad address: a regular expression for the whole of it, lower case

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.accept is not None and self.kind not in _CHOOSING:
            raise ValueError(f"{self.kind} leaves no choice about accept")
        if bool(self.pattern) != (self.kind is FaultKind.BAD_ADDRESS):
            raise ValueError("a bad address, and nothing else, has a pattern")
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern: {error}") from error
        return self

    @property
    def accepts(self) -> bool:
        """Return whether the request is accepted and stored."""
        return self.kind in _ACCEPTING if self.accept is None else self.accept


_RULES = TypeAdapter(list[FaultRule])


class FaultRules:
    """The rules in force; equal seeds give equal draws."""

    def __init__(self, seed: int = 0, bad_address: str = "") -> None:
        self._seed = seed
        self._always = bad_address
        self._lock = threading.Lock()
        self.replace(b"[]")

    def replace(self, rules_json: bytes) -> None:
        """Put the rules of a JSON array in force; ValueError says what is wrong with them."""
        rules = _RULES.validate_json(rules_json)
        bad = [rule.pattern for rule in rules if rule.kind is FaultKind.BAD_ADDRESS]
        if self._always:
            bad.append(self._always)
        with self._lock:
            self._rules = rules
            self._dice = random.Random(self._seed)  # noqa: S311  # no secret
            self.bad_address = re.compile("|".join(f"(?:{one})" for one in bad)) if bad else None

    def as_json(self) -> bytes:
        """Return the rules in force, `times` counted down."""
        with self._lock:
            return _RULES.dump_json(self._rules)

    def draw(self) -> FaultRule | None:
        """Return the first rule that applies to this call, and count it."""
        with self._lock:
            return next((rule for rule in self._rules if self._applies(rule)), None)

    def _applies(self, rule: FaultRule) -> bool:
        if rule.kind is FaultKind.BAD_ADDRESS or rule.times == 0:
            return False
        if rule.share < 1 and self._dice.random() >= rule.share:
            return False
        if rule.times is not None:
            rule.times -= 1
        return True
