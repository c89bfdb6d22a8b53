"""Tests without InvenTree: Django, its signals, transactions and database are real, InvenTree's own modules are fakes.

INVENTREE_LIKE says which InvenTree they behave like: '0.17' or '1.4' (the default).
"""

import atexit
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
INVENTREE_LIKE = os.environ.get('INVENTREE_LIKE', '1.4')

sys.path.insert(0, str(HERE / 'fake_inventree'))

import django  # noqa: E402
from django.conf import settings  # noqa: E402

_folder = tempfile.TemporaryDirectory(prefix='magento-sync-')
atexit.register(_folder.cleanup)
settings.configure(
    SECRET_KEY='for tests alone',
    USE_TZ=True,
    DEFAULT_AUTO_FIELD='django.db.models.AutoField',
    DATABASES={
        'default': {
            'ENGINE': 'django.db.backends.sqlite3',
            'NAME': os.path.join(_folder.name, 'inventree.sqlite3'),
            'OPTIONS': {'timeout': 20},
        },
        'other': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': os.path.join(_folder.name, 'other.sqlite3')},
    },
    INSTALLED_APPS=[
        'django.contrib.auth',
        'django.contrib.contenttypes',
        'rest_framework',
        'rest_framework.authtoken',
        'company',
        'part',
        'stock',
        'order',
        'build',
        'common',
    ],
    ROOT_URLCONF='plugin.urls',
    REST_FRAMEWORK={
        'DEFAULT_AUTHENTICATION_CLASSES': ['rest_framework.authentication.TokenAuthentication'],
        # As in InvenTree: a view without permissions of its own and without a queryset answers 500.
        'DEFAULT_PERMISSION_CLASSES': ['rest_framework.permissions.DjangoModelPermissions'],
    },
    LOGGING={
        'version': 1,
        'disable_existing_loggers': False,
        'loggers': {'django.request': {'level': 'CRITICAL'}},
    },
    ALLOWED_HOSTS=['testserver'],
    SITE_URL='http://inventree.test',
)
django.setup()

from django.core.management import call_command  # noqa: E402

call_command('migrate', run_syncdb=True, verbosity=0)
