"""What a process holds for good is looked at once."""

import gc

from newsletter.adapters.memory import spare_what_stays


def test_what_is_there_is_looked_at_no_more_and_what_is_made_later_still_is():
    there = [object()]
    try:
        spare_what_stays()
        later = [there]
        looked_at = {id(one) for one in gc.get_objects()}
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
    assert id(there) not in looked_at
    assert id(later) in looked_at
