import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from build.models import BuildItem
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from order.models import SalesOrder, SalesOrderAllocation
from part.models import Part, PartCategory
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient
from stock.models import StockItem, StockLocation

from . import INVENTREE_LIKE
from .support import PluginTest

PATH = '/plugin/magento-sync/stock/'


class ReadingTest(PluginTest):
    def setUp(self):
        super().setUp()
        self.configure(ENABLED=False)
        user = User.objects.create(username='stock sync')
        self.role = Group.objects.create(name='stock.view')
        user.groups.add(self.role)
        self.client = APIClient(raise_request_exception=False)
        self.client.credentials(HTTP_AUTHORIZATION=f'Token {Token.objects.create(user=user).key}')
        self.part = Part.objects.create(name='WIDGET-123')
        self.other = Part.objects.create(name='A', IPN='I-1', variant_of=self.part, salable=False, virtual=True)
        self.shelf, self.box = StockLocation.objects.create(name='shelf'), StockLocation.objects.create(name='box')

    def post(self, body, expected=200):
        answer = self.client.post(PATH, body, format='json')
        self.assertEqual(answer.status_code, expected, answer.content)
        return answer.json()

    def get(self, query, expected=200):
        answer = self.client.get(f'{PATH}?{query}')
        self.assertEqual(answer.status_code, expected, answer.content)
        return answer.json()


class Stock(ReadingTest):
    def test_is_summed_by_location_with_what_is_allocated(self):
        big = StockItem.objects.create(part=self.part, quantity=30, location=self.shelf)
        StockItem.objects.create(part=self.part, quantity=20, location=self.shelf)
        loose = StockItem.objects.create(part=self.part, quantity=Decimal('0.1'))
        StockItem.objects.create(part=self.part, quantity=Decimal('0.2'))
        StockItem.objects.create(part=self.other, quantity=1000, location=self.box)
        for quantity in (3, 1):
            SalesOrderAllocation.objects.create(item=big, quantity=quantity)
        for quantity in (2, 4):
            BuildItem.objects.create(stock_item=big, quantity=quantity)
        BuildItem.objects.create(stock_item=loose, quantity=Decimal('0.05'))
        answer = self.post({'parts': [self.part.pk, 999_999]})
        [part] = answer['parts']
        part['locations'].sort(key=lambda at: at['in_stock'])
        expected = {
            'pk': self.part.pk,
            'name': 'WIDGET-123',
            'IPN': '',
            'active': True,
            'salable': True,
            'virtual': False,
            'is_template': False,
            'variant_of': None,
            'in_stock': '50.30000',
            'locations': [
                {'location': None, 'in_stock': '0.30000', 'allocated': '0.05000'},
                {'location': self.shelf.pk, 'in_stock': '50.00000', 'allocated': '10.00000'},
            ],
        }
        self.assertEqual(part, expected)
        self.assertEqual(answer['missing'], [999_999])

    def test_follows_the_definition_of_inventree(self):
        order = SalesOrder.objects.create()
        host = StockItem.objects.create(part=self.part, quantity=1)
        for out in (
            {'quantity': 0},
            {'sales_order': order},
            {'belongs_to': host},
            {'consumed_by': 4},
            {'is_building': True},
            {'status': 65},
        ):
            item = StockItem.objects.create(part=self.part, **{'quantity': 7, **out})
            SalesOrderAllocation.objects.create(item=item, quantity=5)
        for status in (50, 55, 85):
            StockItem.objects.create(part=self.part, quantity=1, status=status)
        [part] = self.post({'parts': [self.part.pk]})['parts']
        self.assertEqual(part['locations'], [{'location': None, 'in_stock': '4.00000', 'allocated': '0.00000'}])

    def test_of_a_part_without_any_is_zero(self):
        [part] = self.post({'parts': [self.other.pk]})['parts']
        self.assertEqual((part['in_stock'], part['locations']), ('0.00000', []))
        self.assertEqual((part['IPN'], part['variant_of']), ('I-1', self.part.pk))
        self.assertEqual((part['salable'], part['virtual']), (False, True))

    def test_of_a_thousand_parts_takes_three_queries_besides_the_login(self):
        parts = [Part.objects.create(name=f'P{number}') for number in range(1000)]
        StockItem.objects.bulk_create([StockItem(part=part, quantity=2) for part in parts for _ in range(3)])
        with CaptureQueriesContext(connection) as captured:
            answer = self.post({'parts': [part.pk for part in parts]})
        self.assertEqual({part['in_stock'] for part in answer['parts']}, {'6.00000'})
        self.assertEqual(len(answer['parts']), 1000)
        about_stock = [query['sql'] for query in captured if '_part"' in query['sql'] or 'stock_' in query['sql']]
        self.assertEqual(len(about_stock), 3)
        self.assertLessEqual(len(captured), 5)


