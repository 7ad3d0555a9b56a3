"""Who may do what: scopes, keys, and the trace of what was done.

How a key travels over HTTP is in ``app/wire/caller.py``.
"""
