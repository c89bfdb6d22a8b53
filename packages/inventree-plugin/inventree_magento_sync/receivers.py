"""Receives changes in InvenTree through Django's signals, and reports them once for each transaction.

Receivers run inside a user's save. They only collect ids: they make no query and no call, and never raise.
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

# Changes that name only the stock item; after the commit, when queries are allowed, its part is looked up.
ITEM = 'stock item'

# The attribute in which an instance keeps the value of a field from when it was read.
BEFORE = '_magento_sync_before'

ERRORS_SECONDS = 60
_next_logged = 0.0
_pending = threading.local()


def connect():
    """Connects every receiver, except while data is imported or migrated. Can be called repeatedly."""
    from InvenTree.ready import canAppAccessDatabase

    if not canAppAccessDatabase(allow_test=True, allow_shell=True):
        return
    for (app, model), receivers in RECEIVERS.items():
        try:
            sender = apps.get_model(app, model)
        except LookupError:
            continue  # this version of InvenTree does not have it
        for number, (signal, receiver) in enumerate(receivers):
            uid = f'magento-sync:{app}.{model}:{number}'
            signal.connect(receiver, sender=sender, weak=False, dispatch_uid=uid)


def _log_error(what):
    """Counts an internal error, and logs it with its traceback at most once a minute."""
    global _next_logged
    counters.add('errors')
    if time.monotonic() >= _next_logged:
        _next_logged = time.monotonic() + ERRORS_SECONDS
        logger.exception('magento-sync: %s', what)


def _receiver(receive):
    """A receiver that never raises, and ignores fixtures."""

    @functools.wraps(receive)
    def guarded(sender, instance, signal=None, raw=False, using=None, **kwargs):
        if raw:
            return
        try:
            receive(instance, using=using or instance._state.db or 'default', **kwargs)
        except Exception:
            _log_error(f'a change of {sender.__name__} was not collected')

    return guarded


def _collect(kind, key, using):
    """Keeps a change until its transaction commits, and drops it if the transaction or its savepoint is rolled back.

    Django does both: it runs hooks on commit, and drops the hooks of a savepoint that is rolled back. Every change has
    such a hook, and another one right after it that no savepoint drops; the last of these reports what is left.
    """
    if key is None:
        return
    connection = connections[using]
    current = _transaction_of(connection)
    mark = current.last_mark = object()
    transaction.on_commit(functools.partial(_committed, kind, key, using), using=using)
    savepoints, connection.savepoint_ids = connection.savepoint_ids, []
    try:
        transaction.on_commit(functools.partial(_report_if_last, current, mark, using), using=using)
    finally:
        connection.savepoint_ids = savepoints


class _Transaction:
    """A transaction with changes, and the mark of its last one so far."""

    last_mark = None


def _transaction_of(connection):
    """The transaction that runs on a connection now.

    Only Django's list of hooks tells: a thread may have a transaction on each of several connections, and a hook that
    runs on commit may begin another one while hooks of the first are still to run.
    """
    for _, hook, *_ in reversed(connection.run_on_commit):
        if getattr(hook, 'func', None) is _report_if_last:
            return hook.args[0]
    return _Transaction()


def _committed(kind, key, using):
    if not hasattr(_pending, 'changes'):
        _pending.changes = {}
    _pending.changes.setdefault(using, defaultdict(set))[kind].add(key)


def _report_if_last(current, mark, using):
    if mark is not current.last_mark:
        return
    changes = getattr(_pending, 'changes', {}).pop(using, None)
    if not changes:
        return
    try:
        report(changes, using)
    except Exception:
        _log_error('a change could not be reported')


def report(changes, using):
    """Sends the changes at once, unless SEND_AT_ONCE is off, and adds them to InvenTree's queue in any case."""
    settings = recent_settings()
    if settings is None:
        return
    counters.add('transactions')
    webhooks = kinds.webhooks_of(_by_parts(changes, using), settings.is_enabled)
    if settings.at_once:
        for webhook in webhooks:
            at_once.offer(settings, webhook)
    for webhook in webhooks:
        enqueue(settings, webhook)


def _by_parts(changes, using):
    """The changes with parts in place of stock items; it makes a query only where there are such items."""
    items = changes.pop(ITEM, None)
    if items:
        changes[kinds.PART_TOUCHED] = changes.get(kinds.PART_TOUCHED, set()).union(parts_of_items(items, using))
    return {kind: parts for kind, parts in changes.items() if parts}


