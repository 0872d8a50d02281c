"""Access control: every URL and WebSocket of the site, requested in every role.

`rules.py` says what is right: one line per URL or WebSocket. `roles.py` has the roles, `objects.py` what they request.
"""
