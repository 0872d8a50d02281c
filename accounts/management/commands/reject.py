"""Reject accounts, by their addresses."""

from accounts.management.deciding import DecisionCommand


class Command(DecisionCommand):
    help = __doc__
    verb = "reject"
    done = "rejected"
