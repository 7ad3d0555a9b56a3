"""What others are told: the numbered feed of changes, and work that outlives its request.

Who is asked and over which address is said in ``app/api``.
"""
