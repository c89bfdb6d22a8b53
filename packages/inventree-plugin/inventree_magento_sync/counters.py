"""Counters of this process since its last webhook. InvenTree runs several processes, and each has its own counters."""

import os
import threading
from collections import Counter


class Counters:
    """Counters that are sent with the next webhook, and restored if it is not accepted."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = Counter()

    def add(self, name, count=1):
        with self._lock:
            self._counts[name] += count

    def take(self):
        """The counters so far, which start again at zero."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            return dict(counts)

    def restore(self, counts):
        with self._lock:
            self._counts.update(counts)


counters = Counters()
# A forked process starts with counters of its own, and the lock may have been held when it was forked.
os.register_at_fork(after_in_child=counters.__init__)
