"""The changes of one transaction, and the webhooks that report them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

MAX_PARTS_PER_EVENT = 1_000
MAX_EVENTS_PER_WEBHOOK = 10


@dataclass(frozen=True)
class Kind:
    """A kind of change: its event, and the setting that enables it."""

    event: str
    switch: str


ITEM_CREATED = Kind('stock_stockitem.created', 'SYNC_ON_CREATE')
ITEM_SAVED = Kind('stock_stockitem.saved', 'SYNC_ON_UPDATE')
ITEM_DELETED = Kind('stock_stockitem.deleted', 'SYNC_ON_DELETE')
PART_SAVED = Kind('part_part.saved', 'SYNC_ON_UPDATE')
PART_DELETED = Kind('part_part.deleted', 'SYNC_ON_UPDATE')
PART_TOUCHED = Kind('stock_sync.parts_changed', 'SYNC_ON_UPDATE')
# A change that may concern any part: the service compares all of them.
EVERYTHING = Kind('stock_sync.everything_changed', 'SYNC_ON_UPDATE')


@dataclass
class Webhook:
    """One call to the service. Its id stays the same when it is sent again, so that the service can drop duplicates."""

    events: list
    id: str = field(default_factory=lambda: f'msg_{uuid.uuid4().hex}')


def webhooks_of(changes, is_enabled):
    """The webhooks for changes, which are sets of part ids by kind; none for kinds that are disabled."""
    events = []
    for kind, parts in changes.items():
        if not is_enabled(kind.switch):
            continue
        if kind is EVERYTHING:
            events.append({'event': kind.event})
            continue
        ordered = sorted(parts)
        for start in range(0, len(ordered), MAX_PARTS_PER_EVENT):
            events.append({'event': kind.event, 'parts': ordered[start : start + MAX_PARTS_PER_EVENT]})
    return [
        Webhook(events[start : start + MAX_EVENTS_PER_WEBHOOK])
        for start in range(0, len(events), MAX_EVENTS_PER_WEBHOOK)
    ]
