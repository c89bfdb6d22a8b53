"""InvenTree's queue of events, and the background worker that empties it."""

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from common.settings import get_global_setting
from plugin import registry

queue = []
failures = []


def trigger_event(event, *args, **kwargs):
    if not get_global_setting('ENABLE_PLUGINS_EVENTS', False):
        return
    # An event that equals one still queued is dropped (from InvenTree 1.3).
    if (event, args, kwargs) not in queue:
        queue.append((event, args, kwargs))


@receiver(post_save)
@receiver(post_delete)
def after_change(sender, **kwargs):
    """InvenTree listens to every model; so none of its deletes is a fast one, with our plugin or without."""


def run_background_worker():
    """Handles what is queued once; what fails stays queued, to be tried again minutes later."""
    handled, queue[:] = list(queue), []
    for event, args, kwargs in handled:
        for plugin in registry.plugins.values():
            if registry.active and plugin.wants_process_event(event):
                try:
                    plugin.process_event(event, *args, **kwargs)
                except Exception as error:
                    failures.append(error)
                    queue.append((event, args, kwargs))
