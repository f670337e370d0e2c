"""How statements find a few deliveries among very many: one by one, by key.

Joining whole tables instead, as the planner likes to where it has no statistics of them yet, takes
three to ten times as long.
"""

LOOK_UP = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
LOOK_UP_UNCOMPILED = f"SET LOCAL jit = off; {LOOK_UP}"