class Walk(ReadingTest):
    def test_goes_by_id_in_pages_and_says_where_the_next_starts(self):
        keys = sorted([self.part.pk, self.other.pk] + [Part.objects.create(name=f'{9 - n}').pk for n in range(3)])
        seen, after, pages = [], 0, 0
        while after is not None:
            page = self.get(f'after={after}&limit=2')
            seen += [part['pk'] for part in page['parts']]
            after, pages = page['next'], pages + 1
        self.assertEqual((seen, pages), (keys, 3))
        self.assertEqual(self.get(f'after={keys[-1]}'), {'parts': [], 'next': None})
        self.assertEqual(self.get(f'after={keys[0]}&limit=4')['next'], None, 'a last page that is full')
        self.assertEqual([part['pk'] for part in self.get('')['parts']], keys)

    def test_loses_no_part_when_others_are_deleted_meanwhile(self):
        first = self.get('limit=1')
        self.part.delete()
        self.assertEqual([part['pk'] for part in self.get(f'after={first["next"]}')['parts']], [self.other.pk])


class Parameter(ReadingTest):
    def setUp(self):
        super().setUp()
        if INVENTREE_LIKE == '0.17':
            template = apps.get_model('part', 'PartParameterTemplate').objects.create(name='Magento SKU')
            apps.get_model('part', 'PartParameter').objects.create(part=self.part, template=template, data='M-1')
        else:
            template = apps.get_model('common', 'ParameterTemplate').objects.create(name='Magento SKU')
            of_parts = ContentType.objects.get_for_model(Part)
            of_locations = ContentType.objects.get_for_model(StockLocation)
            values = apps.get_model('common', 'Parameter').objects
            values.create(model_type=of_parts, model_id=self.part.pk, template=template, data='M-1')
            values.create(model_type=of_locations, model_id=self.other.pk, template=template, data='WRONG')

    def test_is_read_where_it_is_requested(self):
        asked = {'parts': [self.part.pk, self.other.pk], 'parameter': 'Magento SKU'}
        self.assertEqual([part['parameter'] for part in self.post(asked)['parts']], ['M-1', None])
        self.assertEqual([p['parameter'] for p in self.get('parameter=Magento%20SKU')['parts']], ['M-1', None])
        self.assertNotIn('parameter', self.get('')['parts'][0])

    def test_may_be_several_at_once(self):
        asked = {'parts': [self.part.pk, self.other.pk], 'parameters': ['Magento SKU']}
        expected = [{'Magento SKU': 'M-1'}, {'Magento SKU': None}]
        self.assertEqual([part['parameters'] for part in self.post(asked)['parts']], expected)
        self.assertEqual([p['parameters'] for p in self.get('parameters=Magento%20SKU')['parts']], expected)

    def test_that_does_not_exist_is_wrong_input(self):
        parts = [self.part.pk]
        for wrong in ({'parameter': 'nonsense'}, {'parameters': ['Magento SKU', 'nonsense']}):
            self.assertIn("got 'nonsense'", self.post({'parts': parts, **wrong}, 400)['parameters'][0])
        self.assertIn('parameters', self.get('parameters=nonsense', 400))
        self.assertIn('parameter', self.post({'parts': parts, 'parameter': 5}, 400))
        for wrong in ('x', [5], [''] * 11):
            self.assertIn('parameters', self.post({'parts': parts, 'parameters': wrong}, 400))


