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
