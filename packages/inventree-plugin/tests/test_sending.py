import os
import threading
from unittest import mock

from django.conf import settings as django_settings
from django.db import transaction
from django.test import override_settings
from inventree_magento_sync import VERSION, sending
from inventree_magento_sync.changes import Webhook
from inventree_magento_sync.counters import counters
from inventree_magento_sync.instance import instance
from inventree_magento_sync.sending import NotAccepted
from inventree_magento_sync.settings import read_settings
from part.models import Part
from plugin import registry
from plugin.base.event import events
from stock.models import StockItem

from . import INVENTREE_LIKE
from .support import OTHER_SECRET, SECRET, Ingest, PluginTest, eventually, parts_by_event, senders

SAVED = 'stock_stockitem.saved'


class SendingTest(PluginTest):
    def setUp(self):
        super().setUp()
        self.part = Part.objects.create(name='ONE')
        self.item = StockItem.objects.create(part=self.part)
        self.reported()
        self.queued()
        self.ingest.ids.clear()
        self.counted()
        counters.take('x')

    def post(self, webhook):
        settings = read_settings(self.plugin)
        sending.post(settings, settings.targets[0], webhook, 5)


class Twice(SendingTest):
    def test_at_once_and_from_the_queue_with_one_id(self):
        self.item.save()
        self.reported()
        events.run_background_worker()
        self.assertEqual(self.reported(), {SAVED: [self.part.pk]})
        self.assertEqual(len(self.ingest.ids), 2)
        self.assertEqual(len(set(self.ingest.ids)), 1)
        self.assertRegex(self.ingest.ids[0], r'^msg_[0-9a-f]{32}$')

    def test_two_changes_of_one_item_are_two_events_in_the_queue(self):
        self.item.save()
        self.item.save()
        self.assertEqual(len(events.queue), 2)

    def test_while_ingest_is_unreachable_the_queue_keeps_it(self):
        self.ingest.stop()
        with self.assertLogs('inventree', 'WARNING'):
            self.item.save()
            self.reported()
        events.run_background_worker()
        self.assertIsInstance(events.failures[0], NotAccepted)
        self.assertIn('does not answer', str(events.failures[0]))
        self.assertEqual(self.queued(), {SAVED: [self.part.pk]})

    def test_any_answer_but_202_is_a_refusal(self):
        for status in (200, 302, 401, 503):
            self.ingest.status = status
            with self.assertRaisesRegex(NotAccepted, f'answered {status}.*not now'):
                self.post(Webhook([]))
        self.assertEqual(self.ingest.ids, [])

    def test_nothing_is_sent_from_the_queue_once_the_plugin_is_off(self):
        self.configure(SEND_AT_ONCE=False)
        self.item.save()
        self.configure(ENABLED=False)
        events.run_background_worker()
        self.assertEqual((self.reported(), events.queue), ({}, []))


class SeveralShops(SendingTest):
    def setUp(self):
        super().setUp()
        self.other = Ingest(OTHER_SECRET)
        self.addCleanup(self.other.stop)
        secrets = f'{SECRET}, {OTHER_SECRET}'
        self.configure(INGEST_URL=f'{self.ingest.url}, {self.other.url}', WEBHOOK_SECRET=secrets)

    def test_each_get_every_change_signed_with_their_own_secret(self):
        self.item.save()
        self.reported()
        self.assertEqual(parts_by_event(self.other.events()), {SAVED: [self.part.pk]})
        events.run_background_worker()
        self.assertEqual(self.other.ids, self.ingest.ids)
        self.assertEqual(len(self.other.ids), 2)

    def test_one_that_is_down_delays_no_other(self):
        self.ingest.stop()
        with self.assertLogs('inventree', 'WARNING'):
            self.item.save()
            self.reported()
        events.run_background_worker()
        self.assertEqual(len(self.other.ids), 2)
        self.assertEqual(self.queued(), {SAVED: [self.part.pk]}, 'only for the one that is down')
        self.plugin.process_event('stockitem.created_items', ids=[999_999])
        with self.assertRaises(NotAccepted):
            self.plugin.process_event('stockitem.created_items', ids=[self.item.pk])
        self.assertEqual(self.other.events()[-1]['event'], 'stock_stockitem.created')

    def test_each_get_a_heartbeat_and_all_counters(self):
        self.plugin.heartbeat()
        counters.add('errors', 3)
        self.plugin.heartbeat()
        for ingest in (self.ingest, self.other):
            self.assertEqual(ingest.events()[-1]['event'], 'stock_sync.heartbeat')
            self.assertEqual(ingest.bodies[-1]['counters']['errors'], 3)

    def test_what_was_queued_for_an_address_that_was_changed_goes_to_all(self):
        self.configure(SEND_AT_ONCE=False)
        self.item.save()
        self.configure(INGEST_URL=self.other.url, WEBHOOK_SECRET=OTHER_SECRET)
        events.run_background_worker()
        self.assertEqual(len(set(self.other.ids)), 1)
        self.assertEqual(self.ingest.ids, [])


