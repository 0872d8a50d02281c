"""Approve accounts, by their addresses."""

from accounts.management.deciding import DecisionCommand


class Command(DecisionCommand):
    help = __doc__
    verb = "approve"
    done = "approved"
