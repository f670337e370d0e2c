"""The rows of the JSON API: its tokens, and the requests that bore a key."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from subscribers.db import columns
from subscribers.db.columns import Row


class ApiTokenRow(Row, table=True):
    """A token of the API; one that was revoked stays, since the log names it."""

    id: int = columns.identity()
    name: str = columns.word()
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  #: of its secret
    scopes: list[str] = columns.words()
    newsletters: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))
    created_at: datetime = columns.moment()
    created_by: str = columns.word()
    expires_at: datetime = columns.moment()
    used_at: datetime | None = columns.moment(optional=True)
    revoked_at: datetime | None = columns.moment(optional=True)


class IdempotencyKeyRow(Row, table=True):
    """A request that bore a key, and its answer; without a status it is being answered."""

    token_id: int = columns.part_of_key(ForeignKey("api_token.id"))
    key: str = columns.text_key()
    request_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    reserved_at: datetime = columns.moment(index=True)
    status: int | None = Field(default=None, sa_column=Column(SmallInteger))
    headers: Any = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
