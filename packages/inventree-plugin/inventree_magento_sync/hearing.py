"""What changes in InvenTree, heard through Django's signals, one hand-over for each transaction.

Receivers run inside a user's save. They only remember ids: no query, no call, and no error of theirs gets out.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections import defaultdict

from django.apps import apps
from django.db import connections, transaction
from django.db.models.signals import post_delete, post_init, post_save

from . import changes as kinds
from .counters import counters
from .sending import at_once, enqueue
from .settings import recent_settings

logger = logging.getLogger('inventree')

# Told by the stock item alone; the hand-over turns it into parts, for it may ask the database.
ITEM = 'stock item'

# Where an instance keeps what a field was when it was read.
BEFORE = '_magento_sync_before'

ERRORS_SECONDS = 60
_next_logged = 0.0
_heard = threading.local()


def connect():
    """Connects every receiver. May be called any number of times; not while data is imported or migrated."""
    from InvenTree.ready import canAppAccessDatabase

    if not canAppAccessDatabase(allow_test=True, allow_shell=True):
        return
    for (app, model), receivers in RECEIVERS.items():
        try:
            sender = apps.get_model(app, model)
        except LookupError:
            continue  # another version of InvenTree has it elsewhere
        for number, (signal, receiver) in enumerate(receivers):
            uid = f'magento-sync:{app}.{model}:{number}'
            signal.connect(receiver, sender=sender, weak=False, dispatch_uid=uid)


def _log_error(what):
    """Counts and logs an error of ours, with its traceback at most once a minute."""
    global _next_logged
    counters.add('errors')
    if time.monotonic() >= _next_logged:
        _next_logged = time.monotonic() + ERRORS_SECONDS
        logger.exception('magento-sync: %s', what)


def _receiver(receive):
    """A receiver that swallows its errors, and hears nothing of fixtures."""

    @functools.wraps(receive)
    def guarded(sender, instance, signal=None, raw=False, using=None, **kwargs):
        if raw:
            return
        try:
            receive(instance, using=using or instance._state.db or 'default', **kwargs)
        except Exception:
            _log_error(f'a change of {sender.__name__} was not heard')

    return guarded


def _remember(kind, key, using):
    """Remembers a change until its transaction commits, and forgets it where it, or its savepoint, is rolled back.

    Django itself does both: it runs a hook on commit, and drops those of a savepoint that is rolled back. Every change
    has such a hook, and one more right behind it which no savepoint drops; the last of these hands over what survived.
    """
    if key is None:
        return
    mark = _heard.latest = object()
    transaction.on_commit(functools.partial(_survived, kind, key), using=using)
    connection = connections[using]
    savepoints, connection.savepoint_ids = connection.savepoint_ids, []
    try:
        transaction.on_commit(functools.partial(_hand_over, mark, using), using=using)
    finally:
        connection.savepoint_ids = savepoints


def _survived(kind, key):
    if not hasattr(_heard, 'changes'):
        _heard.changes = defaultdict(set)
    _heard.changes[kind].add(key)


def _hand_over(mark, using):
    if mark is not _heard.latest:
        return
    changes, _heard.changes = getattr(_heard, 'changes', {}), defaultdict(set)
    if not changes:
        return
    try:
        tell(changes, using)
    except Exception:
        _log_error('a change could not be told')


def tell(changes, using):
    """Sends what changed at once, where that is wanted, and leaves it in InvenTree's queue in any case."""
    settings = recent_settings()
    if settings is None:
        return
    counters.add('transactions')
    webhooks = kinds.webhooks_of(_by_parts(changes, using), settings.is_switched_on)
    if settings.at_once:
        for webhook in webhooks:
            at_once.offer(settings, webhook)
    for webhook in webhooks:
        enqueue(webhook)


def _by_parts(changes, using):
    """The same changes with parts in place of stock items, which takes a query where there are any."""
    items = changes.pop(ITEM, None)
    if items:
        changes[kinds.PART_TOUCHED] = changes.get(kinds.PART_TOUCHED, set()).union(parts_of_items(items, using))
    return {kind: parts for kind, parts in changes.items() if parts}


