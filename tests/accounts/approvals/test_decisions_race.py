from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.models import DecisionError, User


@pytest.mark.django_db(transaction=True)
def test_one_of_two_admins_who_reject_each_other_concurrently_remains():
    admins = [User.objects.create_superuser(f"admin{number}@example.com") for number in range(2)]
    barrier = Barrier(2)

    def reject(by: User, user: User) -> str:
        try:
            barrier.wait(timeout=10)
            user.reject(by, "me or you")
        except DecisionError:
            return "denied"
        finally:
            connection.close()
        return "rejected"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(reject, admins, reversed(admins))) == ["denied", "rejected"]
    assert User.objects.admins().count() == 1
