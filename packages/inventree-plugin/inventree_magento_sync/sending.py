"""Sends webhooks: at once from a thread, and again from InvenTree's queue."""

from __future__ import annotations

import http.client
import json
import logging
import os
import ssl
import threading
import time
from collections import deque
from urllib.parse import urlsplit

from . import VERSION
from .counters import counters
from .instance import instance
from .signing import signature_of

logger = logging.getLogger('inventree')

# Our own event in InvenTree's queue.
QUEUED_EVENT = 'stock_sync.parts_changed'
# The timeout of a thread; what takes longer is left to the queue.
AT_ONCE_SECONDS = 2
MAX_THREADS = 2
MAX_WAITING = 100


class NotAccepted(Exception):
    """The service did not accept a webhook; the message says why."""


def post(settings, target, webhook, timeout_seconds):
    """Sends a signed webhook with the counters of this process. Raises NotAccepted; can be repeated."""
    counts = counters.take(target.url)
    content = {'instance': instance(), 'events': webhook.events, 'counters': counts}
    body = json.dumps(content, separators=(',', ':')).encode()
    timestamp = str(int(time.time()))
    headers = {
        'content-type': 'application/json',
        'user-agent': f'inventree-magento-sync/{VERSION}',
        'webhook-id': webhook.id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signature_of(target.secret, webhook.id, timestamp, body),
    }
    try:
        status, answer = posted(target.url, settings.verify_tls, body, headers, timeout_seconds)
    except (OSError, http.client.HTTPException) as error:
        counters.restore(target.url, counts)
        raise NotAccepted(f'{target.url} does not answer: {error or type(error).__name__}') from error
    if status != 202:
        counters.restore(target.url, counts)
        raise NotAccepted(f'{target.url} answered {status}: {answer}')


def posted(address, verify_tls, body, headers, timeout_seconds, most_bytes=300):
    """The status of the answer and the start of its text. Redirects are not followed."""
    url = urlsplit(address)
    if url.scheme == 'https':
        context = ssl.create_default_context()
        if not verify_tls:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=timeout_seconds, context=context)
    else:
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout_seconds)
    try:
        connection.request('POST', url.path, body, headers)
        response = connection.getresponse()
        return response.status, response.read(most_bytes).decode(errors='replace')
    finally:
        connection.close()


def enqueue(settings, webhook):
    """Adds a webhook to InvenTree's queue, once for each ingest: one that is down must not delay the others."""
    from plugin.base.event.events import trigger_event

    for target in settings.targets:
        # The id also makes the event unique: InvenTree drops an event that equals one in its queue.
        trigger_event(QUEUED_EVENT, events=webhook.events, webhook_id=webhook.id, url=target.url)


class AtOnce:
    """Sends webhooks from a few threads for each ingest. Callers do not wait."""

    def __init__(self):
        self._lanes = {}

    def offer(self, settings, webhook):
        """Takes a webhook, or leaves it to InvenTree's queue where too many are waiting."""
        for target in settings.targets:
            # One operation, so that two threads get the same lane.
            self._lanes.setdefault(target.url, Lane()).offer(settings, target, webhook)

    def waiting(self):
        """How many webhooks wait for a thread."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    def threads(self):
        return sum(lane.threads for lane in self._lanes.values())


class Lane:
    """Sends webhooks to one ingest, from threads that end when nothing is left."""

    def __init__(self):
        self._lock = threading.Lock()
        self.waiting = deque()
        self.threads = 0

    def offer(self, settings, target, webhook):
        with self._lock:
            if len(self.waiting) >= MAX_WAITING:
                counters.add('left_to_queue')
                return
            self.waiting.append((settings, target, webhook))
            if self.threads >= MAX_THREADS:
                return
            self.threads += 1
        try:
            threading.Thread(target=self._run, name='magento-sync', daemon=True).start()
        except RuntimeError:
            with self._lock:
                self.threads -= 1

    def _run(self):
        while True:
            with self._lock:
                if not self.waiting:
                    self.threads -= 1
                    return
                settings, target, webhook = self.waiting.popleft()
            try:
                post(settings, target, webhook, min(AT_ONCE_SECONDS, settings.timeout_seconds))
                counters.add('sent_at_once')
            except Exception as error:
                # The others would fail too, each after its own timeout.
                with self._lock:
                    left = 1 + len(self.waiting)
                    self.waiting.clear()
                counters.add('left_to_queue', left)
                logger.warning("magento-sync: %s; %s left to InvenTree's queue", error, left)


at_once = AtOnce()
# A forked process has no threads, and the lock may have been held when it was forked.
os.register_at_fork(after_in_child=at_once.__init__)
