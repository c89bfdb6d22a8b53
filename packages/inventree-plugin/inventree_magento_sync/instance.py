"""Which InvenTree this is: a copy of it, for tests, must not be taken for the original."""

from __future__ import annotations

import functools
import hashlib
import hmac


@functools.lru_cache(maxsize=1)
def instance():
    """The id and the address of this InvenTree, for webhooks.

    The id depends on its secret key, its database and its address: a copy differs in at least one of them, unless it is
    made to look the same in every way. It reveals none of them.
    """
    from django.conf import settings

    database = settings.DATABASES.get('default', {})
    address = str(getattr(settings, 'SITE_URL', '') or '')
    parts = [str(database.get(key, '')) for key in ('HOST', 'PORT', 'NAME')] + [address]
    key = str(settings.SECRET_KEY).encode()
    return {'id': hmac.new(key, '\n'.join(parts).encode(), hashlib.sha256).hexdigest()[:16], 'url': address[:200]}
