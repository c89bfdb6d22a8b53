global_settings = {'ENABLE_PLUGINS_EVENTS': True}


def get_global_setting(key, backup_value=None, **kwargs):
    return global_settings.get(key, backup_value)
