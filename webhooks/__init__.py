"""Webhooks: signed event notifications to other services, sent in order and retried if they fail."""
