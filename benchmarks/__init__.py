"""What Kiku costs beside its budgets (DESIGN, section 8): run by ``make bench``, never by the tests.

What Kiku promises is in ``tests/``; nothing there is measured with a clock.
"""
