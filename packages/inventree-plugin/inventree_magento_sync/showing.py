"""What InvenTree's own pages show of the sync: how a part stands, and how the shop stands."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from urllib.parse import urlsplit

from rest_framework.exceptions import PermissionDenied
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from .reading import IsLoggedIn, check_user_role
from .sending import posted
from .settings import WEBHOOK_PATH, recent_settings
from .signing import signature_of

# A page of InvenTree must not wait for us.
TIMEOUT_SECONDS = 2
# How long an answer is shown again, and how long nobody is asked after none came.
CACHED_SECONDS = 5
SILENT_SECONDS = 15
MAX_CACHED = 1_000
NOT_CONFIGURED = 'The plugin is switched off, or has no address or no secret: see its settings'

_answers = {}


class PartStatusView(APIView):
    """GET returns how a part stands, in each shop."""

    permission_classes = (IsLoggedIn,)
    renderer_classes = (JSONRenderer,)

    def get(self, request, part):
        require_role(request.user, 'part', 'view')
        return Response({'shops': ask_all('part', {'part': part}), 'may_sync': may_sync(request.user)})


class SyncView(APIView):
    """POST has each shop sync a part now."""

    permission_classes = (IsLoggedIn,)
    renderer_classes = (JSONRenderer,)

    def post(self, request, part):
        require_role(request.user, 'stock', 'change')
        _answers.clear()
        user = request.user.get_username()[:150]
        return Response({'shops': ask_all('sync', {'part': part, 'user': user}, cached=False)})


class SummaryView(APIView):
    """GET returns how each shop stands."""

    permission_classes = (IsLoggedIn,)
    renderer_classes = (JSONRenderer,)

    def get(self, request):
        require_role(request.user, 'part', 'view')
        return Response({'shops': ask_all('summary', {})})


def require_role(user, role, permission):
    if not check_user_role(user, role, permission):
        raise PermissionDenied(f'expected a user whose group has the {permission} role on {role}')


def may_sync(user):
    return bool(check_user_role(user, 'stock', 'change'))


def panel(plugin, context, user):
    """The panel of a part page, or None on other pages. Asks nobody: its script does, when it is shown."""
    if context.get('target_model') != 'part' or not check_user_role(user, 'part', 'view'):
        return None
    return {
        'key': 'magento-sync',
        'title': 'Magento',
        'description': 'What Magento shows of this part',
        'icon': 'ti:shopping-cart:outline',
        'source': plugin.plugin_static_file('panel.js:renderPanel'),
        'context': {'part': int(context['target_id']), 'may_sync': may_sync(user)},
    }


def dashboard_item(plugin, user):
    """The item of InvenTree's dashboard, or None for a user who may not see parts."""
    if not check_user_role(user, 'part', 'view'):
        return None
    return {
        'key': 'magento-sync',
        'title': 'Magento stock',
        'description': 'Whether Magento shows the right stock',
        'icon': 'ti:shopping-cart:outline',
        'source': plugin.plugin_static_file('panel.js:renderDashboardItem'),
        'context': {},
        'options': {'width': 3, 'height': 2},
    }


def ask_all(question, content, cached=True):
    """The answer of each ingest, or a sentence that says why there is none."""
    settings = recent_settings()
    if settings is None:
        return [{'sentence': NOT_CONFIGURED, 'isRight': False}]
    return [ask(settings, target, question, content, cached) for target in settings.targets]


def ask(settings, target, question, content, cached):
    """Asks one ingest, unless it was asked the same a moment ago, or was silent a moment ago."""
    now = time.monotonic()
    key = (target.url, question, json.dumps(content, sort_keys=True))
    for known in (key, target.url) if cached else ():
        until, answer = _answers.get(known, (0, None))
        if now < until:
            return answer
    if len(_answers) > MAX_CACHED:
        _answers.clear()
    shop = urlsplit(target.url).netloc
    try:
        status, text = _asked(settings, target, question, content)
    except (OSError, http.client.HTTPException) as error:
        reason = error or type(error).__name__
        answer = {'sentence': f'The stock sync at {shop} does not answer: {reason}', 'isRight': False}
        _answers[target.url] = (now + SILENT_SECONDS, answer)
        return answer
    try:
        answer = json.loads(text)
    except ValueError:
        answer = {}
    if status not in (200, 202) or not isinstance(answer, dict):
        reason = answer.get('error', '') if isinstance(answer, dict) else ''
        hint = ': is it older than this plugin?' if status == 404 else f': {reason}'
        answer = {'sentence': f'The stock sync at {shop} answered {status}{hint}', 'isRight': False}
    answer['shop'] = shop
    _answers[key] = (now + CACHED_SECONDS, answer)
    return answer


def _asked(settings, target, question, content):
    """The status and the text of an answer to a question, which is signed like a webhook."""
    body = json.dumps(content, separators=(',', ':')).encode()
    request_id, timestamp = f'ask_{uuid.uuid4()}', str(int(time.time()))
    headers = {
        'content-type': 'application/json',
        'webhook-id': request_id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signature_of(target.secret, request_id, timestamp, body),
    }
    address = target.url[: -len(WEBHOOK_PATH)] + f'/inventree/{question}'
    return posted(address, settings.verify_tls, body, headers, min(TIMEOUT_SECONDS, settings.timeout_seconds), 100_000)
