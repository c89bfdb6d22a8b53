from django.db import models

from tests import INVENTREE_LIKE


class Part(models.Model):
    name = models.CharField(max_length=100)
    IPN = models.CharField(max_length=100, blank=True, null=True)
    active = models.BooleanField(default=True)
    salable = models.BooleanField(default=True)
    virtual = models.BooleanField(default=False)
    is_template = models.BooleanField(default=False)
    variant_of = models.ForeignKey('self', null=True, on_delete=models.SET_NULL)

    class Meta:
        ordering = ['name']


if INVENTREE_LIKE == '0.17':

    class PartParameterTemplate(models.Model):
        name = models.CharField(max_length=100, unique=True)

    class PartParameter(models.Model):
        part = models.ForeignKey(Part, on_delete=models.CASCADE)
        template = models.ForeignKey(PartParameterTemplate, on_delete=models.CASCADE)
        data = models.CharField(max_length=500)