class BulkEvents(SendingTest):
    def test_are_resolved_to_parts(self):
        other = StockItem.objects.create(part=Part.objects.create(name='TWO'))
        self.reported()
        for event, arguments in (
            ('purchaseorderitem.received', {'order_id': 1, 'item_ids': [self.item.pk, other.pk, 999_999]}),
            ('purchaseorderitem.received', {'order_id': 1, 'item_id': self.item.pk, 'line_id': 3}),
            ('stockitem.created_items', {'ids': [self.item.pk]}),
        ):
            self.plugin.process_event(event, **arguments)
            expected = [self.part.pk] if 'item_ids' not in arguments else [self.part.pk, other.part_id]
            self.assertEqual(self.reported(), {'stock_stockitem.created': expected})

    def test_of_deleted_items_report_nothing(self):
        self.plugin.process_event('stockitem.created_items', ids=[999_999])
        self.assertEqual(self.reported(), {})
        self.assertEqual(self.ingest.ids, [])

    def test_are_handled_and_no_other_events_of_inventree(self):
        ours = ['stock_sync.parts_changed', 'purchaseorderitem.received', 'stockitem.created_items']
        others = ['stock_stockitem.saved', 'stockitem.moved', 'part_part.saved']
        self.assertEqual([event for event in ours + others if self.plugin.wants_process_event(event)], ours)


class Threads(SendingTest):
    # None of them gives up during the test, however slow the machine is.
    @mock.patch.object(sending, 'AT_ONCE_SECONDS', 20)
    def test_few_keep_waiting_when_ingest_hangs(self):
        self.ingest.hang.clear()
        for _ in range(sending.MAX_THREADS):
            self.item.save()
        eventually(lambda: sending.at_once.waiting() == 0)
        for _ in range(sending.MAX_THREADS, 150):
            self.item.save()
        self.assertEqual(len(senders()), sending.MAX_THREADS)
        self.assertLessEqual(sending.at_once.waiting(), sending.MAX_WAITING)
        self.assertEqual(len(events.queue), 150)
        refused = 150 - sending.MAX_WAITING - sending.MAX_THREADS
        self.assertEqual(counters.take('x'), {'transactions': 150, 'left_to_queue': refused}, 'no save has waited')
        self.ingest.hang.set()
        self.reported()
        self.assertEqual(counters.take('x')['sent_at_once'], sending.MAX_THREADS + sending.MAX_WAITING)

    def test_that_wait_in_vain_leave_everything_to_the_queue(self):
        self.ingest.hang.clear()
        with mock.patch.object(sending, 'AT_ONCE_SECONDS', 0.2), self.assertLogs('inventree', 'WARNING'):
            for _ in range(3):
                self.item.save()
            eventually(lambda: not senders(), 10)
        self.assertEqual(counters.take('x')['left_to_queue'], 3)
        self.ingest.hang.set()
        self.item.save()
        self.assertEqual(self.reported()[SAVED][-1], self.part.pk)
        self.assertEqual(counters.take('x')['sent_at_once'], 1, 'the next change is sent at once again')

    def test_end_when_nothing_is_left(self):
        self.item.save()
        self.reported()
        self.assertEqual(senders(), [])

    def test_that_cannot_be_started_leave_nothing_behind(self):
        def no_more(_):
            raise RuntimeError("can't start new thread")

        start, threading.Thread.start = threading.Thread.start, no_more
        try:
            for _ in range(sending.MAX_THREADS):
                self.item.save()
        finally:
            threading.Thread.start = start
        self.item.save()
        self.assertEqual(self.reported(), {SAVED: [self.part.pk] * (sending.MAX_THREADS + 1)})

    def test_of_a_process_do_not_count_in_its_child(self):
        self.ingest.hang.clear()
        for _ in range(3):
            self.item.save()
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(write, f'{sending.at_once.threads()} {sending.at_once.waiting()}'.encode())
            os._exit(0)
        os.waitpid(child, 0)
        self.assertEqual(os.read(read, 10), b'0 0')
        os.close(read)
        os.close(write)
        self.ingest.hang.set()
        self.reported()


