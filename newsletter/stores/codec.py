"""Values of the core in JSON columns: written as JSON, and validated as they are read."""

from functools import cached_property
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Column, Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field


class Json(TypeDecorator[Any]):
    """A JSONB column that holds one value of a type of the core."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        # Made when it is first used: most commands read only a few of the columns.
        return TypeAdapter(self.kind)

    # `dialect` is in SQLAlchemy's signature of both methods.
    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002  # theirs
        return None if value is None else self._adapter.dump_python(value, mode="json")

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002  # theirs
        return None if value is None else self._adapter.validate_python(value)


def json_column(kind: Any) -> Any:
    """Return a column that always holds one."""
    return Field(sa_column=Column(Json(kind), nullable=False))
