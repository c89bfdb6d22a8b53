"""The plugin as InvenTree sees it. InvenTree loads this module anew now and then: it keeps no state."""

from __future__ import annotations

import logging

from django.urls import path
from plugin import InvenTreePlugin
from plugin.mixins import EventMixin, ScheduleMixin, SettingsMixin, UrlsMixin

from . import SLUG, VERSION, hearing
from .changes import ITEM_CREATED, Webhook, webhooks_of
from .counters import counters
from .sending import QUEUED_EVENT, NotAccepted, post
from .settings import DEFINITIONS, read_settings

logger = logging.getLogger('inventree')

# What InvenTree writes in bulk it tells by these two alone, and their arguments name the stock items.
BULK_EVENTS = ('purchaseorderitem.received', 'stockitem.created_items')


class MagentoSyncPlugin(EventMixin, ScheduleMixin, SettingsMixin, UrlsMixin, InvenTreePlugin):
    """Tells the stock sync which parts to look at. Decides nothing, and never talks to Magento."""

    NAME = 'Magento Sync'
    SLUG = SLUG
    TITLE = 'Magento stock sync'
    DESCRIPTION = 'Tells the Magento stock sync of every stock change, and answers its bulk reads'
    AUTHOR = 'InvenTree Magento Sync'
    VERSION = VERSION
    MIN_VERSION = '0.17.0'
    LICENSE = 'MIT'

    SETTINGS = DEFINITIONS
    SCHEDULED_TASKS = {'heartbeat': {'func': 'heartbeat', 'schedule': 'I', 'minutes': 1}}

    def __init__(self):
        """Connects the receivers; that they can't be must not keep InvenTree from loading its other plugins."""
        super().__init__()
        try:
            hearing.connect()
        except Exception:
            logger.exception('magento-sync: stock changes are not heard')

    def setup_urls(self):
        """Where the service reads: /plugin/magento-sync/stock/."""
        from .reading import StockView

        return [path('stock/', StockView.as_view(), name='stock')]

    def wants_process_event(self, event):
        """Asked for every event of InvenTree: by its name alone, for a query would cost each of them."""
        return event == QUEUED_EVENT or event in BULK_EVENTS

    def process_event(self, event, *args, **kwargs):
        """Runs in the background worker. Raises NotAccepted, and InvenTree's queue tries again."""
        settings = read_settings(self)
        if settings is None:
            return
        if event == QUEUED_EVENT:
            webhooks = [Webhook(kwargs['events'], kwargs['webhook_id'])]
        else:
            items = kwargs.get('item_ids') or kwargs.get('ids') or [kwargs['item_id']]
            parts = hearing.parts_of_items(items)
            webhooks = webhooks_of({ITEM_CREATED: parts}, settings.is_switched_on)
        for webhook in webhooks:
            try:
                post(settings, webhook, settings.timeout_seconds)
            except NotAccepted:
                counters.add('refused_from_queue')
                raise
            counters.add('sent_from_queue')

    def heartbeat(self):
        """Every minute, from the background worker: so a dead bridge looks different from a quiet shop."""
        from common.settings import get_global_setting
        from InvenTree.version import inventreeVersion

        settings = read_settings(self)
        if settings is None:
            return
        beat = {
            'event': 'stock_sync.heartbeat',
            'plugin': VERSION,
            'inventree': inventreeVersion(),
            # Off, InvenTree's queue takes no events: what is not sent at once is not sent at all.
            'queue': bool(get_global_setting('ENABLE_PLUGINS_EVENTS', False)),
        }
        try:
            post(settings, Webhook([beat]), settings.timeout_seconds)
        except NotAccepted as error:
            logger.warning('magento-sync: heartbeat not sent: %s', error)
