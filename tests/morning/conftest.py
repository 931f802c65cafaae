"""A site of its own: one on which a night has passed."""

from collections.abc import Iterator

import pytest

from tests.browser import Site, chromium, served, visit

__all__ = ["chromium", "site", "visit"]


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A served site with an agreement, on which targets ran out, holds passed and an escalation waits."""
    with served(tmp_path_factory.mktemp("morning"), "tests.morning.serve_morning") as found:
        yield found
