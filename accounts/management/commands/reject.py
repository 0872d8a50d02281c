"""Reject accounts, by their addresses."""

from accounts.management.deciding import DecidingCommand


class Command(DecidingCommand):
    help = __doc__
    verb = "reject"
    done = "rejected"
