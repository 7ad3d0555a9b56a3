"""Kiku: a headless JSON API for digest articles.

The floors of the house are drawn in ``pyproject.toml`` (import-linter) and told in CONTRIBUTING.md.
"""
