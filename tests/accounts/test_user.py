import pytest
from django.core.management import call_command
from django.db import IntegrityError

from accounts.models import User


def test_a_new_user_is_pending(make_user):
    assert make_user().status == "pending"


def test_createsuperuser_creates_an_approved_admin(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")
    call_command("createsuperuser", email="Root@Example.com", interactive=False, verbosity=0)
    root = User.objects.get(email="root@example.com")
    assert root.is_admin
    assert root.is_superuser


def test_email_addresses_are_unique_regardless_of_case(make_user):
    make_user(email="ada@example.com")
    with pytest.raises(IntegrityError):
        User(email="ADA@example.com").save()


def test_accounts_are_found_regardless_of_case(make_user):
    ada = make_user(email="ada@example.com")
    assert User.objects.get_by_natural_key("ADA@example.com") == ada


@pytest.mark.parametrize(
    ("status", "is_active", "expected"),
    [
        ("approved", True, True),
        ("approved", False, False),
        ("pending", True, False),
        ("rejected", True, False),
    ],
)
def test_inactive_accounts_are_not_approved(status, is_active, expected):
    assert User(status=status, is_active=is_active).is_approved is expected
