from rest_framework import permissions

from tests import INVENTREE_LIKE

if INVENTREE_LIKE != '0.17':

    class IsAuthenticatedOrReadScope(permissions.IsAuthenticated):
        """Allows what a token or a login allows."""
