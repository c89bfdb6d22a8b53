class _Mixin:
    def __init__(self):
        super().__init__()


class EventMixin(_Mixin):
    pass


class ScheduleMixin(_Mixin):
    pass


class SettingsMixin(_Mixin):
    pass


class UrlsMixin(_Mixin):
    def __init__(self):
        super().__init__()
        self.urls = self.setup_urls()
