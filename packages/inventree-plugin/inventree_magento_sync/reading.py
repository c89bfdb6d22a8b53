"""Bulk reads: the stock of many parts in one call, and all parts in pages."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Case, F, OuterRef, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
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
DETAIL_FIELDS = ('revision', 'category')
MAX_PARAMETERS = 10
EXTRAS = ('details', 'buildable', 'variants')


@dataclass(frozen=True)
class Wanted:
    """What a request asks for beside the stock by location."""

    # Names of parameter templates, whose values are returned.
    parameters: tuple = ()
    # From before there were several: the same with one name.
    parameter: str | None = None
    # Whether stock is also grouped by status and expiry.
    details: bool = False
    # Whether InvenTree is asked how many of an assembly can be built now.
    buildable: bool = False
    # Whether the stock of its variants is added to that of a template.
    variants: bool = False


class StockView(APIView):
    """POST {"parts": [1, 2]} reads these parts; GET ?after=0&limit=1000 the next ones by id.

    Both also take `parameters`, a list of names, and `wanted`, a list of EXTRAS. Whatever is wanted, the answer takes
    three queries: parts with their parameters, stock, and what is allocated; one more for variants, and those of
    InvenTree itself for each assembly with `buildable`.
    """

    permission_classes = (IsLoggedIn,)
    parser_classes = (JSONParser,)
    renderer_classes = (JSONRenderer,)

    def post(self, request):
        require_role(request.user)
        body = request.data if isinstance(request.data, dict) else {}
        requested = part_ids_in(body.get('parts'))
        wanted = Wanted(
            parameters=names_in(body.get('parameters', [])),
            parameter=name_in(body.get('parameter')),
            **extras_in(body.get('wanted', [])),
        )
        parts = list(part_rows(wanted).filter(pk__in=requested))
        found = {part['pk'] for part in parts}
        return Response({'parts': with_stock(parts, wanted), 'missing': sorted(set(requested) - found)})

    def get(self, request):
        require_role(request.user)
        query = request.query_params
        after = whole_number_in(query, 'after', 0, 0, 2**63 - 1)
        limit = whole_number_in(query, 'limit', MAX_PARTS, 1, MAX_PARTS)
        wanted = Wanted(
            parameters=names_in(query.getlist('parameters')),
            parameter=name_in(query.get('parameter')),
            **extras_in(query.getlist('wanted')),
        )
        # One part more than requested shows whether there is a next page.
        parts = list(part_rows(wanted).filter(pk__gt=after)[: limit + 1])
        page = parts[:limit]
        return Response({'parts': with_stock(page, wanted), 'next': page[-1]['pk'] if len(parts) > limit else None})


class CategoriesView(APIView):
    """GET returns for each category of parts the one above it."""

    permission_classes = (IsLoggedIn,)
    renderer_classes = (JSONRenderer,)

    def get(self, request):
        require_role(request.user)
        categories = apps.get_model('part', 'PartCategory').objects.order_by('pk').values('pk', 'parent')
        return Response({'categories': list(categories)})


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


def names_in(names):
    """The names of parameter templates in a request."""
    is_list = isinstance(names, list) and len(names) <= MAX_PARAMETERS
    if not is_list or any(not isinstance(name, str) for name in names):
        raise ValidationError({'parameters': [f'expected a list of at most {MAX_PARAMETERS} names']})
    return tuple(names)


def extras_in(names):
    """What a request wants beside the stock by location."""
    if not isinstance(names, list) or any(name not in EXTRAS for name in names):
        raise ValidationError({'wanted': [f'expected a list of {", ".join(EXTRAS)}']})
    return {name: True for name in names}


def name_in(name):
    """The name of a parameter template in a request; None where there is none."""
    if name is not None and not isinstance(name, str):
        raise ValidationError({'parameter': ['expected a name']})
    return name


def part_rows(wanted):
    """The parts with the values of the parameters, each beside the id of its template."""
    rows = apps.get_model('part', 'Part').objects.order_by('pk')
    columns = {}
    for number, name in enumerate(parameters_of(wanted)):
        columns[f'template_{number}'] = Subquery(parameter_templates().filter(name=name).order_by().values('pk')[:1])
        columns[f'value_{number}'] = Subquery(parameter_values(name))
    return rows.values(*PART_FIELDS, *(DETAIL_FIELDS if wanted.details else ()), **columns)


def parameters_of(wanted):
    return wanted.parameters if wanted.parameter is None else (*wanted.parameters, wanted.parameter)


def parameter_templates():
    try:
        return apps.get_model('common', 'ParameterTemplate').objects
    except LookupError:  # before InvenTree 1.2
        return apps.get_model('part', 'PartParameterTemplate').objects


def parameter_values(name):
    """The value of the parameter with this name, of the part in the outer query."""
    try:
        of_parts = ContentType.objects.get_for_model(apps.get_model('part', 'Part'))
        rows = apps.get_model('common', 'Parameter').objects.filter(model_type=of_parts, model_id=OuterRef('pk'))
    except LookupError:  # before InvenTree 1.2
        rows = apps.get_model('part', 'PartParameter').objects.filter(part=OuterRef('pk'))
    return rows.filter(template__name=name).order_by('pk').values('data')[:1]


def with_stock(parts, wanted):
    """Parts with their stock by location, and how much of it is allocated."""
    variants = variants_of(parts) if wanted.variants else {}
    keys = {part['pk'] for part in parts}.union(*variants.values())
    stock, allocated = stock_by_group(keys, wanted), allocated_by_group(keys, wanted)
    buildable = buildable_of(keys) if wanted.buildable else None
    return [
        {
            **without_columns(part, wanted),
            'IPN': part['IPN'] or '',
            **({'revision': part['revision'] or ''} if wanted.details else {}),
            **({} if buildable is None else {'buildable': as_text(buildable.get(part['pk'], Decimal(0)))}),
            **stock_of([part['pk'], *variants.get(part['pk'], ())], stock, allocated, wanted),
        }
        for part in parts
    ]


def without_columns(part, wanted):
    """A part with its parameters by name in place of the columns of the query."""
    shown = {field: part[field] for field in (*PART_FIELDS, *(DETAIL_FIELDS if wanted.details else ()))}
    values = {}
    for number, name in enumerate(parameters_of(wanted)):
        if part[f'template_{number}'] is None:
            raise ValidationError({'parameters': [f"expected names of parameter templates, got '{name[:100]}'"]})
        values[name] = part[f'value_{number}']
    if wanted.parameters:
        shown['parameters'] = {name: values[name] for name in wanted.parameters}
    if wanted.parameter is not None:
        shown['parameter'] = values[wanted.parameter]
    return shown


def stock_of(keys, stock, allocated, wanted):
    """The stock of these parts together, in one row for each group."""
    rows = [(group, quantity, allocated[key, *group]) for key in keys for group, quantity in stock[key].items()]
    fields = ('location', 'status', 'expired') if wanted.details else ('location',)
    return {
        'in_stock': as_text(sum((quantity for _, quantity, _ in rows), Decimal(0))),
        'stock' if wanted.details else 'locations': [
            {**dict(zip(fields, group)), 'in_stock': as_text(quantity), 'allocated': as_text(taken)}
            for group, quantity, taken in rows
        ],
    }


def variants_of(parts):
    """The ids of all variants, at any depth, by the id of their template."""
    templates = [part['pk'] for part in parts if part['is_template']]
    if not templates:
        return {}
    below = defaultdict(list)
    rows = apps.get_model('part', 'Part').objects.filter(variant_of__isnull=False).order_by()
    for pk, parent in rows.values_list('pk', 'variant_of_id'):
        below[parent].append(pk)
    found = {}
    for template in templates:
        variants = []
        left = [template]
        while left:
            fresh = [pk for pk in below[left.pop()] if pk not in variants]
            variants += fresh
            left += fresh
        found[template] = variants
    return found


def buildable_of(keys):
    """How many of each assembly can be built now, as InvenTree itself computes it."""
    assemblies = apps.get_model('part', 'Part').objects.filter(pk__in=keys, assembly=True).order_by()
    return {part.pk: Decimal(str(part.can_build)) for part in assemblies}


def groups_of(item, wanted):
    """What stock is grouped by, as columns of a query; `item` is the path to the stock item."""
    groups = {'group_part': F(f'{item}part_id'), 'group_location': F(f'{item}location_id')}
    if wanted.details:
        # The custom status of an item, where it has one.
        groups['group_status'] = Coalesce(F(f'{item}status_custom_key'), F(f'{item}status'))
        is_expired = When(**{f'{item}expiry_date__lt': date.today()}, then=Value(True))
        groups['group_expired'] = Case(is_expired, default=Value(False))
    return groups


def items_in_stock(keys):
    model = apps.get_model('stock', 'StockItem')
    # order_by() removes the default ordering, which would put every item into a group of its own.
    return model.objects.filter(model.IN_STOCK_FILTER, part__in=keys).order_by()


def stock_by_group(keys, wanted):
    """The quantity in stock by part and group; a group has no location where its items have none."""
    groups = groups_of('', wanted)
    rows = items_in_stock(keys).annotate(**groups).values_list(*groups).annotate(total=Sum('quantity'))
    found = defaultdict(dict)
    for part, *group, total in rows:
        found[part][tuple(group)] = exact(total)
    return found


def allocated_by_group(keys, wanted):
    """The quantity that is allocated to sales orders and builds, by part and group."""
    items = items_in_stock(keys)
    sales, builds = (
        apps.get_model(*model)
        .objects.filter(**{f'{item}__in': items})
        .order_by()
        .annotate(**groups_of(f'{item}__', wanted))
        .values_list(*groups_of(f'{item}__', wanted))
        .annotate(total=Sum('quantity'))
        for model, item in ((('order', 'SalesOrderAllocation'), 'item'), (('build', 'BuildItem'), 'stock_item'))
    )
    found = defaultdict(Decimal)
    for *group, total in sales.union(builds, all=True):
        found[tuple(group)] += exact(total)
    return found


def exact(quantity):
    """Five decimal places, as InvenTree keeps them: SQLite sums in floats."""
    return Decimal(quantity).quantize(PLACES)


def as_text(quantity):
    return format(quantity.quantize(PLACES), 'f')
