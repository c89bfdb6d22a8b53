"""The plugin class that InvenTree loads. InvenTree reloads this module from time to time, so it keeps no state."""

from __future__ import annotations

import logging

from django.urls import path
from plugin import InvenTreePlugin
from plugin.mixins import EventMixin, ScheduleMixin, SettingsMixin, UrlsMixin

try:
    from plugin.mixins import UserInterfaceMixin
except ImportError:  # InvenTree before 0.17

    class UserInterfaceMixin:
        pass


from . import SLUG, VERSION, receivers
from .changes import ITEM_CREATED, Webhook, webhooks_of
from .counters import counters
from .sending import QUEUED_EVENT, NotAccepted, post
from .settings import DEFINITIONS, read_settings

logger = logging.getLogger('inventree')

# The only events for stock items that InvenTree writes in bulk; their arguments name the items.
BULK_EVENTS = ('purchaseorderitem.received', 'stockitem.created_items')


class MagentoSyncPlugin(EventMixin, ScheduleMixin, SettingsMixin, UrlsMixin, UserInterfaceMixin, InvenTreePlugin):
    """Reports to the stock sync which parts changed. Decides nothing, and never calls Magento."""

    NAME = 'Magento Sync'
    SLUG = SLUG
    TITLE = 'Magento stock sync'
    DESCRIPTION = 'Reports every stock change to the Magento stock sync, and answers its bulk reads'
    AUTHOR = 'InvenTree Magento Sync'
    VERSION = VERSION
    MIN_VERSION = '0.17.0'
    LICENSE = 'MIT'

    SETTINGS = DEFINITIONS
    SCHEDULED_TASKS = {'heartbeat': {'func': 'heartbeat', 'schedule': 'I', 'minutes': 1}}

    def __init__(self):
        """Connects the receivers. A failure must not keep InvenTree from loading its other plugins."""
        super().__init__()
        try:
            receivers.connect()
        except Exception:
            logger.exception('magento-sync: stock changes are not reported')

    def setup_urls(self):
        """The bulk reads of the service, and what InvenTree's pages show: /plugin/magento-sync/..."""
        from .reading import CategoriesView, StockView
        from .showing import PartStatusView, SummaryView, SyncView

        return [
            path('stock/', StockView.as_view(), name='stock'),
            path('categories/', CategoriesView.as_view(), name='categories'),
            path('part/<int:part>/', PartStatusView.as_view(), name='part-status'),
            path('part/<int:part>/sync/', SyncView.as_view(), name='sync'),
            path('summary/', SummaryView.as_view(), name='summary'),
        ]

    def get_ui_panels(self, request, context, **kwargs):
        """InvenTree asks for it on each page; the panel is on that of a part."""
        from .showing import panel

        found = panel(self, context or {}, request.user)
        return [found] if found else []

    def get_ui_dashboard_items(self, request, context, **kwargs):
        from .showing import dashboard_item

        found = dashboard_item(self, request.user)
        return [found] if found else []

    def wants_process_event(self, event):
        """InvenTree calls this for every event, so it compares the name only and makes no query."""
        return event == QUEUED_EVENT or event in BULK_EVENTS

    def process_event(self, event, *args, **kwargs):
        """Runs in the background worker. Raises NotAccepted, and InvenTree's queue tries again."""
        settings = read_settings(self)
        if settings is None:
            return
        targets = settings.targets
        if event == QUEUED_EVENT:
            webhooks = [Webhook(kwargs['events'], kwargs['webhook_id'])]
            # All of them where its address was changed since: each drops what it has already.
            targets = [target for target in targets if target.url == kwargs.get('url')] or targets
        else:
            items = kwargs.get('item_ids') or kwargs.get('ids') or [kwargs['item_id']]
            parts = receivers.parts_of_items(items)
            webhooks = webhooks_of({ITEM_CREATED: parts}, settings.is_enabled)
        failure = None
        for target in targets:
            for webhook in webhooks:
                try:
                    post(settings, target, webhook, settings.timeout_seconds)
                    counters.add('sent_from_queue')
                except NotAccepted as error:
                    counters.add('refused_from_queue')
                    failure = error
        if failure:
            raise failure

    def heartbeat(self):
        """Every minute, from the background worker: shows that the plugin works when no stock changes."""
        from common.settings import get_global_setting
        from InvenTree.version import inventreeVersion

        settings = read_settings(self)
        if settings is None:
            return
        beat = {
            'event': 'stock_sync.heartbeat',
            'plugin': VERSION,
            'inventree': inventreeVersion(),
            # Without it, InvenTree's queue takes no events, and what cannot be sent at once is never sent.
            'queue': bool(get_global_setting('ENABLE_PLUGINS_EVENTS', False)),
        }
        for target in settings.targets:
            try:
                post(settings, target, Webhook([beat]), settings.timeout_seconds)
            except NotAccepted as error:
                logger.warning('magento-sync: heartbeat not sent: %s', error)
