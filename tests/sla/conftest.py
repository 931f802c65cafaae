"""Fixtures of a real browser, for the pages of service levels."""

from tests.browser import chromium, site, visit

__all__ = ["chromium", "site", "visit"]
