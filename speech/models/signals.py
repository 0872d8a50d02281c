from django.dispatch import Signal

session_finished = Signal()
"""Sent when a session ends, in the transaction that ends it: sender=Session, session. Sent again if the session is
resumed and ends again."""
