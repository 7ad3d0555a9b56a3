"""Everything that changes what is public.

The working copies themselves are in ``app/articles``, what readers get in ``app/delivery``.
"""
