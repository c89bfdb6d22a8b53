"""Counters of this process since its last webhook. InvenTree runs several processes, and each has its own counters."""

import os
import threading
from collections import Counter, defaultdict


class Counters:
    """Counters that are sent to each receiver with the next webhook, and restored if it is not accepted."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = Counter()
        self._reported = defaultdict(Counter)

    def add(self, name, count=1):
        with self._lock:
            self._counts[name] += count

    def take(self, receiver):
        """The counters since this receiver took them."""
        with self._lock:
            counts = self._counts - self._reported[receiver]
            self._reported[receiver] = Counter(self._counts)
            return dict(counts)

    def restore(self, receiver, counts):
        with self._lock:
            self._reported[receiver].subtract(counts)


counters = Counters()
# A forked process starts with counters of its own, and the lock may have been held when it was forked.
os.register_at_fork(after_in_child=counters.__init__)
