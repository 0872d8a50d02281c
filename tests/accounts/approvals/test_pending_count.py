from django.test import RequestFactory

from accounts.context_processors import accounts


def count_for(user) -> int:
    request = RequestFactory().get("/")
    request.user = user
    return accounts(request)["pending_count"]


def test_administrators_see_the_number_of_pending_accounts(admin, make_user):
    make_user(), make_user(), make_user("approved"), make_user(is_active=False)
    assert count_for(admin) == 2


def test_other_users_see_no_number(make_user, django_assert_num_queries):
    users = [make_user("approved"), make_user(), make_user("rejected", is_staff=True)]
    with django_assert_num_queries(0):
        assert [count_for(user) for user in users] == [0, 0, 0]


def test_a_page_without_a_user_has_no_count():
    assert accounts(RequestFactory().get("/"))["pending_count"] == 0
