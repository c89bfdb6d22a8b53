"""What this process did since it last told the service. InvenTree runs several processes; each counts for itself."""

import threading
from collections import Counter


class Counters:
    """Counts that are handed to the service with the next webhook, and come back where that one is not accepted."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = Counter()

    def add(self, name, count=1):
        with self._lock:
            self._counts[name] += count

    def take(self):
        """The counts so far, which start again at nothing."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            return dict(counts)

    def give_back(self, counts):
        with self._lock:
            self._counts.update(counts)


counters = Counters()
