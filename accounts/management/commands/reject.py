"""Reject accounts by email address."""

from accounts.management.deciding import DecisionCommand


class Command(DecisionCommand):
    help = __doc__
    verb = "reject"
    done = "rejected"
