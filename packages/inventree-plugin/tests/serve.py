"""The plugin as a process of its own: its endpoint over HTTP, and what users do as JSON lines on standard input.

Run by the end-to-end tests: python -m tests.serve
"""

import json
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

from . import HERE  # sets Django up, before anything of it is imported  # noqa: F401

from build.models import BuildItem
from django.contrib.auth.models import Group, User
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from inventree_magento_sync.plugin import MagentoSyncPlugin
from part.models import Part
from plugin import registry
from plugin.base.event import events
from rest_framework.authtoken.models import Token
from stock.models import StockItem, StockLocation


def configure(**settings):
    registry.set(**settings)


def create(name, quantities):
    """A part with an item of each quantity, the first without a location and the others on a shelf."""
    with transaction.atomic():
        part = Part.objects.create(name=name, IPN=f'I-{name}')
        shelf, _ = StockLocation.objects.get_or_create(name='shelf')
        for number, quantity in enumerate(quantities):
            StockItem.objects.create(part=part, quantity=quantity, location=shelf if number else None)
    return part.pk


def count(part, quantity):
    """Counts the first item of a part; at 0 it is deleted."""
    with transaction.atomic():
        item = StockItem.objects.filter(part=part).order_by('pk').first()
        item.quantity = quantity
        item.save() if quantity else item.delete()


def allocate(part, quantity):
    BuildItem.objects.create(stock_item=StockItem.objects.filter(part=part).order_by('pk').first(), quantity=quantity)


def work():
    """Runs the background worker once; returns what it could not send."""
    del events.failures[:]
    events.run_background_worker()
    return [str(failure) for failure in events.failures]


def heartbeat():
    registry.plugins['magento-sync'].heartbeat()


COMMANDS = {command.__name__: command for command in (configure, create, count, allocate, work, heartbeat)}


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def main():
    user = User.objects.create(username='stock sync')
    for role in ('stock.view', 'stock.change', 'part.view'):
        user.groups.add(Group.objects.create(name=role))
    registry.load(MagentoSyncPlugin)
    server = make_server('127.0.0.1', 0, get_wsgi_application(), handler_class=QuietHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({'port': server.server_port, 'token': Token.objects.create(user=user).key}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = COMMANDS[asked.pop('do')](**asked)
        print(json.dumps({'answer': answer}), flush=True)


main()
