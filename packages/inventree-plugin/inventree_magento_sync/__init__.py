"""An InvenTree plugin that tells the Magento stock sync of every stock change, and answers its bulk reads."""

VERSION = '0.1.0'
SLUG = 'magento-sync'
