"""Text in, document out, and back; no database.

What becomes of the document is decided in ``app/publishing/transfer.py``.
"""