class Details(ReadingTest):
    def read(self, *wanted):
        [part] = self.post({'parts': [self.part.pk], 'wanted': wanted})['parts']
        part.get('stock', []).sort(key=lambda row: row['in_stock'])
        return part

    def test_group_stock_by_status_and_expiry(self):
        yesterday = date.today() - timedelta(days=1)
        create = StockItem.objects.create
        shelf = create(part=self.part, quantity=30, location=self.shelf)
        create(part=self.part, quantity=20, location=self.shelf, expiry_date=date.today())
        create(part=self.part, quantity=5, location=self.shelf, status=55)
        demo = create(part=self.part, quantity=4, location=self.shelf, status=10, status_custom_key=11)
        create(part=self.part, quantity=3, expiry_date=yesterday)
        SalesOrderAllocation.objects.create(item=shelf, quantity=6)
        BuildItem.objects.create(stock_item=demo, quantity=1)
        part = self.read('details')
        rows = [tuple(row.values()) for row in part['stock']]
        place = self.shelf.pk
        expected = [
            (None, 10, True, '3.00000', '0.00000'),
            (place, 11, False, '4.00000', '1.00000'),
            (place, 55, False, '5.00000', '0.00000'),
            (place, 10, False, '50.00000', '6.00000'),
        ]
        self.assertEqual((rows, part['in_stock']), (sorted(expected, key=lambda row: row[3]), '62.00000'))
        self.assertEqual(list(part['stock'][0]), ['location', 'status', 'expired', 'in_stock', 'allocated'])
        self.assertNotIn('locations', part)

    def test_name_category_and_revision(self):
        category = PartCategory.objects.create(name='Widgets')
        self.assertEqual((self.read('details')['category'], self.read('details')['revision']), (None, ''))
        Part.objects.filter(pk=self.part.pk).update(category=category, revision='B')
        part = self.read('details')
        self.assertEqual((part['category'], part['revision']), (category.pk, 'B'))

    def test_add_the_stock_of_variants_at_any_depth_to_a_template(self):
        Part.objects.filter(pk=self.part.pk).update(is_template=True)
        below = Part.objects.create(name='B', variant_of=self.other)
        for part, quantity in ((self.part, 1), (self.other, 10), (below, 100)):
            StockItem.objects.create(part=part, quantity=quantity, location=self.shelf)
        self.assertEqual(self.read()['in_stock'], '1.00000')
        both = self.post({'parts': [self.part.pk, self.other.pk], 'wanted': ['variants', 'details']})['parts']
        self.assertEqual([part['in_stock'] for part in both], ['111.00000', '10.00000'])
        [first] = self.get('wanted=variants&wanted=details&limit=1')['parts']
        self.assertEqual(first['in_stock'], '111.00000')

    def test_say_what_inventree_could_build_of_assemblies(self):
        self.assertEqual(self.read('buildable')['buildable'], '0.00000')
        Part.objects.filter(pk=self.part.pk).update(assembly=True)
        self.assertEqual(self.read('buildable')['buildable'], '7.00000')
        self.assertNotIn('buildable', self.read())

    def test_cost_no_further_query_but_one_for_variants(self):
        Part.objects.filter(pk=self.part.pk).update(is_template=True)
        counts = []
        for wanted in ([], ['details'], ['details', 'variants']):
            with CaptureQueriesContext(connection) as captured:
                self.post({'parts': [self.part.pk, self.other.pk], 'wanted': wanted})
            counts.append(sum('_part"' in query['sql'] or 'stock_' in query['sql'] for query in captured))
        self.assertEqual(counts, [3, 3, 4])


