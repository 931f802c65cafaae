"""Fixtures of a real browser."""

from tests.browser import chromium, site, visit

__all__ = ["chromium", "site", "visit"]
