"""What can be asked; each route is a sentence, and no file here imports another.

What is decided is decided below: ``app/articles``, ``app/publishing``, ``app/delivery``.
"""
