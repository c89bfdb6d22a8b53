import threading
import time
from decimal import Decimal
from unittest import mock

from build.models import BuildItem
from common.settings import global_settings
from company.models import Company
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.db import connection, connections, transaction
from django.db.models import signals
from django.test.utils import CaptureQueriesContext
from inventree_magento_sync import receivers
from inventree_magento_sync import settings as plugin_settings
from inventree_magento_sync.plugin import MagentoSyncPlugin
from order.models import SalesOrder, SalesOrderAllocation
from part.models import Part, PartCategory
from plugin import registry
from plugin.base.event import events
from stock.models import StockItem, StockLocation

from InvenTree import ready

from . import INVENTREE_LIKE
from .support import PluginTest

CREATED, SAVED, DELETED = 'stock_stockitem.created', 'stock_stockitem.saved', 'stock_stockitem.deleted'
TOUCHED, EVERYTHING = 'stock_sync.parts_changed', 'stock_sync.everything_changed'


class ReceiversTest(PluginTest):
    def setUp(self):
        super().setUp()
        self.one, self.two = Part.objects.create(name='ONE'), Part.objects.create(name='TWO')
        self.item = StockItem.objects.create(part=self.one, quantity=5)
        self.reported()
        self.queued()


class Changes(ReceiversTest):
    def test_an_item_created_saved_and_deleted(self):
        item = StockItem.objects.create(part=self.two)
        self.assertEqual(self.reported(), {CREATED: [self.two.pk]})
        item.quantity = 7
        item.save()
        self.assertEqual(self.reported(), {SAVED: [self.two.pk]})
        item.delete()
        self.assertEqual(self.reported(), {DELETED: [self.two.pk]})

    def test_an_item_that_moves_to_another_part_reports_both(self):
        item = StockItem.objects.get(pk=self.item.pk)
        item.part = self.two
        item.save()
        self.assertEqual(self.reported(), {SAVED: [self.one.pk, self.two.pk]})
        item.save()
        self.assertEqual(self.reported(), {SAVED: [self.two.pk]}, 'the first part is reported once')

    def test_items_deleted_together_and_with_their_part(self):
        for part in (self.one, self.two):
            StockItem.objects.create(part=part)
        self.reported()
        with transaction.atomic():
            StockItem.objects.filter(part=self.one).delete()
        self.assertEqual(self.reported(), {DELETED: [self.one.pk]})
        two = self.two.pk
        self.two.delete()
        self.assertEqual(self.reported(), {DELETED: [two], 'part_part.deleted': [two]})

    def test_items_that_are_written_in_bulk_inside_a_transaction(self):
        with transaction.atomic():
            StockItem.objects.bulk_create([StockItem(part=self.one), StockItem(part_id=self.two.pk)])
        self.assertEqual(self.reported(), {CREATED: [self.one.pk, self.two.pk]})

    def test_a_part_renamed(self):
        self.one.name = 'UNO'
        self.one.save()
        self.assertEqual(self.reported(), {'part_part.saved': [self.one.pk]})

    def test_allocations_to_orders_and_builds_one_by_one_in_bulk_and_by_id_alone(self):
        for model, field in ((SalesOrderAllocation, 'item'), (BuildItem, 'stock_item')):
            allocation = model.objects.create(**{field: self.item})
            self.assertEqual(self.reported(), {TOUCHED: [self.one.pk]})
            model.objects.create(**{f'{field}_id': self.item.pk})
            self.assertEqual(self.reported(), {TOUCHED: [self.one.pk]})
            model.objects.get(pk=allocation.pk).delete()
            self.assertEqual(self.reported(), {TOUCHED: [self.one.pk]})
            with transaction.atomic():
                model.objects.bulk_create([model(**{field: self.item})])
            self.assertEqual(self.reported(), {TOUCHED: [self.one.pk]})

    def test_a_parameter_of_a_part(self):
        if INVENTREE_LIKE == '0.17':
            template = apps.get_model('part', 'PartParameterTemplate').objects.create(name='SKU')
            apps.get_model('part', 'PartParameter').objects.create(part=self.one, template=template, data='A')
        else:
            template = apps.get_model('common', 'ParameterTemplate').objects.create(name='SKU')
            parameter = apps.get_model('common', 'Parameter')
            of_parts = ContentType.objects.get_for_model(Part)
            parameter.objects.create(model_type=of_parts, model_id=self.one.pk, template=template, data='A')
        self.assertEqual(self.reported(), {TOUCHED: [self.one.pk]})

    def test_changes_without_parts_are_reported_as_everything(self):
        location, parent = StockLocation.objects.create(name='A'), StockLocation.objects.create(name='B')
        location.name = 'C'
        location.save()
        self.assertEqual(self.reported(), {}, 'a new or renamed location moves no stock')
        location.parent = parent
        location.save()
        self.assertEqual(self.reported(), {EVERYTHING: []})
        location.external = True
        location.save()
        self.assertEqual(self.reported(), {EVERYTHING: []})
        category, above = PartCategory.objects.create(name='A'), PartCategory.objects.create(name='B')
        self.assertEqual(self.reported(), {}, 'a new category has no parts')
        category.parent = above
        category.save()
        self.assertEqual(self.reported(), {EVERYTHING: []})
        category.delete()
        self.assertEqual(self.reported(), {EVERYTHING: []})
        for gone in (location, Company.objects.create(is_customer=True), SalesOrder.objects.create()):
            gone.delete()
            self.assertEqual(self.reported(), {EVERYTHING: []})
        Company.objects.create(is_customer=False).delete()
        self.assertEqual(self.reported(), {})

    def test_items_that_are_in_stock_again_when_their_order_is_deleted(self):
        order = SalesOrder.objects.create()
        StockItem.objects.filter(pk=self.item.pk).update(sales_order=order)
        order.delete()
        self.assertIn(EVERYTHING, self.reported())
        self.assertTrue(StockItem.objects.filter(StockItem.IN_STOCK_FILTER, pk=self.item.pk).exists())


