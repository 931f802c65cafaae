"""Fixtures of a real browser, for the pages of problems."""

from tests.browser import chromium, site, visit

__all__ = ["chromium", "site", "visit"]
