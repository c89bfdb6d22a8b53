"""Bulk reads: the stock of many parts in one call, and all parts in pages."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Sum
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

try:
    from InvenTree.permissions import IsAuthenticatedOrReadScope as IsLoggedIn
except ImportError:  # InvenTree 0.17
    from rest_framework.permissions import IsAuthenticated as IsLoggedIn

try:
    from users.permissions import check_user_role
except ImportError:  # InvenTree 0.17
    from users.models import check_user_role

MAX_PARTS = 1_000
PLACES = Decimal('0.00001')
PART_FIELDS = ('pk', 'name', 'IPN', 'active', 'salable', 'virtual', 'is_template', 'variant_of')


class StockView(APIView):
    """POST {"parts": [1, 2], "parameter": "name"?} reads these parts; GET ?after=0&limit=1000 the next ones by id."""

    permission_classes = (IsLoggedIn,)
    parser_classes = (JSONParser,)
    renderer_classes = (JSONRenderer,)

    def post(self, request):
        require_role(request.user)
        body = request.data if isinstance(request.data, dict) else {}
        requested = part_ids_in(body.get('parts'))
        parts = list(part_rows().filter(pk__in=requested))
        found = {part['pk'] for part in parts}
        stock = with_stock(parts, parameter_in(body.get('parameter')))
        return Response({'parts': stock, 'missing': sorted(set(requested) - found)})

    def get(self, request):
        require_role(request.user)
        after = whole_number_in(request.query_params, 'after', 0, 0, 2**63 - 1)
        limit = whole_number_in(request.query_params, 'limit', MAX_PARTS, 1, MAX_PARTS)
        # One part more than requested shows whether there is a next page.
        parts = list(part_rows().filter(pk__gt=after)[: limit + 1])
        page = parts[:limit]
        stock = with_stock(page, parameter_in(request.query_params.get('parameter')))
        return Response({'parts': stock, 'next': page[-1]['pk'] if len(parts) > limit else None})


def require_role(user):
    """Refuses a user without the view role on stock."""
    if not check_user_role(user, 'stock', 'view'):
        raise PermissionDenied('expected a user whose group has the view role on stock')


def part_ids_in(value):
    """The part ids in a request."""
    is_list = isinstance(value, list) and len(value) <= MAX_PARTS
    if not is_list or any(type(pk) is not int or not 0 < pk < 2**63 for pk in value):
        raise ValidationError({'parts': [f'expected a list of at most {MAX_PARTS} ids of parts, whole numbers']})
    return value


def whole_number_in(query, field, default, least, most):
    """A whole number in the query of a request."""
    text = query.get(field, str(default))
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise ValidationError({field: [f"expected a whole number from {least} to {most}, got '{text[:40]}'"]})
    return int(text)


def parameter_in(name):
    """The name of a parameter template in a request; None where there is none."""
    if name is None:
        return None
    if not isinstance(name, str) or not parameter_templates().filter(name=name).exists():
        raise ValidationError({'parameter': [f"expected the name of a parameter template, got '{str(name)[:100]}'"]})
    return name


def parameter_templates():
    try:
        return apps.get_model('common', 'ParameterTemplate').objects
    except LookupError:  # before InvenTree 1.2
        return apps.get_model('part', 'PartParameterTemplate').objects


def part_rows():
    return apps.get_model('part', 'Part').objects.order_by('pk').values(*PART_FIELDS)


def with_stock(parts, parameter):
    """Parts with their own stock (not that of their variants) by location, and how much of it is allocated."""
    keys = [part['pk'] for part in parts]
    stock, allocated = stock_by_location(keys), allocated_by_location(keys)
    values = parameter_values(keys, parameter) if parameter is not None else {}
    return [
        {
            **part,
            'IPN': part['IPN'] or '',
            **({'parameter': values.get(part['pk'])} if parameter is not None else {}),
            'in_stock': as_text(sum(stock[part['pk']].values(), Decimal(0))),
            'locations': [
                {
                    'location': location,
                    'in_stock': as_text(quantity),
                    'allocated': as_text(allocated[part['pk'], location]),
                }
                for location, quantity in stock[part['pk']].items()
            ],
        }
        for part in parts
    ]


def items_in_stock(parts):
    model = apps.get_model('stock', 'StockItem')
    # order_by() removes the default ordering, which would put every item into a group of its own.
    return model.objects.filter(model.IN_STOCK_FILTER, part__in=parts).order_by()


def stock_by_location(parts):
    """The quantity in stock by part and location; None for items without a location."""
    rows = items_in_stock(parts).values_list('part_id', 'location_id').annotate(total=Sum('quantity'))
    found = defaultdict(dict)
    for part, location, total in rows:
        found[part][location] = exact(total)
    return found


def allocated_by_location(parts):
    """The quantity that is allocated to sales orders and builds, by part and location."""
    items = items_in_stock(parts)
    sales, builds = (
        apps.get_model(*model)
        .objects.filter(**{f'{item}__in': items})
        .order_by()
        .values_list(f'{item}__part_id', f'{item}__location_id')
        .annotate(total=Sum('quantity'))
        for model, item in ((('order', 'SalesOrderAllocation'), 'item'), (('build', 'BuildItem'), 'stock_item'))
    )
    found = defaultdict(Decimal)
    for part, location, total in sales.union(builds, all=True):
        found[part, location] += exact(total)
    return found


def parameter_values(parts, name):
    """The values of the parameter with this name, by part."""
    try:
        of_parts = ContentType.objects.get_for_model(apps.get_model('part', 'Part'))
        rows = apps.get_model('common', 'Parameter').objects.filter(model_type=of_parts, model_id__in=parts)
        fields = ('model_id', 'data')
    except LookupError:  # before InvenTree 1.2
        rows = apps.get_model('part', 'PartParameter').objects.filter(part__in=parts)
        fields = ('part_id', 'data')
    return dict(rows.filter(template__name=name).order_by().values_list(*fields))


def exact(quantity):
    """Five decimal places, as InvenTree keeps them: SQLite sums in floats."""
    return Decimal(quantity).quantize(PLACES)


def as_text(quantity):
    return format(quantity.quantize(PLACES), 'f')
