from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.models import DecisionError, User


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_reject_each_other_at_once_one_remains():
    admins = [User.objects.create_superuser(f"admin{number}@example.com") for number in range(2)]
    together = Barrier(2)

    def reject(by: User, user: User) -> str:
        try:
            together.wait(timeout=10)
            user.reject(by, "me or you")
        except DecisionError:
            return "refused"
        finally:
            connection.close()
        return "rejected"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(reject, admins, reversed(admins))) == ["refused", "rejected"]
    assert User.objects.admins().count() == 1
