"""An InvenTree plugin that reports every stock change to the Magento stock sync, and answers its bulk reads."""

VERSION = '0.1.0'
SLUG = 'magento-sync'
