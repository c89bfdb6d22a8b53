"""Webhook signatures according to the Standard Webhooks specification."""

import base64
import binascii
import hashlib
import hmac

PREFIX = 'whsec_'


def key_of(secret):
    """The bytes of a secret `whsec_<base64>`. Raises ValueError for anything else."""
    text = secret[len(PREFIX) :] if secret.startswith(PREFIX) else secret
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError('not base64') from error
    if not key:
        raise ValueError('empty')
    return key


def signature_of(secret, webhook_id, timestamp, body):
    """The value of the header webhook-signature, for a timestamp in seconds since 1970 and a body of bytes."""
    signed = f'{webhook_id}.{timestamp}.'.encode() + body
    return 'v1,' + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()
