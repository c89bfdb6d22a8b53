from django.db import models


class SalesOrder(models.Model):
    reference = models.CharField(max_length=20)


class SalesOrderAllocation(models.Model):
    item = models.ForeignKey('stock.StockItem', on_delete=models.CASCADE, related_name='sales_order_allocations')
    quantity = models.DecimalField(max_digits=15, decimal_places=5, default=1)
