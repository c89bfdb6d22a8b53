"""Shared by the tests: an empty InvenTree for each, and a fake ingest that records webhooks."""

import base64
import hashlib
import hmac
import json
import threading
import time
import unittest
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.apps import apps
from django.db import connection
from inventree_magento_sync import sending
from inventree_magento_sync import settings as plugin_settings
from inventree_magento_sync.counters import counters
from inventree_magento_sync.plugin import MagentoSyncPlugin

from common.settings import global_settings
from plugin import registry
from plugin.base.event import events

SECRET = 'whsec_' + base64.b64encode(bytes(range(32))).decode()
OTHER_SECRET = 'whsec_' + base64.b64encode(bytes(range(1, 33))).decode()


class Ingest:
    """A fake ingest: answers webhooks and records their bodies. It can also refuse them, or hang."""

    def __init__(self, secret=SECRET):
        self.bodies, self.ids, self.counts = [], [], Counter()
        self.questions, self.answers = [], {}
        self.status, self.hang = 202, threading.Event()
        self.hang.set()
        ingest = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers['content-length']))
                signed = f'{self.headers["webhook-id"]}.{self.headers["webhook-timestamp"]}.'.encode() + body
                key = base64.b64decode(secret[len('whsec_') :])
                expected = 'v1,' + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
                is_signed = self.headers['webhook-signature'] == expected
                ingest.hang.wait(20)
                if self.path.startswith('/inventree/'):
                    return self.answer(is_signed, json.loads(body))
                right = self.path == '/webhooks/inventree' and is_signed
                status = ingest.status if right else 401
                if status == 202:
                    ingest.bodies.append(json.loads(body))
                    ingest.counts.update(ingest.bodies[-1]['counters'])
                    ingest.ids.append(self.headers['webhook-id'])
                self.send_response(status)
                if status == 302:
                    self.send_header('location', '/elsewhere')
                self.end_headers()
                self.wfile.write(b'{"error": "not now"}' if status != 202 else b'{"accepted": 1}')

            def answer(self, is_signed, question):
                known = ingest.answers.get(self.path, (404, {'error': 'not found'}))
                status, answer = known if is_signed else (401, {})
                ingest.questions.append((self.path, question))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        # A sender that gave up waiting is no error of ours.
        self.server.handle_error = lambda *_: None
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.01}, daemon=True).start()

    def events(self):
        """All events so far, in the order of their arrival."""
        return [event for body in self.bodies for event in body['events']]

    def stop(self):
        self.hang.set()
        self.server.shutdown()
        self.server.server_close()


def eventually(condition, seconds=5):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise AssertionError('not within time')
        time.sleep(0.005)


def senders():
    """The threads of the plugin that are alive."""
    return [thread for thread in threading.enumerate() if thread.name == 'magento-sync']


def parts_by_event(reported):
    parts = {}
    for event in reported:
        parts[event['event']] = sorted(parts.get(event['event'], []) + event.get('parts', []))
    return parts


class PluginTest(unittest.TestCase):
    """An empty InvenTree with the plugin loaded and configured, and an ingest."""

    def setUp(self):
        self.ingest = Ingest()
        self.addCleanup(self.ingest.stop)
        with connection.constraint_checks_disabled():
            for model in apps.get_models():
                if model._meta.app_label != 'contenttypes':
                    model._base_manager.all()._raw_delete('default')
        events.queue.clear()
        events.failures.clear()
        global_settings['ENABLE_PLUGINS_EVENTS'] = True
        registry.active = True
        registry.stored.clear()
        registry.unload()
        self.plugin = registry.load(MagentoSyncPlugin)
        self.configure(INGEST_URL=self.ingest.url, WEBHOOK_SECRET=SECRET)
        self.counted()

    def tearDown(self):
        self.ingest.hang.set()
        eventually(lambda: not senders())
        connection.close()

    def configure(self, **stored):
        registry.set(**stored)
        plugin_settings._recent = (0.0, None)

    def reported(self):
        """What ingest received at once, as parts by event, after all threads have ended."""
        eventually(lambda: not senders() and not sending.at_once.waiting())
        reported = parts_by_event(self.ingest.events())
        self.ingest.bodies.clear()
        return reported

    def counted(self):
        """The counters of the plugin since the last call, whether ingest has them or not."""
        eventually(lambda: not senders())
        taken = Counter(counters.take(f'{self.ingest.url}/webhooks/inventree'))
        counts, self.ingest.counts = self.ingest.counts + taken, Counter()
        return dict(counts)

    def queued(self):
        """The events in InvenTree's queue, as parts by event."""
        reported = parts_by_event(event for _, _, kwargs in events.queue for event in kwargs['events'])
        events.queue.clear()
        return reported
