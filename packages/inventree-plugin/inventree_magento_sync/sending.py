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


def post(settings, webhook, timeout_seconds):
    """Sends a signed webhook with the counters of this process. Raises NotAccepted; can be repeated."""
    counts = counters.take()
    content = {'instance': instance(), 'events': webhook.events, 'counters': counts}
    body = json.dumps(content, separators=(',', ':')).encode()
    timestamp = str(int(time.time()))
    headers = {
        'content-type': 'application/json',
        'user-agent': f'inventree-magento-sync/{VERSION}',
        'webhook-id': webhook.id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signature_of(settings.secret, webhook.id, timestamp, body),
    }
    try:
        status, answer = _posted(settings, body, headers, timeout_seconds)
    except (OSError, http.client.HTTPException) as error:
        counters.restore(counts)
        raise NotAccepted(f'{settings.url} does not answer: {error or type(error).__name__}') from error
    if status != 202:
        counters.restore(counts)
        raise NotAccepted(f'{settings.url} answered {status}: {answer}')


def _posted(settings, body, headers, timeout_seconds):
    """The status of the answer and the start of its text. Redirects are not followed."""
    url = urlsplit(settings.url)
    if url.scheme == 'https':
        context = ssl.create_default_context()
        if not settings.verify_tls:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=timeout_seconds, context=context)
    else:
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout_seconds)
    try:
        connection.request('POST', url.path, body, headers)
        response = connection.getresponse()
        return response.status, response.read(300).decode(errors='replace')
    finally:
        connection.close()


def enqueue(webhook):
    """Adds a webhook to InvenTree's queue, whose background worker passes it to process_event."""
    from plugin.base.event.events import trigger_event

    # The id also makes the event unique: InvenTree drops an event that equals one in its queue.
    trigger_event(QUEUED_EVENT, events=webhook.events, webhook_id=webhook.id)


class AtOnce:
    """Sends webhooks from a few threads, which end when nothing is left. Callers do not wait."""

    def __init__(self):
        self._lock = threading.Lock()
        self._waiting = deque()
        self._threads = 0

    def offer(self, settings, webhook):
        """Takes a webhook, or leaves it to InvenTree's queue if too many are waiting."""
        with self._lock:
            if len(self._waiting) >= MAX_WAITING:
                counters.add('left_to_queue')
                return
            self._waiting.append((settings, webhook))
            if self._threads >= MAX_THREADS:
                return
            self._threads += 1
        try:
            threading.Thread(target=self._run, name='magento-sync', daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._threads -= 1

    def _run(self):
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                settings, webhook = self._waiting.popleft()
            try:
                post(settings, webhook, min(AT_ONCE_SECONDS, settings.timeout_seconds))
                counters.add('sent_at_once')
            except Exception as error:
                # The others would fail too, each after its own timeout.
                with self._lock:
                    left = 1 + len(self._waiting)
                    self._waiting.clear()
                counters.add('left_to_queue', left)
                logger.warning("magento-sync: %s; %s left to InvenTree's queue", error, left)


at_once = AtOnce()
# A forked process has no threads, and the lock may have been held when it was forked.
os.register_at_fork(after_in_child=at_once.__init__)
