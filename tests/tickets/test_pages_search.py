"""The search page in a real browser, over documents that the journal's projection wrote."""

from playwright.sync_api import expect

from tests.browser import Visit, all_fit, no_violations


def test_it_is_accessible_and_fits(visit: Visit) -> None:
    paths = ("/search", "/search?q=vpn", "/search?q=zzzzqqq", "/search?q=nothing-like-this")
    all_fit(visit, [("alan", path) for path in paths])


def test_words_are_found_and_marked_and_lead_to_the_ticket(visit: Visit) -> None:
    page = visit("alan", "/search")
    page.get_by_label("Words, a number").fill("drops macos")
    page.get_by_role("button", name="Search", exact=True).click()
    first = page.locator("section[aria-labelledby=found-tickets] li").first
    expect(first.locator("mark").first).to_have_text("drops")
    first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("VPN drops")


def test_a_number_leads_to_its_ticket_and_the_words_to_the_queue(visit: Visit) -> None:
    page = visit("alan", "/search?q=inc1")
    expect(page.locator("section[aria-labelledby=found-tickets] a").first).to_contain_text("INC0000001")
    page = visit("alan", '/search?q=policy+"batch')
    page.get_by_role("link", name="Narrow and sort in the queue").click()
    expect(page.locator("tbody tr").first).to_contain_text("Policy batch")


def test_what_was_typed_is_shown_as_text(visit: Visit) -> None:
    page = visit("alan", "/search?q=<b>x</b>%22'&x=1")
    expect(page.get_by_label("Words, a number")).to_have_value("<b>x</b>\"'")
    no_violations(page)
