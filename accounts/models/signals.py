from django.dispatch import Signal

status_changed = Signal()
"""A user was approved, rejected, or put back: sender=User, user. Sent once the change is committed."""

token_revoked = Signal()
"""A token holds no more: sender=Token, token. Sent once the change is committed."""

signed_up = Signal()
"""Somebody made an account: sender=User, user. Sent in the transaction that stores it."""
