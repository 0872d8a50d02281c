from django.dispatch import Signal

session_finished = Signal()
"""A session is over: sender=Session, session. Sent in the transaction that says so; again if it goes on and ends."""
