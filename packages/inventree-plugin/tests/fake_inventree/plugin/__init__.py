"""InvenTree's plugin machinery: as much of it as a plugin sees."""

import importlib
import sys


class InvenTreePlugin:
    NAME = SLUG = VERSION = MIN_VERSION = None
    SETTINGS = {}

    def __init__(self):
        self.queries = 0

    def is_active(self):
        return registry.active

    def get_setting(self, key, cache=False, backup_value=None):
        """A stored setting as its validators would have it, else its default; `backup_value` only where it has none."""
        self.queries += 1
        definition = self.SETTINGS[key]
        value = registry.stored.get(key, definition.get('default', backup_value))
        validators = definition.get('validator')
        if validators is bool:
            return str(value).lower() in ('1', 'true')
        if isinstance(validators, list) and int in validators:
            return int(value)
        return value


class Registry:
    def __init__(self):
        self.plugins = {}
        self.active = True
        self.stored = {}

    def load(self, plugin):
        """Instantiates a plugin as InvenTree does: its module is loaded anew first."""
        module = importlib.reload(sys.modules[plugin.__module__])
        instance = getattr(module, plugin.__name__)()
        self.plugins[instance.SLUG] = instance
        return instance

    def unload(self):
        self.plugins.clear()

    def set(self, **stored):
        """Stores settings as the settings page does, after their validators."""
        from django.core.exceptions import ValidationError

        for key, value in stored.items():
            definition = next(iter(self.plugins.values())).SETTINGS[key]
            validators = definition.get('validator')
            for validator in validators if isinstance(validators, list) else [validators]:
                if validator is int and not str(value).isdigit():
                    raise ValidationError('Value must be an integer value')
                if validator not in (bool, int):
                    validator(value)
            self.stored[key] = value


registry = Registry()
