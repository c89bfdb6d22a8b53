"""Webhooks on their way: at once from a thread, and a second time from InvenTree's queue."""

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
from .signing import signature_of

logger = logging.getLogger('inventree')

# The event of our own that waits in InvenTree's queue.
QUEUED_EVENT = 'stock_sync.parts_changed'
# Longest wait of a thread that nobody waits for: what takes longer is left to the queue.
AT_ONCE_SECONDS = 2
MOST_THREADS = 2
MOST_WAITING = 100


class NotAccepted(Exception):
    """The service did not take a webhook; says why."""


def post(settings, webhook, timeout_seconds):
    """Sends a webhook, signed, with what this process counted. Raises NotAccepted; safe to repeat."""
    counts = counters.take()
    body = json.dumps({'events': webhook.events, 'counters': counts}, separators=(',', ':')).encode()
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
        counters.give_back(counts)
        raise NotAccepted(f'{settings.url} does not answer: {error or type(error).__name__}') from error
    if status != 202:
        counters.give_back(counts)
        raise NotAccepted(f'{settings.url} answered {status}: {answer}')


def _posted(settings, body, headers, timeout_seconds):
    """The status of the answer and the start of its text. Redirects are answers as any other."""
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
    """Leaves a webhook in InvenTree's queue, whose background worker gives it back to process_event."""
    from plugin.base.event.events import trigger_event

    # The id also keeps InvenTree from dropping the event as a double of one that still waits.
    trigger_event(QUEUED_EVENT, events=webhook.events, webhook_id=webhook.id)


class AtOnce:
    """Sends webhooks from threads that end when there is nothing left; never more than a few, and nobody waits."""

    def __init__(self):
        self._lock = threading.Lock()
        self._waiting = deque()
        self._threads = 0

    def offer(self, settings, webhook):
        """Takes a webhook, or leaves it to InvenTree's queue where too many wait already."""
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                counters.add('left_to_queue')
                return
            self._waiting.append((settings, webhook))
            if self._threads >= MOST_THREADS:
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
                # The others would fare no better, each after its own timeout.
                with self._lock:
                    left = 1 + len(self._waiting)
                    self._waiting.clear()
                counters.add('left_to_queue', left)
                logger.warning("magento-sync: %s; %s left to InvenTree's queue", error, left)


at_once = AtOnce()
# Threads do not live on in a forked process, and a lock may have been held there.
os.register_at_fork(after_in_child=at_once.__init__)
