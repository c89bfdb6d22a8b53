"""The plugin inside a real InvenTree, by InvenTree's own test runner: see "Test" in the plugin's README."""

import base64
from unittest import mock

from common.models import InvenTreeSetting
from company.models import Company, SupplierPart
from django.db import transaction
from InvenTree.unit_test import InvenTreeAPITestCase
from inventree_magento_sync import SLUG, receivers, sending
from inventree_magento_sync import settings as plugin_settings
from order.models import PurchaseOrder, PurchaseOrderLineItem
from order.status_codes import PurchaseOrderStatus
from part.models import Part
from plugin import registry
from stock.models import StockItem, StockLocation

SECRET = 'whsec_' + base64.b64encode(bytes(range(32))).decode()
PATH = f'/plugin/{SLUG}/stock/'


class MagentoSyncTest(InvenTreeAPITestCase):
    roles = ['stock.view', 'stock.add', 'stock.change', 'stock.delete', 'part.view', 'purchase_order.add']

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        for setting in ('ENABLE_PLUGINS_EVENTS', 'ENABLE_PLUGINS_URL', 'ENABLE_PLUGINS_SCHEDULE'):
            InvenTreeSetting.set_setting(setting, True, None)
        registry.set_plugin_state(SLUG, True)
        registry.reload_plugins(full_reload=True, collect=True)
        cls.part = Part.objects.create(name='WIDGET-123', description='d', purchaseable=True)
        cls.shelf = StockLocation.objects.create(name='shelf')
        cls.item = StockItem.objects.create(part=cls.part, quantity=50, location=cls.shelf)

    def setUp(self):
        super().setUp()
        plugin = registry.get_plugin(SLUG)
        plugin.set_setting('INGEST_URL', 'http://127.0.0.1:9')
        plugin.set_setting('WEBHOOK_SECRET', SECRET)
        plugin_settings._recent = (0.0, None)
        self.webhooks = []
        for target, name in ((sending.at_once, 'offer'), (receivers, 'enqueue')):
            patch = mock.patch.object(target, name, side_effect=self.keep if name == 'enqueue' else None)
            patch.start()
            self.addCleanup(patch.stop)

    def keep(self, settings, webhook):
        self.webhooks.append(webhook)

    def reported(self, work):
        """The parts by event that one action reports, in one webhook at most."""
        self.webhooks.clear()
        with self.captureOnCommitCallbacks(execute=True):
            work()
        self.assertLessEqual(len(self.webhooks), 1)
        events = self.webhooks[0].events if self.webhooks else []
        return {event['event']: event.get('parts') for event in events}

    def test_a_count_through_the_api(self):
        def count():
            self.post('/api/stock/count/', {'items': [{'pk': self.item.pk, 'quantity': 44}]}, expected_code=201)

        self.assertEqual(self.reported(count), {'stock_stockitem.saved': [self.part.pk]})

    def test_a_sell_out_through_the_api(self):
        def remove():
            self.post('/api/stock/remove/', {'items': [{'pk': self.item.pk, 'quantity': 50}]}, expected_code=201)

        self.assertEqual(self.reported(remove)['stock_stockitem.deleted'], [self.part.pk])

    def test_an_order_that_is_received_in_bulk(self):
        supplier = Company.objects.create(name='supplier', is_supplier=True)
        supplied = SupplierPart.objects.create(part=self.part, supplier=supplier, SKU='S-1')
        order = PurchaseOrder.objects.create(supplier=supplier, status=PurchaseOrderStatus.PLACED.value)
        line = PurchaseOrderLineItem.objects.create(order=order, part=supplied, quantity=5)
        body = {'items': [{'line_item': line.pk, 'quantity': 5, 'location': self.shelf.pk}], 'location': self.shelf.pk}

        def receive():
            self.post(f'/api/order/po/{order.pk}/receive/', body, expected_code=201)

        self.assertIn(self.part.pk, self.reported(receive)['stock_stockitem.created'])

    def test_a_change_that_is_rolled_back(self):
        def roll_back():
            with self.assertRaises(ZeroDivisionError), transaction.atomic():
                self.item.save()
                raise ZeroDivisionError

        self.assertEqual(self.reported(roll_back), {})

    def test_the_read_equals_the_stock_count_of_inventree(self):
        StockItem.objects.create(part=self.part, quantity=30)
        answer = self.post(PATH, {'parts': [self.part.pk, 999_999]}, expected_code=200).data
        [part] = answer['parts']
        self.assertEqual(float(part['in_stock']), float(self.part.get_stock_count(include_variants=False)))
        self.assertEqual({at['location']: at['in_stock'] for at in part['locations']}[self.shelf.pk], '50.00000')
        self.assertEqual(answer['missing'], [999_999])

    def test_the_read_requires_a_login(self):
        self.logout()
        # InvenTree 1.2 redirects to its login page (docs/facts/inventree.md, "Versions tried").
        self.assertIn(self.client.get(PATH).status_code, (302, 401, 403))

    def test_the_read_with_all_that_the_rules_of_a_shop_may_need(self):
        StockItem.objects.create(part=self.part, quantity=5, location=self.shelf, status=55)
        wanted = ['details', 'buildable', 'variants']
        [part] = self.post(PATH, {'parts': [self.part.pk], 'wanted': wanted}, expected_code=200).data['parts']
        self.assertEqual({row['status']: row['in_stock'] for row in part['stock']}, {10: '50.00000', 55: '5.00000'})
        self.assertEqual((part['buildable'], part['revision'], part['category']), ('0.00000', '', None))
        self.get(f'/plugin/{SLUG}/categories/', expected_code=200)
