from django.contrib.contenttypes.models import ContentType
from django.db import models

from tests import INVENTREE_LIKE

if INVENTREE_LIKE != '0.17':

    class ParameterTemplate(models.Model):
        name = models.CharField(max_length=100, unique=True)

    class Parameter(models.Model):
        template = models.ForeignKey(ParameterTemplate, on_delete=models.CASCADE)
        model_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
        model_id = models.PositiveIntegerField()
        data = models.CharField(max_length=500)
