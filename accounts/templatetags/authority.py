"""Template filter that asks who may act on whose account."""

from django.template import Library

from accounts import authority
from accounts.models import User

register = Library()


@register.filter
def can_decide(by: User, user: User) -> bool:
    """`{% if user|can_decide:account %}`: whether the user may approve or reject the account, not being its owner."""
    return by != user and authority.can_decide(by, user)
