"""What readers see: bytes frozen at publish, and the rows that lists of them are made from.

When they are written is decided in ``app/publishing``.
"""
