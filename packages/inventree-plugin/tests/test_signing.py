import json
import unittest

from inventree_magento_sync.signing import key_of, signature_of

from . import HERE


class SigningTest(unittest.TestCase):
    def test_matches_the_vectors_of_the_service(self):
        vectors = json.loads((HERE / 'signature-vectors.json').read_text(encoding='utf-8'))
        self.assertGreater(len(vectors), 3)
        for vector in vectors:
            body = vector['body'].encode()
            signature = signature_of(vector['secret'], vector['id'], vector['timestamp'], body)
            self.assertEqual(signature, vector['signature'], vector['why'])

    def test_refuses_a_wrong_secret(self):
        for secret in ('', 'whsec_', 'whsec_***', 'whsec_abc'):
            with self.assertRaises(ValueError):
                key_of(secret)
