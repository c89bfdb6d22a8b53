"""The settings of the plugin: how InvenTree shows and validates them, and how we read them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator

from . import SLUG
from .signing import key_of

WEBHOOK_PATH = '/webhooks/inventree'
# The least that Standard Webhooks requires of a secret.
SECRET_BYTES = 24
# How long settings are cached: they are in the database, and a user's save must not wait for eight queries.
CACHED_SECONDS = 10
# While it is off: a user who has just turned it on will try it at once.
OFF_CACHED_SECONDS = 1


def listed(value):
    """What a setting lists, separated by commas or spaces."""
    return str(value or '').replace(',', ' ').split()


def valid_url(value):
    """Refuses a value that cannot be the URL of ingest, or of several. Empty is allowed: then nothing is sent."""
    for text in listed(value):
        try:
            url = urlsplit(text)
            right = url.scheme in ('http', 'https') and url.hostname and url.port != 0
            right = right and not (url.query or url.fragment)
        except ValueError:
            right = False
        if not right:
            raise ValidationError(
                f"Ingest URL: expected the address of the service's ingest, such as http://ingest:3000, got '{text}'"
            )


def valid_secret(value):
    """Refuses a value that cannot be a webhook secret, or several. Empty is allowed: then nothing is sent."""
    for text in listed(value):
        try:
            length = len(key_of(text))
        except ValueError:
            length = 0
        if length < SECRET_BYTES:
            raise ValidationError(
                f"Webhook secret: expected 'whsec_' and at least {SECRET_BYTES} bytes of base64, the same text as in "
                "the service's WEBHOOK_SECRET. Make one with: echo whsec_$(openssl rand -base64 32)"
            )


def _switch(name, description):
    return {'name': name, 'description': description, 'validator': bool, 'default': True}


DEFINITIONS = {
    'ENABLED': _switch('Enabled', 'Report changes to the stock sync'),
    'INGEST_URL': {
        'name': 'Ingest URL',
        'description': "The address of the stock sync's ingest, such as http://ingest:3000; several with commas",
        'validator': valid_url,
        'default': '',
    },
    'WEBHOOK_SECRET': {
        'name': 'Webhook secret',
        'description': "The same text as in the stock sync's WEBHOOK_SECRET: whsec_...; one for all addresses, or each",
        'validator': valid_secret,
        'protected': True,
        'default': '',
    },
    'VERIFY_SSL': _switch('Verify TLS', "Verify the certificate of ingest, if its URL starts with https"),
    'TIMEOUT': {
        'name': 'Timeout',
        'description': 'How long the background worker waits for an answer of ingest',
        'validator': [int, MinValueValidator(1), MaxValueValidator(60)],
        'units': 's',
        'default': 10,
    },
    'SEND_AT_ONCE': _switch('Send at once', "Do not wait for InvenTree's background worker"),
    'SYNC_ON_CREATE': _switch('Sync on create', 'Report stock items that are created'),
    'SYNC_ON_UPDATE': _switch('Sync on update', 'Report stock items that change'),
    'SYNC_ON_DELETE': _switch('Sync on delete', 'Report stock items that are deleted'),
}


@dataclass(frozen=True)
class Target:
    """An ingest; each shop has its own."""

    url: str
    secret: str


@dataclass(frozen=True)
class Settings:
    """The settings, ready for use."""

    targets: tuple
    verify_tls: bool
    timeout_seconds: int
    at_once: bool
    enabled: frozenset

    def is_enabled(self, switch):
        return switch in self.enabled


def read_settings(plugin):
    """The current settings, or None while the plugin is inactive, disabled or not configured."""
    if not plugin.is_active():
        return None

    def value(key):
        return plugin.get_setting(key, backup_value=DEFINITIONS[key]['default'])

    def is_on(key):
        return str(value(key)).lower() in ('true', '1')

    if not is_on('ENABLED'):
        return None
    try:
        targets = targets_in(value('INGEST_URL'), value('WEBHOOK_SECRET'))
    except ValidationError:
        return None
    if not targets:
        return None
    return Settings(
        targets=targets,
        verify_tls=is_on('VERIFY_SSL'),
        timeout_seconds=int(value('TIMEOUT') or DEFINITIONS['TIMEOUT']['default']),
        at_once=is_on('SEND_AT_ONCE'),
        enabled=frozenset(key for key in DEFINITIONS if key.startswith('SYNC_ON_') and is_on(key)),
    )


def targets_in(urls, secrets):
    """Each ingest with its secret. Raises a ValidationError."""
    valid_url(urls)
    valid_secret(secrets)
    urls, secrets = listed(urls), listed(secrets)
    if len(secrets) == 1:
        secrets *= len(urls)
    if secrets and len(secrets) != len(urls):
        raise ValidationError(f'Webhook secret: expected one, or one for each of the {len(urls)} addresses of ingest')
    bases = (url.rstrip('/') for url in urls)
    paths = (base if base.endswith(WEBHOOK_PATH) else base + WEBHOOK_PATH for base in bases)
    return tuple(Target(url, secret) for url, secret in zip(paths, secrets))


_recent = (0.0, None)


def recent_settings():
    """The settings, cached for ten seconds, or None while nothing is sent."""
    global _recent
    from plugin import registry

    plugin = registry.plugins.get(SLUG)
    if plugin is None:
        return None
    until, settings = _recent
    if time.monotonic() >= until:
        settings = read_settings(plugin)
        cached = OFF_CACHED_SECONDS if settings is None else CACHED_SECONDS
        _recent = (time.monotonic() + cached, settings)
    return settings
