"""What InvenTree's own code asks before it touches the database."""

running_command = None


def canAppAccessDatabase(allow_test=False, allow_plugins=False, allow_shell=False):
    return running_command not in ('loaddata', 'migrate', 'collectstatic')
