"""The pages of schedules in a real browser: accessible, and they fit; a schedule is typed, changed, explained and put to use."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Visit, all_fit, no_violations

LONG = "Service desk of the regional administration for everything between the harbour and the hills"
HERE = "/service-levels/schedules"


def made(visit: Visit, name: str) -> str:
    """Type a schedule from the usual office week; returns its address."""
    page = visit("adam", f"{HERE}/new?from=office")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_label("Country").first.select_option("DE")
    page.get_by_label("Subdivision").first.fill("BY")
    page.get_by_label("Own days", exact=True).fill("12-24 08:00-12:00 Christmas Eve")
    page.get_by_role("button", name="Add the schedule").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    return "/" + page.url.split("/", 3)[3]


@pytest.mark.timeout(400)
def test_pages_are_accessible_and_fit(visit: Visit) -> None:
    here = made(visit, LONG)
    explained = f"{here}/explain?start=2026-03-20T16:00&duration=200h"
    paths = (HERE, f"{HERE}/new", f"{here}?year=2026", f"{here}/edit", explained, f"{here}/explain?start=x")
    all_fit(visit, [("adam", path) for path in paths])


def _told(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()


@pytest.mark.timeout(400)
def test_a_schedule_is_changed_explained_and_used(visit: Visit) -> None:
    here = made(visit, "Harbour office")
    page = visit("adam", f"{here}/edit")
    page.get_by_label("Friday").fill("08:00-12:00, 11:00-17:00")
    page.get_by_role("button", name="See what it changes").click()
    _told(page, "08:00-12:00 and 11:00-17:00 overlap")
    no_violations(page)
    page.get_by_label("Friday").fill("08:00-12:00")
    page.get_by_role("button", name="See what it changes").click()
    _told(page, "not saved yet")
    no_violations(page)
    page.get_by_role("button", name="Back to editing").click()
    expect(page.get_by_label("Friday")).to_have_value("08:00-12:00")
    page.get_by_role("button", name="See what it changes").click()
    page.get_by_role("button", name="Save").click()
    _told(page, "Changed Harbour office.")
    page.get_by_label("Start").fill("2036-06-06T11:00")
    page.get_by_label("Duration").fill("2h")
    page.get_by_role("button", name="Explain").click()
    _told(page, "Fri 11:00 + 2 h = Mon 09:00: 1 h Friday, weekend closed, 1 h Monday.")
    page.goto(page.url.partition("/explain")[0])
    page.get_by_label("Whose").select_option("team")
    page.get_by_label("Name").fill("Network")
    page.get_by_role("button", name="Let it use these hours").click()
    _told(page, "Network uses it now.")
    no_violations(page)
    page.get_by_role("button", name="Network uses it no more").click()
    _told(page, "It is used no more.")
