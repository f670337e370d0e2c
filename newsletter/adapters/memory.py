"""Memory that a process holds for good, such as modules and routes, and what it costs to keep."""

import gc


def spare_what_stays() -> None:
    """Let the collector of garbage look no more at what there is now; called once all is opened.

    CPython's full collection stops every thread while it walks all objects: a quarter of a million
    after the start, a tenth of a second and more, in the middle of somebody's page.
    """
    gc.collect()  # what is garbage now would stay, too
    gc.freeze()
