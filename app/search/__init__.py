"""Finding published articles and their parts by words: how text is read, what is kept of it, how it is asked for.

``index.py`` is the face; nothing of a working copy is ever seen here.
"""
