"""What is common to all answers, as OpenAPI describes it."""

from typing import Annotated, Any, Generic, Self, TypeVar

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from newsletter.web.sentences import sentence

LARGEST_ID = 2**63 - 1  #: that a column of the database holds
PathId = Annotated[int, Path(ge=1, le=LARGEST_ID)]

Item = TypeVar("Item")


class ApiModel(BaseModel):
    """What the API says, or is told: nothing but the fields that it names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def like(cls, *values: object, **said: Any) -> Self:
        """Return what is said, and for each other field what the first value has by its name."""
        for name in cls.model_fields.keys() - said.keys():
            said[name] = next(getattr(one, name) for one in values if hasattr(one, name))
        return cls(**said)


class FieldError(ApiModel):
    """One thing that is wrong, and where."""

    pointer: str = Field(description="A JSON pointer into the body, or the place of a parameter.")
    detail: Annotated[str, AfterValidator(sentence)]


class ProblemReport(ApiModel):
    """Why a request was not done (RFC 9457)."""

    type: str = Field(description="The address of a page about problems of this kind.")
    title: str
    status: int
    detail: str = Field(description="One sentence about this very request.")
    errors: list[FieldError]
    request_id: str = Field(description="The number that the log has, too.")


class ListPage(ApiModel, Generic[Item]):
    """A part of a list, and where the next part begins."""

    data: list[Item]
    next: str | None = Field(
        default=None, description="What `after` is to be for the next part; null at the end."
    )
