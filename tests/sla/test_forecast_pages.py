"""The forecast's page in a real browser: what judges, how good it is, and asking for a training."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import SIZES, Scheme, Site, Visit, chromium, no_violations, served, visit

__all__ = ["chromium", "visit"]
PATH = "/service-levels/forecast"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A served site with a trained forecast."""
    with served(tmp_path_factory.mktemp("forecast"), "tests.sla.serve_forecast") as found:
        yield found


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_report_is_accessible_and_fits(visit: Visit, width: int, scheme: Scheme) -> None:
    page = visit("audrey", PATH, width=width, scheme=scheme)
    expect(page.get_by_role("heading", level=1)).to_have_text("Breach forecast")
    expect(page.get_by_text("a model", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name="Calibration curve")).to_be_visible()
    expect(page.get_by_role("img", name="Caught breaches")).to_be_visible()
    expect(page.get_by_role("rowheader", name="75 % rule")).to_be_visible()
    expect(page.get_by_text("broke off", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Train now")).to_have_count(0)
    no_violations(page)


def test_training_is_asked_for_once(visit: Visit) -> None:
    page = visit("adam", PATH)
    page.get_by_role("button", name="Train now").click()
    expect(page.get_by_text("A training is asked for").first).to_be_visible()
    expect(page.get_by_role("button", name="Train now")).to_be_disabled()
    expect(page.get_by_text("under way", exact=True)).to_be_visible()
    no_violations(page)