class Instance(SendingTest):
    def test_is_in_every_webhook_and_reveals_no_secret(self):
        self.post(Webhook([]))
        [body] = self.ingest.bodies
        self.assertEqual(body['instance']['url'], 'http://inventree.test')
        self.assertRegex(body['instance']['id'], r'^[0-9a-f]{16}$')
        self.assertNotIn(django_settings.SECRET_KEY, str(body))

    def test_is_another_one_in_a_copy(self):
        ids = set()
        for change in ({}, {'SECRET_KEY': 'another'}, {'SITE_URL': 'http://copy.test'}):
            with override_settings(**change):
                instance.cache_clear()
                ids.add(instance()['id'])
                instance.cache_clear()
                self.assertIn(instance()['id'], ids, 'the same each time')
        instance.cache_clear()
        self.assertEqual(len(ids), 3)


class Counters(SendingTest):
    def test_start_at_zero_in_a_forked_process_even_while_they_are_locked(self):
        counters.add('errors')
        read, write = os.pipe()
        with counters._lock:
            child = os.fork()
            if child == 0:
                counters.add('transactions')
                os.write(write, str(counters.take('x')).encode())
                os._exit(0)
        os.waitpid(child, 0)
        self.assertEqual(os.read(read, 100), b"{'transactions': 1}")
        os.close(read)
        os.close(write)
        self.assertEqual(counters.take('x'), {'errors': 1})

    def test_are_sent_with_the_next_webhook_and_restored_if_it_fails(self):
        counters.add('errors', 2)
        self.ingest.status = 503
        with self.assertRaises(NotAccepted):
            self.post(Webhook([]))
        self.ingest.status = 202
        self.post(Webhook([]))
        [body] = self.ingest.bodies
        self.assertEqual((body['events'], body['counters']), ([], {'errors': 2}))
        self.assertEqual(self.counted(), {'errors': 2}, 'and not once more')

    def test_count_the_results_of_webhooks(self):
        with transaction.atomic():
            self.item.save()
        self.reported()
        events.run_background_worker()
        self.assertEqual(self.counted(), {'transactions': 1, 'sent_at_once': 1, 'sent_from_queue': 1})
        self.ingest.status = 503
        with self.assertLogs('inventree', 'WARNING'):
            self.item.save()
            self.reported()
        events.run_background_worker()
        self.assertEqual(self.counted(), {'transactions': 1, 'left_to_queue': 1, 'refused_from_queue': 1})


class Heartbeat(SendingTest):
    def test_is_scheduled_every_minute_and_contains_the_versions(self):
        task = self.plugin.SCHEDULED_TASKS['heartbeat']
        self.assertEqual(task, {'func': 'heartbeat', 'schedule': 'I', 'minutes': 1})
        getattr(self.plugin, task['func'])()
        beat = {'event': 'stock_sync.heartbeat', 'plugin': VERSION, 'inventree': f'{INVENTREE_LIKE}.0', 'queue': True}
        self.assertEqual(self.ingest.events(), [beat])

    def test_is_not_repeated_if_it_fails_and_not_sent_while_the_plugin_is_off(self):
        self.ingest.status = 503
        with self.assertLogs('inventree', 'WARNING') as logs:
            self.plugin.heartbeat()
        self.assertIn('heartbeat not sent', logs.output[0])
        self.ingest.status = 202
        registry.active = False
        self.plugin.heartbeat()
        self.assertEqual(self.ingest.events(), [])