class RandomStock(ReadingTest):
    CASES = 200

    def test_is_read_as_a_naive_model_counts_it(self):
        below = Part.objects.create(name='B', variant_of=self.other)
        Part.objects.filter(pk=self.part.pk).update(is_template=True)
        family = {self.part.pk: [self.part, self.other, below], self.other.pk: [self.other], below.pk: [below]}
        for case in range(self.CASES):
            dice = random.Random(case)
            StockItem.objects.all().delete()
            parts = [self.part, self.other, below]
            items = [self.random_item(dice, dice.choice(parts)) for _ in range(dice.randrange(8))]
            wanted = ['details', 'variants'] if dice.random() < 0.7 else ['details']
            for row in self.post({'parts': list(family), 'wanted': wanted})['parts']:
                owners = family[row['pk']] if 'variants' in wanted else family[row['pk']][:1]
                expected = defaultdict(lambda: [Decimal(0), Decimal(0)])
                for item, allocated in items:
                    counts = item.quantity > 0 and item.status in (10, 50, 55, 85) and not item.is_building
                    if counts and item.part in owners:
                        status = item.status if item.status_custom_key is None else item.status_custom_key
                        is_expired = item.expiry_date is not None and item.expiry_date < date.today()
                        group = expected[item.location_id, status, is_expired]
                        group[0] += item.quantity
                        group[1] += allocated
                found = defaultdict(lambda: [Decimal(0), Decimal(0)])
                for at in row['stock']:
                    group = found[at['location'], at['status'], at['expired']]
                    group[0] += Decimal(at['in_stock'])
                    group[1] += Decimal(at['allocated'])
                self.assertEqual(dict(found), dict(expected), f'case {case}')
                self.assertEqual(Decimal(row['in_stock']), sum(group[0] for group in expected.values()))

    def random_item(self, dice, part):
        item = StockItem.objects.create(
            part=part,
            quantity=Decimal(dice.randrange(0, 500_000)) / 1000,
            location=dice.choice([None, self.shelf, self.box]),
            status=dice.choice([10, 50, 55, 65, 85]),
            status_custom_key=dice.choice([None, None, 11]),
            is_building=dice.random() < 0.1,
            expiry_date=dice.choice([None, date.today(), date.today() - timedelta(days=1)]),
        )
        allocated = Decimal(0)
        for model, field in ((SalesOrderAllocation, 'item'), (BuildItem, 'stock_item')):
            if dice.random() < 0.3:
                allocated += model.objects.create(**{field: item}, quantity=Decimal(dice.randrange(1, 50))).quantity
        return item, allocated


class Categories(ReadingTest):
    def test_are_listed_with_the_ones_above(self):
        top = PartCategory.objects.create(name='Widgets')
        below = PartCategory.objects.create(name='Blue', parent=top)
        answer = self.client.get('/plugin/magento-sync/categories/')
        rows = [{'pk': top.pk, 'parent': None}, {'pk': below.pk, 'parent': top.pk}]
        self.assertEqual((answer.status_code, answer.json()), (200, {'categories': rows}))
        self.role.user_set.clear()
        self.assertEqual(self.client.get('/plugin/magento-sync/categories/').status_code, 403)


class WrongInput(ReadingTest):
    def test_names_the_field(self):
        for parts in (None, 'x', {}, [1.5], ['1'], [True], [0], [-1], [2**63], list(range(1, 1002))):
            words = 'expected a list of at most 1000 ids of parts, whole numbers'
            self.assertEqual(self.post({'parts': parts}, 400), {'parts': [words]})
        self.assertIn('parts', self.post([1], 400))
        words = f"expected a whole number from 0 to {2**63 - 1}, got '-1'"
        self.assertEqual(self.get('after=-1', 400), {'after': [words]})
        self.assertEqual(self.get('limit=1001', 400), {'limit': ["expected a whole number from 1 to 1000, got '1001'"]})
        for query in ('after=x', 'after=', 'after=%D9%A3', f'after={2**63}', 'limit=0', 'limit=1.5'):
            self.assertEqual(list(self.get(query, 400)), [query.split('=')[0]])
        answer = self.client.post(PATH, '{"parts": [', content_type='application/json')
        self.assertEqual(answer.status_code, 400)
        self.assertIn('JSON', answer.json()['detail'])

    def test_is_a_wish_that_the_plugin_does_not_know(self):
        expected = {'wanted': ['expected a list of details, buildable, variants']}
        for wanted in ('details', ['prices'], [5], [['details']]):
            self.assertEqual(self.post({'parts': [], 'wanted': wanted}, 400), expected)
        self.assertEqual(self.get('wanted=prices', 400), expected)

    def test_does_not_include_an_empty_list(self):
        self.assertEqual(self.post({'parts': []}), {'parts': [], 'missing': []})

    def test_does_not_include_a_part_that_is_requested_twice(self):
        answer = self.post({'parts': [self.part.pk, self.part.pk, 999, 999]})
        self.assertEqual(([part['pk'] for part in answer['parts']], answer['missing']), ([self.part.pk], [999]))


class Login(ReadingTest):
    def test_and_role_are_required(self):
        for client, status in ((APIClient(), 401), (self.client, 403)):
            self.role.user_set.clear()
            for answer in (client.get(PATH), client.post(PATH, {'parts': []}, format='json')):
                self.assertEqual(answer.status_code, status)
                self.assertIn('detail', answer.json())
