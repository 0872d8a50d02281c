from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.models import User


@pytest.mark.django_db(transaction=True)
def test_of_four_who_sign_up_at_once_exactly_one_is_the_admin(sign_up):
    together = Barrier(4)

    def sign_up_together(number: int) -> int:
        try:
            together.wait(timeout=10)
            return sign_up(f"user{number}@example.com").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(sign_up_together, range(4))) == [302] * 4
    assert User.objects.count() == 4
    assert User.objects.admins().count() == 1
