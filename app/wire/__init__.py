"""How HTTP is spoken here: bodies, conditions, keys, paging, problems.

What is spoken about is none of its business: that is in ``app/api`` and below.
"""
