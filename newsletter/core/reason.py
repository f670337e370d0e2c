"""The reason that a person gives for a decision, which is recorded for good."""

from newsletter.errors import ReasonNeeded


def given(because: str) -> str:
    """Return the reason on one line; ReasonNeeded if nothing is said."""
    if reason := " ".join(because.split()):
        return reason
    raise ReasonNeeded("a reason is needed: say with --because why, since it is recorded")
