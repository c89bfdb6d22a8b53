from tests import INVENTREE_LIKE

if INVENTREE_LIKE == '0.17':

    def check_user_role(user, role, permission):
        return user.is_superuser or user.groups.filter(name=f'{role}.{permission}').exists()
