"""The composition root: the only place that chooses who answers which port.

One floor stands on the other: ground, lists, press, post, and the house on top. Rooms that take
long to load (the web, the press, the queue, the vendors' clients) are imported by the part that
first needs them: most commands need few, and a person waits for each.
"""

from newsletter.bootstrap.house import House

__all__ = ["House"]
