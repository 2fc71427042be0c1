"""Progress of long work in the log: counts and time left."""

import logging
import time
from collections.abc import Iterator

_EVERY_S = 10.0


def batches(count: int, size: int, what: str) -> Iterator[slice]:
    """Slices of `size` that cover `count` items; logs how many are done and the time left, every ten seconds."""
    start = last = time.monotonic()
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))
        done, now = min(first + size, count), time.monotonic()
        if now - last >= _EVERY_S or done == count:
            last = now
            left = (now - start) / done * (count - done)
            logging.getLogger(__name__).info("%d of %d %s, %.0f s left", done, count, what, left)
