"""What an editor writes: the document, its rows, the ledger of sources.

What readers see is made of it in ``app/publishing`` and kept in ``app/delivery``.
"""