def parts_of_items(items, using='default'):
    """The ids of the parts of those stock items that are still there."""
    found = apps.get_model('stock', 'StockItem').objects.using(using).filter(pk__in=list(items))
    return list(found.order_by().values_list('part_id', flat=True).distinct())


def _tells(kind, key):
    """A receiver that tells of the part whose id is in that field."""
    return _receiver(lambda instance, using, **_: _remember(kind, getattr(instance, key), using))


def _keeps(field, if_new=None):
    """A receiver that keeps what a field was when an instance was made: so no save has to ask the database for it.

    It runs for every row that InvenTree reads, and so does nothing more, but for a new one.
    """

    def keep(instance, **_):
        values = instance.__dict__
        values[BEFORE] = values.get(field)
        if if_new and instance.pk is None:
            if_new(type(instance), instance)

    return keep


def _in_transaction(tell):
    """A receiver of new instances that are made inside a transaction, and so are likely to be written.

    Order receipts, serialised creation and automatic allocation write in bulk, which sends no signal but post_init, for
    each new instance. Where it is not written after all, a part is looked at for nothing.
    """

    def made(instance, using):
        if instance.pk is None and connections[using].in_atomic_block:
            tell(instance, using)

    return _receiver(made)


@_in_transaction
def stock_item_made(instance, using):
    _remember(kinds.ITEM_CREATED, instance.part_id, using)


@_receiver
def stock_item_saved(instance, using, created, **_):
    part, before = instance.part_id, instance.__dict__.get(BEFORE)
    _remember(kinds.ITEM_CREATED if created else kinds.ITEM_SAVED, part, using)
    if before != part:
        _remember(kinds.ITEM_SAVED, before, using)
        instance.__dict__[BEFORE] = part


def _allocation(field):
    """The receivers of allocations, whose stock item is in that field."""

    def tell_of_item(instance, using, **_):
        item = instance._state.fields_cache.get(field)
        if item is None:
            _remember(ITEM, getattr(instance, f'{field}_id'), using)
        else:
            _remember(kinds.PART_TOUCHED, item.part_id, using)

    changed = _receiver(tell_of_item)
    return [(post_init, _in_transaction(tell_of_item)), (post_save, changed), (post_delete, changed)]


@_receiver
def location_saved(instance, using, created, **_):
    if not created and instance.__dict__.get(BEFORE) != instance.parent_id:
        _remember(kinds.EVERYTHING, True, using)
        instance.__dict__[BEFORE] = instance.parent_id


@_receiver
def location_or_order_deleted(instance, using, **_):
    # Stock moves to the parent location, or comes back, by one statement: nobody says which items.
    _remember(kinds.EVERYTHING, True, using)


@_receiver
def company_deleted(instance, using, **_):
    if instance.is_customer:
        _remember(kinds.EVERYTHING, True, using)


RECEIVERS = {
    ('stock', 'StockItem'): [
        (post_init, _keeps('part_id', if_new=stock_item_made)),
        (post_save, stock_item_saved),
        (post_delete, _tells(kinds.ITEM_DELETED, 'part_id')),
    ],
    ('part', 'Part'): [(post_save, _tells(kinds.PART_SAVED, 'pk')), (post_delete, _tells(kinds.PART_DELETED, 'pk'))],
    # From InvenTree 1.2 a parameter may be of something else with that id; then a part is looked at for nothing.
    ('common', 'Parameter'): [(signal, _tells(kinds.PART_TOUCHED, 'model_id')) for signal in (post_save, post_delete)],
    ('part', 'PartParameter'): [(signal, _tells(kinds.PART_TOUCHED, 'part_id')) for signal in (post_save, post_delete)],
    ('order', 'SalesOrderAllocation'): _allocation('item'),
    ('build', 'BuildItem'): _allocation('stock_item'),
    ('stock', 'StockLocation'): [
        (post_init, _keeps('parent_id')),
        (post_save, location_saved),
        (post_delete, location_or_order_deleted),
    ],
    ('order', 'SalesOrder'): [(post_delete, location_or_order_deleted)],
    ('company', 'Company'): [(post_delete, company_deleted)],
}
