from accounts.models import User


def test_the_first_account_of_an_empty_site_is_an_approved_admin(sign_up):
    sign_up("first@example.com")
    first = User.objects.get()
    assert first.is_admin
    assert first.is_superuser
    assert first.is_first_user


def test_the_second_account_is_not_an_admin(sign_up):
    sign_up("first@example.com")
    sign_up("second@example.com")
    assert not User.objects.get(email="second@example.com").is_admin


def test_a_setting_disables_the_first_admin(sign_up, settings):
    settings.FIRST_USER_IS_ADMIN = False
    sign_up("first@example.com")
    assert User.objects.get().status == "pending"


def test_only_one_of_two_concurrent_first_accounts_is_admin(sign_up, monkeypatch):
    monkeypatch.setattr(User.objects, "needs_first_admin", lambda: True)
    sign_up("first@example.com")
    sign_up("second@example.com")
    assert [user.email for user in User.objects.filter(is_superuser=True)] == ["first@example.com"]
    second = User.objects.get(email="second@example.com")
    assert (second.status, second.is_staff, second.is_first_user) == ("pending", False, None)


def test_sign_ups_after_createsuperuser_are_pending(sign_up, admin):
    sign_up("first@example.com")
    assert User.objects.get(email="first@example.com").status == "pending"
