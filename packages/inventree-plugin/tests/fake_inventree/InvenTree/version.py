from tests import INVENTREE_LIKE


def inventreeVersion():
    return f'{INVENTREE_LIKE}.0'
