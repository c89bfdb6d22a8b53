"""What one transaction changed, and the webhooks that tell of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

MOST_PARTS_IN_EVENT = 1_000
MOST_EVENTS_IN_WEBHOOK = 10


@dataclass(frozen=True)
class Kind:
    """A kind of change: the event that tells of it, and the setting that switches it."""

    event: str
    switch: str


ITEM_CREATED = Kind('stock_stockitem.created', 'SYNC_ON_CREATE')
ITEM_SAVED = Kind('stock_stockitem.saved', 'SYNC_ON_UPDATE')
ITEM_DELETED = Kind('stock_stockitem.deleted', 'SYNC_ON_DELETE')
PART_SAVED = Kind('part_part.saved', 'SYNC_ON_UPDATE')
PART_DELETED = Kind('part_part.deleted', 'SYNC_ON_UPDATE')
PART_TOUCHED = Kind('stock_sync.parts_changed', 'SYNC_ON_UPDATE')
# Too much at once to be named by parts: the service looks at all of them.
EVERYTHING = Kind('stock_sync.everything_changed', 'SYNC_ON_UPDATE')


@dataclass
class Webhook:
    """One call of the service. Its id is the same however often it is sent, so that the service can drop the second."""

    events: list
    id: str = field(default_factory=lambda: f'msg_{uuid.uuid4().hex}')


def webhooks_of(changes, is_switched_on):
    """The webhooks that tell of changes, given as sets of part ids by kind; none for what is switched off."""
    events = []
    for kind, parts in changes.items():
        if not is_switched_on(kind.switch):
            continue
        if kind is EVERYTHING:
            events.append({'event': kind.event})
            continue
        ordered = sorted(parts)
        for start in range(0, len(ordered), MOST_PARTS_IN_EVENT):
            events.append({'event': kind.event, 'parts': ordered[start : start + MOST_PARTS_IN_EVENT]})
    return [
        Webhook(events[start : start + MOST_EVENTS_IN_WEBHOOK])
        for start in range(0, len(events), MOST_EVENTS_IN_WEBHOOK)
    ]
