from django.core.exceptions import ValidationError
from inventree_magento_sync.settings import DEFINITIONS, Target, read_settings
from plugin import registry

from .support import OTHER_SECRET, SECRET, PluginTest


class SettingsTest(PluginTest):
    def refusal(self, **stored):
        with self.assertRaises(ValidationError) as refused:
            registry.set(**stored)
        return refused.exception.messages[0]

    def test_have_keys_in_capitals_and_descriptions(self):
        for key, definition in DEFINITIONS.items():
            self.assertEqual(key, key.upper())
            self.assertTrue(definition['name'] and definition['description'] and 'default' in definition, key)
        self.assertTrue(DEFINITIONS['WEBHOOK_SECRET']['protected'])

    def test_that_are_wrong_are_refused_with_the_expected_value(self):
        for url in ('ingest:3000', 'ftp://ingest', 'http://', 'http://ingest:99999', 'http://ingest?x=1', 'ingest'):
            words = f"expected the address of the service's ingest, such as http://ingest:3000, got '{url}'"
            self.assertIn(words, self.refusal(INGEST_URL=url))
        for secret in ('whsec_', 'secret', 'whsec_c2hvcnQ=', 'whsec_not base64 at all, but long enough to be one'):
            words = self.refusal(WEBHOOK_SECRET=secret)
            self.assertIn("Webhook secret: expected 'whsec_' and at least 24 bytes of base64", words)
            self.assertNotIn(f"'{secret}'", words.replace("'whsec_'", ''), 'a secret is never repeated')
        self.assertIn('60', self.refusal(TIMEOUT=61))
        self.assertIn('1', self.refusal(TIMEOUT=0))

    def test_that_are_right_are_accepted(self):
        for url in ('http://ingest:3000', 'https://ingest.example.com/', 'http://[::1]:3000', 'http://h/sub/path', ''):
            registry.set(INGEST_URL=url)
        registry.set(WEBHOOK_SECRET=SECRET.replace('whsec_', ''), TIMEOUT=30)

    def test_are_read_as_stored(self):
        self.configure(INGEST_URL=' https://h:1/ ', TIMEOUT=7, VERIFY_SSL=False)
        self.configure(SEND_AT_ONCE='False', SYNC_ON_DELETE=False)
        settings = read_settings(self.plugin)
        self.assertEqual(settings.targets, (Target('https://h:1/webhooks/inventree', SECRET),))
        self.assertEqual((settings.timeout_seconds, settings.verify_tls, settings.at_once), (7, False, False))
        self.assertEqual(settings.enabled, {'SYNC_ON_CREATE', 'SYNC_ON_UPDATE'})
        self.configure(INGEST_URL='http://h/webhooks/inventree')
        self.assertEqual(read_settings(self.plugin).targets[0].url, 'http://h/webhooks/inventree')

    def test_may_name_several_ingests_with_one_secret_or_one_each(self):
        self.configure(INGEST_URL='http://a, http://b http://c')
        self.assertEqual([target.secret for target in read_settings(self.plugin).targets], [SECRET] * 3)
        self.configure(INGEST_URL='http://a,http://b', WEBHOOK_SECRET=f'{SECRET},{OTHER_SECRET}')
        self.assertEqual([target.secret for target in read_settings(self.plugin).targets], [SECRET, OTHER_SECRET])
        self.configure(INGEST_URL='http://a,http://b,http://c')
        self.assertIsNone(read_settings(self.plugin), 'two secrets for three addresses')

    def test_that_are_wrong_in_the_database_send_nothing(self):
        registry.stored['INGEST_URL'] = 'nonsense'
        self.assertIsNone(read_settings(self.plugin))
