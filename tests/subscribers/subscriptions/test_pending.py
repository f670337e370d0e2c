"""An unsubscribe that is not applied yet counts in every order of acts."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from subscribers.model import SubscriptionStatus
from subscribers.records.service import Records
from subscribers.subscriptions.service import Subscriptions
from tests.subscribers.lists.helpers import NOW, import_text

pytestmark = pytest.mark.postgres

KEEP, OTHER = "keep@example.com", "other@example.com"


@pytest.fixture
def subscriptions(engine: Engine, tmp_path: Path) -> Subscriptions:
    import_text(engine, tmp_path, f"email\n{KEEP}\n{OTHER}\n")
    return Subscriptions(engine)


def pend(engine: Engine, subscription_id: int) -> None:
    with engine.begin() as connection:
        statement = "INSERT INTO pending_unsubscribe (subscription_id, at, source)"
        connection.execute(
            text(f"{statement} VALUES (:id, :at, 'page')"),
            {
                "id": subscription_id,
                "at": NOW,
            },
        )


def test_it_is_applied_before_a_merge(engine: Engine, subscriptions: Subscriptions) -> None:
    [keep], [other] = subscriptions.by_email(KEEP), subscriptions.by_email(OTHER)
    pend(engine, other.id)
    Records(engine).merge(keep.subscriber_id, other.subscriber_id, actor="operator", now=NOW)
    assert subscriptions.by_id(keep.id).status is SubscriptionStatus.ENDED
    assert subscriptions.apply_pending() == 0


def test_an_import_in_between_revives_nobody(
    engine: Engine, subscriptions: Subscriptions, tmp_path: Path
) -> None:
    [keep] = subscriptions.by_email(KEEP)
    pend(engine, keep.id)
    import_text(engine, tmp_path, f"email,name\n{KEEP},New\n")
    assert subscriptions.counts("technology").mailable == 1
    assert subscriptions.apply_pending() == 1
    assert subscriptions.counts("technology").mailable == 1
    import_text(engine, tmp_path, f"email,name\n{KEEP},Newer\n")
    assert subscriptions.by_id(keep.id).status is SubscriptionStatus.ENDED


def test_one_of_nobody_is_forgotten(engine: Engine, subscriptions: Subscriptions) -> None:
    pend(engine, 12345)
    assert subscriptions.apply_pending() == 0
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM pending_unsubscribe")).scalar() == 0
