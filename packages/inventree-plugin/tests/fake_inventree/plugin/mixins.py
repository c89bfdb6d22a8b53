class EventMixin:
    pass


class ScheduleMixin:
    pass


class SettingsMixin:
    pass


class UrlsMixin:
    def __init__(self):
        super().__init__()
        self.urls = self.setup_urls()


class UserInterfaceMixin:
    def plugin_static_file(self, name):
        """Where a file of the package's folder `static` is served."""
        return f'/static/plugins/{self.SLUG}/{name}'
