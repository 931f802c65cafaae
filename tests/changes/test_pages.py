"""The pages of changes in a real browser: accessible, they fit, and a change is led from its plan to its outcome."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Visit, all_fit, no_violations

PAGES = ["/changes", "/changes?show=all", "/changes?q=nothing-like-it", "/changes/new", "/tickets/CHG0000004", "/tickets/CHG0000004/edit"]


@pytest.mark.timeout(400)
def test_pages_are_accessible_and_fit(visit: Visit) -> None:
    all_fit(visit, [("ana", path) for path in (*PAGES, "/changes/CHG0000004/plan")])


def act(page: Page, name: str) -> None:
    page.locator("#acts").locator("summary", has_text=re.compile(f"^{name}")).click()


def test_a_change_from_the_form_to_its_outcome(visit: Visit) -> None:
    page = visit("ana", "/changes/new?cis=san-01")
    page.get_by_label("Title").fill("Grow the volume")
    page.get_by_label("Affected CIs").fill("san-01\nno-such-ci")
    page.get_by_label("Planned start").fill("2031-03-04T20:00")
    page.get_by_label("Planned end").fill("2031-03-04T22:00")
    page.get_by_role("button", name="Open the change").click()
    expect(page.get_by_text("There is no configuration item “no-such-ci”")).to_be_visible()
    expect(page.get_by_label("Planned end")).to_have_value("2031-03-04T22:00")  # nothing typed is lost
    page.get_by_label("Affected CIs").fill("san-01\nsrv-edge-02")
    page.get_by_role("button", name="Open the change").click()
    plan = page.locator("#change-plan")
    expect(plan).to_contain_text("san-01, srv-edge-02")
    expect(page.locator(".rail .entry[aria-current=page]")).to_have_text("Changes")  # though its address is a ticket's
    act(page, "Schedule")
    page.locator("#acts details[open]").get_by_role("button", name="Schedule").click()
    expect(page.locator("#acts details[open]")).to_contain_text("A change without a rollback plan is sent back.")
    no_violations(page)
    plan.get_by_role("link", name="Edit the plan").click()
    page.get_by_label("Rollback plan").fill("Shrink it again.")
    page.get_by_role("button", name="Save").click()
    act(page, "Schedule")
    page.locator("#acts details[open]").get_by_role("button", name="Schedule").click()
    page.locator("#acts").get_by_role("button", name="Start").click()
    act(page, "Close with its outcome")
    page.get_by_label("Outcome").select_option("with_issues")
    page.locator("#acts details[open]").get_by_role("button", name="Close").click()
    expect(page.locator("#ticket-head")).to_contain_text("closed")
    expect(plan).to_contain_text("successful with issues")
    journal = page.locator("#talk")
    expect(journal).to_contain_text("planned it")
    expect(journal).to_contain_text("affected CIs san-01, srv-edge-02")
    expect(journal).to_contain_text("planned start 4 Mar 2031 20:00")
    expect(journal).to_contain_text("ended the work")
    page.get_by_role("link", name="Changes").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Changes")
    for key in ("j", "j", "k", "j"):
        page.keyboard.press(key)
    second = page.locator("tbody tr").nth(1)
    expect(second).to_have_attribute("data-current", "yes")
    no_violations(page)
    title = second.locator(".lead a").inner_text()
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_two_who_plan_at_once_see_both_sides(visit: Visit) -> None:
    mine, theirs = (visit(who, "/changes/CHG0000009/plan") for who in ("ana", "mona"))
    theirs.get_by_label("Reason").fill("It is dusty.")
    theirs.get_by_label("Risk").select_option("low")
    theirs.get_by_role("button", name="Save").click()
    expect(theirs.locator("#change-plan")).to_contain_text("It is dusty.")
    mine.get_by_label("Reason").fill("Nobody finds a cable.")
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_role("alert")).to_contain_text("changed by somebody else while you were editing")
    expect(mine.locator(".sides")).to_contain_text("It is dusty.")
    expect(mine.get_by_text("Risk: Moderate → Low")).to_be_visible()
    no_violations(mine)
    mine.get_by_role("button", name="Save my choice").click()
    expect(mine.locator("#change-plan")).to_contain_text("Nobody finds a cable.")


def test_a_ci_and_a_service_show_their_changes(visit: Visit) -> None:
    page = visit("audrey", "/changes?show=all&q=backups")
    page.get_by_role("link", name=re.compile("Move backups")).click()
    page.locator("#change-plan").get_by_role("link", name="san-01").click()
    panel = page.get_by_role("region", name="Changes").or_(page.locator("section[aria-labelledby=changes-on-title]")).first
    expect(panel).to_contain_text("Swap a failed disk")
    expect(panel).to_contain_text("backed out")
    expect(panel.get_by_role("link", name="New change")).to_have_count(0)  # an auditor reads
    panel.get_by_role("link", name="All changes").click()
    expect(page.get_by_text("on san-01")).to_be_visible()
