"""Does the same to many subscribers: the rows of a file, or the members of a segment."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from newsletter.ports import Clock
from newsletter.services.people import People
from newsletter.stores.decisions import DecisionLog
from subscribers.bulk.service import PORTION, change_in_portions
from subscribers.errors import NoSuchSubscriber
from subscribers.model import Suppression
from subscribers.records.model import BulkChoice, BulkRow, BulkState, BulkVerb, counted_states
from subscribers.records.service import Records
from subscribers.subscriptions.service import Subscriptions

OnProgress = Callable[[int], object]  #: called with how many of those that change are done


@dataclass(eq=False)
class BulkChanges:
    """Suppresses, unsubscribes, erases and tags many, a portion at a time.

    Cut off, it has changed whole portions, and the same change again does the rest.
    """

    people: People
    records: Records
    subscriptions: Subscriptions
    decisions: DecisionLog
    clock: Clock

    def change(
        self,
        choice: BulkChoice,
        found: Iterable[BulkRow],
        *,
        chosen_by: str,
        actor: str,
        on_progress: OnProgress = lambda _: None,
    ) -> int:
        """Make the change where it is one; return how many changed. The log says it both times.

        `chosen_by` says where these come from, such as a file's name; it must name no person.
        """
        act = {
            BulkVerb.SUPPRESS: self._suppress,
            BulkVerb.UNSUBSCRIBE: self._unsubscribe,
            BulkVerb.ERASE: self._erase,
            BulkVerb.TAG: self._tag,
            BulkVerb.UNTAG: self._tag,
        }[choice.verb]
        detail = {"deed": choice.verb.value, "chosen_by": chosen_by, "tags": list(choice.tags)}
        rows = {state.value: count for state, count in counted_states(found).items() if count}
        slug = choice.newsletter
        begun = _said(detail | {"rows": rows})
        self.decisions.record(actor, "readers", "begin bulk change", begun, newsletter=slug)
        changed, changing = 0, (one for one in found if one.state is BulkState.CHANGES)
        try:
            size = 1 if choice.verb is BulkVerb.ERASE else PORTION
            portion_act = partial(act, choice, actor)
            for count in change_in_portions(changing, portion_act, on_progress, size):
                changed += count
        finally:
            ended = _said(detail | {"changed": changed})
            self.decisions.record(actor, "readers", "bulk change", ended, newsletter=slug)
        return changed

    def _suppress(self, choice: BulkChoice, actor: str, portion: Sequence[BulkRow]) -> int:
        now = self.clock.now()
        return self.subscriptions.suppress(
            Suppression(
                email=one.email, reason=choice.reason, source=actor, since=now, note=choice.note
            )
            for one in portion
        )

    def _unsubscribe(self, choice: BulkChoice, actor: str, portion: Sequence[BulkRow]) -> int:
        del choice
        ids, now = _subscriptions(portion), self.clock.now()
        return self.subscriptions.unsubscribe(ids, now=now, source=f"operator {actor}")

    def _tag(self, choice: BulkChoice, actor: str, portion: Sequence[BulkRow]) -> int:
        ids, off = _subscriptions(portion), choice.verb is BulkVerb.UNTAG
        return self.records.tag(ids, choice.tags, off=off, actor=actor, now=self.clock.now())

    def _erase(self, choice: BulkChoice, actor: str, portion: Sequence[BulkRow]) -> int:
        """Erase one after another, each in short transactions of its own."""
        del choice
        erased = 0
        for one in portion:
            with suppress(NoSuchSubscriber):  # erased meanwhile, or with another address of theirs
                if one.subscriber_id is None:
                    self.people.erase_address(one.email, actor=actor)
                else:
                    self.people.erase(one.subscriber_id, actor=actor)
                erased += 1
        return erased


def _said(detail: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in detail.items() if value}


def _subscriptions(portion: Sequence[BulkRow]) -> list[int]:
    return [number for one in portion for number in one.subscription_ids]
