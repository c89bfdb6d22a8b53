from django.urls import include, path

from inventree_magento_sync.plugin import MagentoSyncPlugin

urlpatterns = [path('plugin/magento-sync/', include(MagentoSyncPlugin().urls))]
