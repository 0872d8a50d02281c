"""Connections to clients: limits and flow control that Daphne, Autobahn and Twisted don't have.

Each docstring names the upstream behavior and its issue; “not reported” where we found none.
"""
