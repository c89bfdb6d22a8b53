from django.db import models


class BuildItem(models.Model):
    stock_item = models.ForeignKey('stock.StockItem', on_delete=models.CASCADE, related_name='allocations')
    quantity = models.DecimalField(max_digits=15, decimal_places=5, default=1)

    class Meta:
        ordering = ['-quantity']
