from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.models import User


@pytest.mark.django_db(transaction=True)
def test_exactly_one_of_four_concurrent_sign_ups_is_admin(sign_up):
    barrier = Barrier(4)

    def sign_up_concurrently(number: int) -> int:
        try:
            barrier.wait(timeout=10)
            return sign_up(f"user{number}@example.com").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(sign_up_concurrently, range(4))) == [302] * 4
    assert User.objects.count() == 4
    assert User.objects.admins().count() == 1
