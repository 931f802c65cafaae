"""Problem records as people meet them: from an incident to a known error, in two sizes and themes."""

import re

from playwright.sync_api import Page, expect

from tests.browser import Visit, all_fit, go_on, no_violations

PAGES = ["/problems", "/problems?show=done&q=nothing-like-it", "/problems/review", "/problems/new"]


def test_pages_are_accessible_and_fit(visit: Visit) -> None:
    all_fit(visit, [("ana", path) for path in PAGES])


def act(page: Page, title: str) -> None:
    found = page.locator("#acts").locator("summary", has_text=re.compile(f"^{title}"))
    if not found.is_visible():
        page.locator("#acts").locator("summary", has_text=re.compile("^More")).click()
    found.click()


def press(page: Page, button: str) -> None:
    page.locator("#acts details[name=act][open]").get_by_role("button", name=button, exact=True).click()


def test_from_an_incident_to_a_known_error(visit: Visit) -> None:
    page = visit("ana", "/tickets/INC0000001")
    page.locator("#problem-of").get_by_role("link", name="Open a problem").click()
    page.get_by_label("Title").fill("Sign-in fails again and again")
    page.get_by_label("Incidents").fill("INC0000001, INC9999999")
    page.get_by_role("button", name="Open the problem").click()
    expect(page.get_by_text("There is no ticket INC9999999.")).to_be_visible()
    page.get_by_label("Incidents").fill("INC0000001")
    page.get_by_role("button", name="Open the problem").click()
    expect(page.locator("#ticket-head")).to_contain_text("PRB")
    record = page.locator("#problem")
    expect(page.get_by_role("radio", name="Private note")).to_be_checked()  # nobody waits for a reply
    expect(record).to_contain_text("The root cause is not known yet.")
    expect(record.get_by_role("link", name=re.compile("^INC0000001"))).to_be_visible()
    page.keyboard.press("p")  # keys reach what stands under More
    expect(page.locator("#acts .overflow").get_by_label("Impact")).to_be_focused()
    no_violations(page)
    act(page, "Known error")
    press(page, "Declare")
    expect(page.locator("#acts details[name=act][open]")).to_contain_text("A known error has a workaround.")
    page.get_by_label("Workaround").last.fill("Sign in by **card**.")
    press(page, "Declare")
    expect(record.get_by_role("heading", name="Known error")).to_be_visible()
    act(page, "Describe")
    page.get_by_label("Root cause").first.fill("The token is too short-lived.")
    page.get_by_label("1. Why?").fill("The clock is wrong.")
    press(page, "Save")
    expect(record).to_contain_text("The clock is wrong.")
    page.locator("#acts").get_by_role("button", name="Look for the cause").click()
    act(page, "Start the fix")
    press(page, "Start the fix")
    expect(page.locator("#ticket-head")).to_contain_text("fix in progress")
    act(page, "Resolve")
    page.get_by_label("Resolution", exact=True).select_option("solved")
    page.get_by_label("What was done").fill("The clock was set.")
    press(page, "Resolve")
    shown = page.locator("#acts details[name=act][open]")
    expect(shown).to_contain_text("No change has fixed it.")
    expect(page.get_by_label("What was done")).to_have_value("The clock was set.")  # nothing typed is lost
    no_violations(page)
    go_on(page, page.url)  # the address of the refused form, loaded again, is the problem's own page
    expect(page).to_have_url(re.compile("/tickets/PRB[0-9]+$"))
    go_on(page, "/problems")
    for key in ("j", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#ticket-head")).to_contain_text("PRB")
    go_on(page, "/tickets/INC0000001")
    expect(page.locator("#problem-of")).to_contain_text("Sign in by card.")
    no_violations(page)


def test_a_selection_of_the_queue_becomes_one_problem(visit: Visit) -> None:
    page = visit("ana", "/queue?q=sort:number")
    for _ in range(3):
        page.keyboard.press("x")
        page.keyboard.press("j")
    page.get_by_role("button", name="Problem", exact=True).click()
    expect(page.get_by_label("Incidents")).to_have_value("INC0000001, INC0000002, INC0000003")
    expect(page.get_by_label("Title")).not_to_have_value("")
    no_violations(page)
    page.get_by_role("button", name="Open the problem").click()
    expect(page.locator("#problem").get_by_role("link", name=re.compile("^INC000000[123]"))).to_have_count(3)


def test_the_key_takes_the_current_ticket_and_agents_are_not_offered_it(visit: Visit) -> None:
    page = visit("ana", "/queue?q=sort:number")
    page.keyboard.press("m")
    expect(page.get_by_label("Incidents")).to_have_value("INC0000001")
    for handle in ("alan", "audrey"):  # an agent works tickets and steers none; an auditor reads
        page = visit(handle, "/queue?q=sort:number")
        expect(page.locator("tr[data-current]")).to_be_visible()
        expect(page.locator("[data-lead]")).to_have_count(0)
