"""The base of table rows, and the kinds of column that they are made of."""

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

# Keys are compared byte by byte: they are normalised before they come here.
KEY = Text(collation="C")


class Row(SQLModel):
    """A table named as its class is, without the suffix, in the singular."""

    # Rows of tables are never validated, and building validators would slow every command.
    model_config = {"defer_build": True}

    @declared_attr.directive
    @classmethod
    def __tablename__(cls) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # SQLModel
        """Return `brief_revision` for `BriefRevisionRow`."""
        return re.sub(r"(?<!^)([A-Z])", r"_\1", cls.__name__.removesuffix("Row")).lower()


def identity() -> Any:
    """Return a primary key that the database counts up."""
    return Field(sa_column=Column(BigInteger, Identity(), primary_key=True))


def moment(*, optional: bool = False, index: bool = False) -> Any:
    """Return a moment, aware."""
    column = Column(DateTime(timezone=True), nullable=optional, index=index)
    return Field(default=None if optional else ..., sa_column=column)


def text_key(*references: ForeignKey, index: bool = False) -> Any:
    """Return a text that is the primary key, or a part of it."""
    return Field(sa_column=Column(Text, *references, primary_key=True, index=index))


def word(default: str | None = None, **options: Any) -> Any:
    """Return a text that is never null."""
    return Field(sa_column=Column(Text, nullable=False, server_default=default, **options))


def remark() -> Any:
    """Return a text that may be null."""
    return Field(default=None, sa_column=Column(Text))


def count(kind: Any = Integer) -> Any:
    """Return a number that begins with 0."""
    return Field(default=0, sa_column=Column(kind, nullable=False, server_default=text("0")))


def json_object() -> Any:
    """Return a JSON object, empty at first."""
    return Field(sa_column=Column(JSONB, nullable=False, server_default=text("'{}'")))


def words() -> Any:
    """Return a list of words, empty at first."""
    return Field(sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'")))


def link_key() -> Any:
    """Return what a row's links are signed with: 16 random bytes."""
    made = text("uuid_send(gen_random_uuid())")
    return Field(sa_column=Column(LargeBinary, nullable=False, server_default=made))


def number(*, optional: bool = False, index: bool = False) -> Any:
    """Return a whole number, such as another row's."""
    column = Column(BigInteger, nullable=optional, index=index)
    return Field(default=None if optional else ..., sa_column=column)


def refers(target: str, *, index: bool = False, ondelete: str | None = None) -> Any:
    """Return another row's number, which the database knows."""
    reference = ForeignKey(target, ondelete=ondelete)
    return Field(sa_column=Column(BigInteger, reference, nullable=False, index=index))


def part_of_key(*references: ForeignKey, kind: Any = BigInteger) -> Any:
    """Return a number that is the primary key, or a part of it."""
    return Field(sa_column=Column(kind, *references, primary_key=True, autoincrement=False))


def one_of(column: str, words: Iterable[str]) -> CheckConstraint:
    """Return the constraint that a column says one of these words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")
