"""Agreements in a real browser: the whole path by hand and by keyboard, accessible, and it fits."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import SIZES, Scheme, Visit, no_violations

pytestmark = pytest.mark.timeout(300)
LONG = "An agreement with a name as long as lawyers like them, annexes one to four included, as amended"


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_whole_path_of_an_agreement(visit: Visit, width: int, scheme: Scheme) -> None:
    name = f"{LONG} {width} {scheme}"
    page = visit("adam", "/service-levels", width=width, scheme=scheme)
    page.get_by_role("link", name=re.compile("^An empty agreement")).click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Applies to").fill("kind:incident is:routed")
    page.get_by_label("Priority 1").fill("4h")
    page.get_by_role("button", name="Underpinning contract").click()
    expect(page.get_by_role("heading", name="2. Underpinning contract")).to_be_visible()
    contract = page.locator("#t1")
    contract.get_by_label("Priority 1").fill("soon")
    page.get_by_role("button", name="See what it would have done").click()
    expect(page.get_by_role("alert").first).to_contain_text("needs another look")
    expect(contract.get_by_text("is no length of time")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value(name)
    no_violations(page)
    contract.get_by_label("Priority 1").fill("8h")
    page.get_by_role("button", name="See what it would have done").click()
    expect(page.get_by_text("not saved yet")).to_be_visible()
    expect(page.get_by_text(re.compile(r"to [7-9]\d tickets opened in the last 90 days"))).to_be_visible()
    expect(page.get_by_role("table").first).to_contain_text("4h")
    no_violations(page)
    page.get_by_role("button", name="30 days").click()
    expect(page.get_by_text("opened in the last 30 days")).to_be_visible()
    page.get_by_role("button", name="Back to the form").click()
    expect(contract.get_by_label("Priority 1")).to_have_value("8h")
    page.get_by_role("button", name="See what it would have done").click()
    page.get_by_role("button", name="Save it").click()
    expect(page.get_by_text(f"Saved {name}.").first).to_be_visible()
    no_violations(page)
    page.goto(page.url.partition("/service-levels")[0] + "/service-levels")
    no_violations(page)
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_text("Retire", exact=True).first.click()
    page.get_by_role("button", name="Retire").click()
    expect(page.get_by_text(f"Retired {name}.").first).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_a_large_form_is_accessible_and_fits(visit: Visit, width: int, scheme: Scheme) -> None:
    no_violations(visit("adam", "/service-levels/agreements/new?start=incidents", width=width, scheme=scheme))


def test_flips_are_listed_with_links(visit: Visit) -> None:
    page = visit("adam", "/service-levels/agreements/new?start=empty")
    page.get_by_label("Name").fill("Flipping")
    page.get_by_label("Priority 1").fill("200h")
    page.get_by_label("Priority 2").fill("200h")
    page.get_by_label("Priority 3").fill("200h")
    page.get_by_label("It holds").select_option("ever")
    page.get_by_role("button", name="See what it would have done").click()
    expect(page.get_by_text("since ever: when it is saved")).to_be_visible()
    page.get_by_role("button", name="Save it").click()
    page.get_by_role("link", name="Edit").click()
    for level in (1, 2, 3):
        page.get_by_label(f"Priority {level}").fill("1h")
    page.get_by_role("button", name="See what it would have done").click()
    expect(page.get_by_role("heading", name="What it would have done")).to_be_visible()
    expect(page.get_by_text(re.compile(r"to [7-9]\d tickets"))).to_be_visible()
    breached = page.get_by_text(re.compile("^Would have breached"))
    expect(breached).to_be_visible()
    expect(page.locator(".flips a").first).to_have_attribute("href", re.compile("/tickets/INC"))
    no_violations(page)


def test_the_form_works_by_keyboard_and_completes_the_query(visit: Visit) -> None:
    page = visit("adam", "/service-levels/agreements/new")
    query = page.get_by_label("Applies to")
    query.fill("")
    query.press_sequentially("kind:inc")
    expect(page.get_by_role("option", name="incident Incident")).to_be_visible()
    query.press("Tab")
    expect(query).to_have_value(re.compile("kind:incident"))
    page.locator("#t1").get_by_role("button", name="Add a step").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#t1s3").get_by_label("When")).to_be_focused()
    page.get_by_label("Name").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("not saved yet")).to_be_visible()


def test_it_works_without_script(visit: Visit) -> None:
    page = visit("adam", "/service-levels/agreements/new?start=requests", script=False)
    page.get_by_label("Name").fill("Without script")
    page.get_by_role("button", name="See what it would have done").click()
    expect(page.get_by_text("not saved yet")).to_be_visible()
    expect(page.get_by_role("button", name="Save it")).to_be_visible()
