from django.db import models

from tests import INVENTREE_LIKE


class PartCategory(models.Model):
    name = models.CharField(max_length=100)
    parent = models.ForeignKey('self', null=True, on_delete=models.SET_NULL)


class Part(models.Model):
    name = models.CharField(max_length=100)
    IPN = models.CharField(max_length=100, blank=True, null=True)
    active = models.BooleanField(default=True)
    salable = models.BooleanField(default=True)
    virtual = models.BooleanField(default=False)
    is_template = models.BooleanField(default=False)
    assembly = models.BooleanField(default=False)
    revision = models.CharField(max_length=100, blank=True, null=True)
    category = models.ForeignKey(PartCategory, null=True, on_delete=models.SET_NULL)
    variant_of = models.ForeignKey('self', null=True, on_delete=models.SET_NULL)

    class Meta:
        ordering = ['name']

    @property
    def can_build(self):
        # InvenTree computes it from the bill of materials.
        return 7.0


if INVENTREE_LIKE == '0.17':

    class PartParameterTemplate(models.Model):
        name = models.CharField(max_length=100, unique=True)

    class PartParameter(models.Model):
        part = models.ForeignKey(Part, on_delete=models.CASCADE)
        template = models.ForeignKey(PartParameterTemplate, on_delete=models.CASCADE)
        data = models.CharField(max_length=500)
