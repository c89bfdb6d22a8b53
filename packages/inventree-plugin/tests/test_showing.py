import time
from types import SimpleNamespace

from django.contrib.auth.models import Group, User
from inventree_magento_sync import showing
from rest_framework.test import APIClient

from .support import SECRET, Ingest, PluginTest

RIGHT = {'part': 2, 'sentence': 'Magento shows 50', 'isRight': True, 'since': 1, 'lastChange': None, 'link': None}


class ShowingTest(PluginTest):
    def setUp(self):
        super().setUp()
        showing._answers.clear()
        self.ingest.answers['/inventree/part'] = (200, RIGHT)
        self.client = self.client_of('part.view')

    def client_of(self, *roles):
        user = User.objects.create(username='anna ' + ' '.join(roles))
        for role in roles:
            user.groups.add(Group.objects.create(name=role))
        client = APIClient()
        client.force_authenticate(user)
        return client

    def shops(self, path='part/2/', client=None):
        return (client or self.client).get(f'/plugin/magento-sync/{path}').json()['shops']

    def test_says_what_the_service_says_of_a_part(self):
        answer = self.client.get('/plugin/magento-sync/part/2/').json()
        shop = self.ingest.url.removeprefix('http://')
        self.assertEqual(answer, {'shops': [{**RIGHT, 'shop': shop}], 'may_sync': False})
        self.assertEqual(self.ingest.questions, [('/inventree/part', {'part': 2})])

    def test_asks_once_for_what_is_shown_again_soon(self):
        for _ in range(3):
            self.shops()
        self.assertEqual(len(self.ingest.questions), 1)
        self.shops('part/3/')
        self.assertEqual(len(self.ingest.questions), 2)

    def test_a_service_that_does_not_answer_is_a_sentence_and_costs_the_next_page_nothing(self):
        self.ingest.stop()
        began = time.monotonic()
        [shop] = self.shops()
        self.assertIn('does not answer', shop['sentence'])
        self.assertFalse(shop['isRight'])
        self.assertLess(time.monotonic() - began, showing.TIMEOUT_SECONDS + 1)
        began = time.monotonic()
        self.assertIn('does not answer', self.shops('part/3/')[0]['sentence'])
        self.assertLess(time.monotonic() - began, 0.5)

    def test_a_service_that_hangs_keeps_the_page_no_longer_than_two_seconds(self):
        self.ingest.hang.clear()
        began = time.monotonic()
        self.assertIn('does not answer', self.shops()[0]['sentence'])
        self.assertLess(time.monotonic() - began, showing.TIMEOUT_SECONDS + 1)

    def test_an_older_service_and_a_wrong_secret_are_sentences(self):
        del self.ingest.answers['/inventree/part']
        self.assertIn('answered 404: is it older than this plugin?', self.shops()[0]['sentence'])
        other = Ingest(secret='whsec_' + 'A' * 44)
        self.addCleanup(other.stop)
        self.configure(INGEST_URL=other.url, WEBHOOK_SECRET=SECRET)
        self.assertIn('answered 401', self.shops()[0]['sentence'])
        self.configure(INGEST_URL='')
        self.assertEqual(self.shops()[0]['sentence'], showing.NOT_CONFIGURED)

    def test_no_secret_is_in_any_answer(self):
        text = self.client.get('/plugin/magento-sync/part/2/').content.decode()
        self.assertNotIn('whsec', text)
        self.assertNotIn(SECRET.removeprefix('whsec_'), text)

    def test_each_shop_answers_for_itself(self):
        other = Ingest()
        self.addCleanup(other.stop)
        other.answers['/inventree/part'] = (200, {**RIGHT, 'sentence': 'Magento shows 7'})
        self.configure(INGEST_URL=f'{self.ingest.url}, {other.url}')
        self.assertEqual([shop['sentence'] for shop in self.shops()], ['Magento shows 50', 'Magento shows 7'])

    def test_the_summary(self):
        self.ingest.answers['/inventree/summary'] = (200, {'sentence': 'All 3 SKUs are in sync', 'isRight': True})
        self.assertEqual(self.shops('summary/')[0]['sentence'], 'All 3 SKUs are in sync')

    def test_sync_now_needs_the_change_role_on_stock(self):
        self.ingest.answers['/inventree/sync'] = (202, {'accepted': 1})
        path = '/plugin/magento-sync/part/2/sync/'
        self.assertEqual(self.client.post(path).status_code, 403)
        self.assertEqual(self.ingest.questions, [])
        changer = self.client_of('stock.change')
        self.assertEqual(changer.post(path).status_code, 200)
        self.assertEqual(self.ingest.questions, [('/inventree/sync', {'part': 2, 'user': 'anna stock.change'})])

    def test_nothing_is_shown_to_strangers(self):
        for path in ('part/2/', 'summary/'):
            self.assertIn(APIClient().get(f'/plugin/magento-sync/{path}').status_code, (401, 403))
            self.assertEqual(self.client_of().get(f'/plugin/magento-sync/{path}').status_code, 403)
            User.objects.all().delete()
        self.assertIn(APIClient().post('/plugin/magento-sync/part/2/sync/').status_code, (401, 403))

    def test_the_panel_is_on_the_page_of_a_part_alone_and_asks_nobody(self):
        user = User.objects.create(username='vera')
        user.groups.add(Group.objects.get(name='part.view'))
        request = SimpleNamespace(user=user)
        # As InvenTree sends it: the id is a text.
        [panel] = self.plugin.get_ui_panels(request, {'target_model': 'part', 'target_id': '2'})
        self.assertEqual(panel['source'], '/static/plugins/magento-sync/panel.js:renderPanel')
        self.assertEqual(panel['context'], {'part': 2, 'may_sync': False})
        self.assertEqual(self.plugin.get_ui_panels(request, {'target_model': 'stockitem', 'target_id': '2'}), [])
        self.assertEqual(self.plugin.get_ui_panels(request, {}), [])
        [item] = self.plugin.get_ui_dashboard_items(request, {})
        self.assertEqual(item['source'], '/static/plugins/magento-sync/panel.js:renderDashboardItem')
        self.assertEqual(item['options'], {'width': 3, 'height': 2})
        self.assertEqual(self.ingest.questions, [])
        stranger = SimpleNamespace(user=User.objects.create(username='stranger'))
        self.assertEqual(self.plugin.get_ui_panels(stranger, {'target_model': 'part', 'target_id': '2'}), [])
        self.assertEqual(self.plugin.get_ui_dashboard_items(stranger, {}), [])
