"""Letting an issue leave, and stopping it: each act names what it is about, or why."""

from collections.abc import Callable

from newsletter.core.forecast import is_about
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NotAllowed, StaleDraft
from newsletter.web.api.access import ApproveIssues, Caller, StopIssues
from newsletter.web.api.issue_here import ISSUE, Here, NamedIssue, found, shown
from newsletter.web.api.issue_schemas import GivenApproval, GivenReason, GivenSend, IssueState
from newsletter.web.api.route import api_router

router = api_router()


@router.post(f"{ISSUE}/approve")
def approve(caller: ApproveIssues, here: Here, given: GivenApproval) -> IssueState:
    """Freeze the draft of this hash: exactly this content will be sent.

    What stops it, or was not looked at, is said. Where two people are needed, a token is nobody.
    """
    which, stored = found(caller, here)
    services = caller.services
    services.publishing.refuse_own_change(which, stored, caller.actor)
    if stored.state is IssueStatus.DRAFT and given.hash == stored.content_hash:
        stored = services.reviews.approve(
            which, here.on, expecting=given.hash, seen=given.seen, actor=caller.actor
        )
    else:
        stored = services.publishing.approve(
            which, here.on, expecting=given.hash, actor=caller.actor
        )
    return shown(caller, here, which, stored)


@router.post(f"{ISSUE}/withdraw")
def withdraw(caller: StopIssues, here: Here, given: GivenReason) -> IssueState:
    """Take an approval back before the issue leaves: it is a draft again, for a person."""
    which, _ = found(caller, here)
    taken = caller.services.publishing.withdraw(
        which, here.on, actor=caller.actor, because=given.because
    )
    return shown(caller, here, which, taken)


@router.post(f"{ISSUE}/send")
def send(caller: ApproveIssues, here: Here, given: GivenSend) -> IssueState:
    """Let an approved issue leave before its hour, after the grace in which it can be stopped."""
    which, stored = found(caller, here)
    services = caller.services
    if stored.approved_hash != given.hash:
        raise StaleDraft((f"{stored.summary}, and another hash was approved",))
    readers = services.forecasts.of(which, here.on).readers
    if stored.planned_at is None and not is_about(readers, given.readers):
        raise NotAllowed(f"it would go to {readers:,} readers, not to about {given.readers:,}")
    left = services.sending_by_hand.send(
        which, here.on, approved_hash=given.hash, actor=caller.actor
    )
    return shown(caller, here, which, left)


@router.post(f"{ISSUE}/pause")
def pause(caller: StopIssues, here: Here, given: GivenReason) -> IssueState:
    """Stop an issue at once: no further letter leaves, or none at all if none has left.

    One that waits to leave is a draft again. To stop what is stopped changes nothing.
    """
    which, _ = found(caller, here)
    stored = caller.services.halting.stop(which, here.on, actor=caller.actor, because=given.because)
    stopped = stored.state is IssueStatus.PAUSED or (stored.state.is_open and stored.withdrawn_by)
    if not stopped:
        raise NotAllowed(f"{stored.summary}: nothing to stop")
    return shown(caller, here, which, stored)


@router.post(f"{ISSUE}/resume")
def resume(caller: ApproveIssues, here: Here, given: GivenReason) -> IssueState:
    """Let a paused issue go on."""
    services = caller.services

    def act(stored: StoredIssue, **why: str) -> StoredIssue:
        resumed = services.limits.resume(stored, **why)
        services.recovery.recover()
        return resumed

    return _limited(caller, here, given, act)


@router.post(f"{ISSUE}/cancel")
def cancel(caller: ApproveIssues, here: Here, given: GivenReason) -> IssueState:
    """Send nothing more of an issue, for good; what was sent cannot be recalled."""
    return _limited(caller, here, given, caller.services.limits.cancel)


def _limited(
    caller: Caller, here: NamedIssue, given: GivenReason, act: Callable[..., StoredIssue]
) -> IssueState:
    which, stored = found(caller, here)
    stored = act(stored, actor=caller.actor, because=given.because)
    return shown(caller, here, which, stored)
