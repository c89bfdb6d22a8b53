from django.db import models
from django.db.models import Q


class StockLocation(models.Model):
    name = models.CharField(max_length=100)
    parent = models.ForeignKey('self', null=True, on_delete=models.SET_NULL)
    external = models.BooleanField(default=False)


class StockItem(models.Model):
    part = models.ForeignKey('part.Part', on_delete=models.CASCADE)
    quantity = models.DecimalField(max_digits=15, decimal_places=5, default=1)
    location = models.ForeignKey(StockLocation, null=True, on_delete=models.DO_NOTHING)
    status = models.PositiveIntegerField(default=10)
    status_custom_key = models.PositiveIntegerField(null=True)
    expiry_date = models.DateField(null=True)
    belongs_to = models.ForeignKey('self', null=True, on_delete=models.DO_NOTHING)
    customer = models.ForeignKey('company.Company', null=True, on_delete=models.SET_NULL)
    sales_order = models.ForeignKey('order.SalesOrder', null=True, on_delete=models.SET_NULL)
    consumed_by = models.PositiveIntegerField(null=True)
    is_building = models.BooleanField(default=False)

    IN_STOCK_FILTER = Q(
        quantity__gt=0,
        sales_order=None,
        belongs_to=None,
        customer=None,
        consumed_by=None,
        is_building=False,
        status__in=[10, 50, 55, 85],
    )

    class Meta:
        # InvenTree's items have a default ordering, which keeps values().annotate() from grouping.
        ordering = ['quantity', 'pk']
