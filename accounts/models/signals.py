from django.dispatch import Signal

status_changed = Signal()
"""A user was approved, rejected or restored: sender=User, user. Sent after the commit."""

token_revoked = Signal()
"""A token was revoked: sender=Token, token. Sent after the commit."""

signed_up = Signal()
"""A user signed up: sender=User, user. Sent in the transaction that saves the account."""