class Transactions(ReceiversTest):
    def test_are_reported_once_with_all_their_parts(self):
        with transaction.atomic():
            for number in range(1, 1001):
                StockItem.objects.create(part=Part.objects.create(name=f'P{number}'))
            self.item.delete()
        self.assertEqual(len(events.queue), 1)
        reported = self.reported()
        self.assertEqual([len(reported[CREATED]), len(reported['part_part.saved'])], [1000, 1000])
        self.assertEqual(reported[DELETED], [self.one.pk])
        self.assertEqual(self.queued(), reported)

    def test_of_many_thousand_parts_cause_a_few_webhooks(self):
        with transaction.atomic():
            for pk in range(1, 12_001):
                receivers._collect(receivers.kinds.ITEM_SAVED, pk, 'default')
        self.assertEqual(len(events.queue), 2)
        self.assertEqual(max(len(e['parts']) for _, _, kwargs in events.queue for e in kwargs['events']), 1000)
        self.assertEqual(self.reported(), {SAVED: list(range(1, 12_001))})

    def test_that_are_rolled_back_report_nothing_and_the_next_one_is_reported(self):
        for _ in range(2):
            with self.assertRaises(ZeroDivisionError), transaction.atomic():
                self.item.save()
                raise ZeroDivisionError
            self.assertEqual((self.reported(), self.queued()), ({}, {}))
        with transaction.atomic():
            StockItem.objects.create(part=self.two)
        self.assertEqual(self.reported(), {CREATED: [self.two.pk]})

    def _rolled_back_savepoint(self, item):
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            item.save()
            raise ZeroDivisionError

    def test_whose_savepoints_are_rolled_back_report_the_rest(self):
        other = StockItem.objects.create(part=self.two)
        self.reported()
        with transaction.atomic():
            self._rolled_back_savepoint(other)
            self.item.save()
        self.assertEqual(self.reported(), {SAVED: [self.one.pk]}, 'first the savepoint')
        with transaction.atomic():
            self.item.save()
            self._rolled_back_savepoint(other)
        self.assertEqual(self.reported(), {SAVED: [self.one.pk]}, 'last the savepoint')
        with transaction.atomic():
            with transaction.atomic():
                self.item.save()
            self._rolled_back_savepoint(other)
        self.assertEqual(self.reported(), {SAVED: [self.one.pk]}, 'one kept, one not')
        with transaction.atomic():
            self._rolled_back_savepoint(other)
        self.assertEqual(self.reported(), {}, 'nothing but the savepoint')
        with transaction.atomic():
            other.save()
        self.assertEqual(self.reported(), {SAVED: [self.two.pk]}, 'and the next one')

    def test_with_savepoints_are_one(self):
        with transaction.atomic():
            for part in (self.one, self.two):
                with transaction.atomic():
                    StockItem.objects.create(part=part)
        self.assertEqual(len(events.queue), 1)
        self.assertEqual(self.reported(), {CREATED: [self.one.pk, self.two.pk]})

    def test_of_two_threads_do_not_mix(self):
        begun, reported = threading.Barrier(2), {}

        def work(name, part):
            with transaction.atomic():
                begun.wait(5)
                receivers._collect(receivers.kinds.ITEM_SAVED, part, 'default')
                begun.wait(5)
                transaction.set_rollback(name == 'rolled back')
            connection.close()

        def report(changes, using):
            reported[threading.current_thread().name] = dict(changes)

        with mock.patch.object(receivers, 'report', report):
            threads = [
                threading.Thread(target=work, args=(name, part), name=name)
                for name, part in (('kept', 1), ('rolled back', 2))
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(reported, {'kept': {receivers.kinds.ITEM_SAVED: {1}}})

    def test_on_two_connections_of_one_thread_do_not_mix(self):
        reported = []
        other = connections['other']
        with mock.patch.object(receivers, 'report', lambda changes, using: reported.append((using, dict(changes)))):
            with transaction.atomic():
                receivers._collect(receivers.kinds.ITEM_SAVED, 1, 'default')
                with self.assertRaises(ZeroDivisionError), transaction.atomic(using='other'):
                    receivers._collect(receivers.kinds.ITEM_SAVED, 2, 'other')
                    raise ZeroDivisionError
            self.assertEqual(reported, [('default', {receivers.kinds.ITEM_SAVED: {1}})], 'the other one rolled back')
            reported.clear()
            with transaction.atomic(), transaction.atomic(using='other'):
                receivers._collect(receivers.kinds.ITEM_SAVED, 1, 'default')
                receivers._collect(receivers.kinds.ITEM_SAVED, 2, 'other')
            changes = {using: kinds[receivers.kinds.ITEM_SAVED] for using, kinds in reported}
            self.assertEqual(changes, {'default': {1}, 'other': {2}})
        other.close()

    def test_with_a_hook_that_changes_something_itself_lose_nothing(self):
        for in_transaction in (False, True):
            for position in range(3):
                with self.subTest(in_transaction=in_transaction, position=position):
                    self.assertEqual(self._reported_with_nested_hook(in_transaction, position), {1, 2, 3})

    def _reported_with_nested_hook(self, in_transaction, position):
        reported = set()

        def nested():
            if in_transaction:
                with transaction.atomic():
                    receivers._collect(receivers.kinds.ITEM_SAVED, 3, 'default')
            else:
                receivers._collect(receivers.kinds.ITEM_SAVED, 3, 'default')

        def report(changes, using):
            reported.update(changes[receivers.kinds.ITEM_SAVED])

        with mock.patch.object(receivers, 'report', report), transaction.atomic():
            for number in range(3):
                if number == position:
                    transaction.on_commit(nested)
                if number < 2:
                    receivers._collect(receivers.kinds.ITEM_SAVED, number + 1, 'default')
        return reported

    def test_whose_hooks_another_plugin_broke_are_reported_with_the_next(self):
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            transaction.on_commit(lambda: 1 / 0)
            self.item.save()
        self.assertEqual(self.reported(), {})
        StockItem.objects.create(part=self.two)
        self.assertEqual(self.reported()[CREATED], [self.two.pk])


class UserActions(ReceiversTest):
    def test_make_no_further_query_inside_a_transaction(self):
        def queries():
            item = StockItem.objects.create(part=self.one)
            with transaction.atomic(), CaptureQueriesContext(connection) as captured:
                item = StockItem.objects.get(pk=item.pk)
                item.part = self.two
                item.save()
                SalesOrderAllocation.objects.create(item_id=item.pk)
                item.delete()
                StockItem.objects.bulk_create([StockItem(part=self.one)])
            return [query['sql'].split(' ')[0] for query in captured]

        with_us = queries()
        for signal in (signals.post_init, signals.post_save, signals.post_delete):
            others = [entry for entry in signal.receivers if not str(entry[0][0]).startswith('magento-sync:')]
            patch = mock.patch.object(signal, 'receivers', others)
            patch.start()
            self.addCleanup(signal.sender_receivers_cache.clear)
            self.addCleanup(patch.stop)
            signal.sender_receivers_cache.clear()
        self.reported()
        self.assertEqual(with_us, queries())
        self.assertEqual(self.reported(), {}, 'without the receivers nothing is reported')

    def test_succeed_despite_an_error_in_a_receiver_which_is_counted(self):
        with mock.patch.object(receivers, '_collect', side_effect=RuntimeError('boom')), self.assertLogs('inventree'):
            receivers._next_logged = 0
            self.item.quantity = Decimal(9)
            self.item.save()
            self.item.save()
        self.item.refresh_from_db()
        self.assertEqual(self.item.quantity, 9)
        self.assertEqual(self.counted()['errors'], 2)

    def test_succeed_despite_an_error_on_commit_which_is_counted(self):
        boom = mock.patch.object(receivers, 'enqueue', side_effect=RuntimeError('boom'))
        with boom, self.assertLogs('inventree') as logs:
            receivers._next_logged = 0
            with transaction.atomic():
                self.item.save()
            self.item.save()
        self.assertEqual(self.counted()['errors'], 2)
        self.assertEqual(len(logs.records), 1, 'one traceback a minute')

    def test_are_not_reported_while_the_plugin_is_off_or_not_configured(self):
        def is_silent(why):
            self.item.save()
            self.assertEqual((self.reported(), self.queued()), ({}, {}), why)

        registry.active = False
        self.configure()
        is_silent('turned off')
        registry.active = True
        for setting, value in (('ENABLED', False), ('INGEST_URL', ''), ('WEBHOOK_SECRET', '')):
            before = registry.stored.get(setting, True)
            self.configure(**{setting: value})
            is_silent(setting)
            self.configure(**{setting: before})
        registry.unload()
        is_silent('not loaded')

    def test_do_not_include_fixtures(self):
        fixture = serializers.serialize('json', [self.item, self.one])
        for loaded in serializers.deserialize('json', fixture):
            loaded.save()
        self.assertEqual(self.reported(), {})

    def test_are_not_received_while_data_is_imported(self):
        importing = mock.patch.object(ready, 'running_command', 'loaddata')
        with importing, mock.patch.object(signals.post_save, 'connect') as connect:
            registry.load(MagentoSyncPlugin)
        connect.assert_not_called()

    def test_are_reported_once_by_a_plugin_that_was_loaded_again(self):
        for _ in range(3):
            registry.load(MagentoSyncPlugin)
        type(self.plugin)()
        self.item.save()
        self.assertEqual(len(events.queue), 1)
        self.assertEqual(self.reported(), {SAVED: [self.one.pk]})

    def test_do_not_read_the_settings_each_time(self):
        plugin = registry.plugins['magento-sync']
        self.item.save()
        before = plugin.queries
        for _ in range(20):
            self.item.save()
        self.assertEqual(plugin.queries, before)


    def test_are_reported_a_moment_after_the_plugin_was_turned_on(self):
        registry.set(ENABLED=False)
        with mock.patch.object(plugin_settings, '_recent', (0.0, None)):
            self.item.save()
            self.assertIsNone(plugin_settings._recent[1])
            registry.set(ENABLED=True)
            time.sleep(plugin_settings.OFF_CACHED_SECONDS)
            self.item.save()
            self.assertEqual(self.reported(), {SAVED: [self.one.pk]})


class Switches(ReceiversTest):
    def test_disable_their_kind_of_change(self):
        for switch, silent in (('SYNC_ON_CREATE', CREATED), ('SYNC_ON_UPDATE', SAVED), ('SYNC_ON_DELETE', DELETED)):
            self.configure(**{switch: False})
            item = StockItem.objects.create(part=self.two)
            item.save()
            item.delete()
            self.assertEqual(set(self.reported()), {CREATED, SAVED, DELETED} - {silent})
            self.configure(**{switch: True})

    def test_without_send_at_once_use_only_the_queue(self):
        self.configure(SEND_AT_ONCE=False)
        self.item.save()
        self.assertEqual(self.reported(), {})
        events.run_background_worker()
        self.assertEqual(self.reported(), {SAVED: [self.one.pk]})

    def test_with_plugin_events_off_only_send_at_once_works(self):
        global_settings['ENABLE_PLUGINS_EVENTS'] = False
        self.item.save()
        self.assertEqual(self.queued(), {})
        self.assertEqual(self.reported(), {SAVED: [self.one.pk]})
