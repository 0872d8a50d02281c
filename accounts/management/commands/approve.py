"""Approve accounts, by their addresses."""

from accounts.management.deciding import DecidingCommand


class Command(DecidingCommand):
    help = __doc__
    verb = "approve"
    done = "approved"