def parts_of_items(items, using='default'):
    """The ids of the parts of those stock items that still exist."""
    found = apps.get_model('stock', 'StockItem').objects.using(using).filter(pk__in=list(items))
    return list(found.order_by().values_list('part_id', flat=True).distinct())


def _reports(kind, key):
    """A receiver that reports the part whose id is in this field."""
    return _receiver(lambda instance, using, **_: _collect(kind, getattr(instance, key), using))


def _keeps(field, if_new=None):
    """A receiver that keeps the value of a field from when an instance was created, so that a save needs no query.

    It runs for every row that InvenTree reads, so it does nothing else, except for a new row.
    """

    def keep(instance, **_):
        values = instance.__dict__
        values[BEFORE] = values.get(field)
        if if_new and instance.pk is None:
            if_new(type(instance), instance)

    return keep


def _reports_everything_if_changed(*fields):
    """The receivers for rows of which these fields concern any part."""

    def keep(instance, **_):
        values = instance.__dict__
        values[BEFORE] = [values.get(field) for field in fields]

    @_receiver
    def saved(instance, using, created, **_):
        now = [getattr(instance, field) for field in fields]
        if not created and instance.__dict__.get(BEFORE) != now:
            _collect(kinds.EVERYTHING, True, using)
            instance.__dict__[BEFORE] = now

    return [(post_init, keep), (post_save, saved), (post_delete, reports_everything)]


def _in_transaction(receive):
    """A receiver for new instances that are created inside a transaction, and so will probably be written.

    Order receipts, serialised creation and automatic allocation write in bulk, which sends only post_init for each new
    instance. If an instance is not written after all, its part is synced once without need.
    """

    def created(instance, using):
        if instance.pk is None and connections[using].in_atomic_block:
            receive(instance, using)

    return _receiver(created)


@_in_transaction
def stock_item_created(instance, using):
    _collect(kinds.ITEM_CREATED, instance.part_id, using)


@_receiver
def stock_item_saved(instance, using, created, **_):
    part, before = instance.part_id, instance.__dict__.get(BEFORE)
    _collect(kinds.ITEM_CREATED if created else kinds.ITEM_SAVED, part, using)
    if before != part:
        _collect(kinds.ITEM_SAVED, before, using)
        instance.__dict__[BEFORE] = part


def _allocation(field):
    """The receivers for allocations, whose stock item is in this field."""

    def report_item(instance, using, **_):
        item = instance._state.fields_cache.get(field)
        if item is None:
            _collect(ITEM, getattr(instance, f'{field}_id'), using)
        else:
            _collect(kinds.PART_TOUCHED, item.part_id, using)

    changed = _receiver(report_item)
    return [(post_init, _in_transaction(report_item)), (post_save, changed), (post_delete, changed)]


@_receiver
def reports_everything(instance, using, **_):
    # Stock moves to the parent location, parts to the parent category, or stock is there again, by one statement that
    # names no items.
    _collect(kinds.EVERYTHING, True, using)


@_receiver
def company_deleted(instance, using, **_):
    if instance.is_customer:
        _collect(kinds.EVERYTHING, True, using)


def _parameter(field):
    return [(signal, _reports(kinds.PART_TOUCHED, field)) for signal in (post_save, post_delete)]


RECEIVERS = {
    ('stock', 'StockItem'): [
        (post_init, _keeps('part_id', if_new=stock_item_created)),
        (post_save, stock_item_saved),
        (post_delete, _reports(kinds.ITEM_DELETED, 'part_id')),
    ],
    ('part', 'Part'): [
        (post_save, _reports(kinds.PART_SAVED, 'pk')),
        (post_delete, _reports(kinds.PART_DELETED, 'pk')),
    ],
    # Since InvenTree 1.2 a parameter may belong to another model with this id; then a part is synced without need.
    ('common', 'Parameter'): _parameter('model_id'),
    ('part', 'PartParameter'): _parameter('part_id'),
    ('order', 'SalesOrderAllocation'): _allocation('item'),
    ('build', 'BuildItem'): _allocation('stock_item'),
    ('stock', 'StockLocation'): _reports_everything_if_changed('parent_id', 'external'),
    ('part', 'PartCategory'): _reports_everything_if_changed('parent_id'),
    ('order', 'SalesOrder'): [(post_delete, reports_everything)],
    ('company', 'Company'): [(post_delete, company_deleted)],
}
