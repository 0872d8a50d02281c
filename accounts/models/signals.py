from django.dispatch import Signal

status_changed = Signal()
"""A user was approved, rejected or restored: sender=User, user. Sent after the commit."""

credentials_ended = Signal()
"""A new password or a deactivation ended all credentials of a user: sender=User, user. Sent after the commit."""

access_token_denied = Signal()
"""An access token was revoked: sender=Caller, jwt_id."""

token_revoked = Signal()
"""A token was revoked: sender=Token, token. Sent after the commit."""

signed_up = Signal()
"""A user signed up: sender=User, user. Sent in the transaction that saves the account."""
