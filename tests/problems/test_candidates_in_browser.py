"""Candidates as people meet them: in two sizes and themes, by the keyboard, and without a script."""

import pytest
from playwright.sync_api import expect

from tests.browser import SIZES, Scheme, Visit, no_violations


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_pages_have_no_fault_in_two_sizes_and_themes(visit: Visit, width: int, scheme: Scheme) -> None:
    page = visit("ana", "/problems/candidates", width=width, scheme=scheme)
    no_violations(page)
    page.get_by_role("link", name="VPN drops every few minutes").click()
    expect(page.get_by_role("heading", name="What its tickets have in common")).to_be_visible()
    no_violations(page)


def test_by_the_keyboard_a_candidate_is_read_dismissed_and_brought_back(visit: Visit) -> None:
    page = visit("mona", "/problems/candidates")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Printer on floor 7")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Printer on floor 7 prints blank pages")
    page.keyboard.press("d")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Dismiss it").click()
    expect(page.get_by_text("Say why, for whoever sees it next.")).to_be_visible()
    page.get_by_label("Why is it no problem?").fill("It is scrapped in June.")
    page.get_by_role("button", name="Dismiss it").click()
    expect(page.locator("#messages").get_by_text("It is dismissed, and stays away")).to_be_visible()
    page.get_by_role("link", name="Dismissed").click()
    page.get_by_role("link", name="Printer on floor 7").click()
    expect(page.get_by_text("It is scrapped in June.")).to_be_visible()
    page.get_by_role("button", name="Bring back").click()
    expect(page.locator("#messages").get_by_text("It stands among the candidates again.")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_role("heading", name="What keeps coming back")).to_be_visible()


def test_who_only_reads_is_offered_no_act(visit: Visit) -> None:
    page = visit("audrey", "/problems/candidates", script=False)
    expect(page.get_by_role("button", name="Look now")).to_have_count(0)
    page.get_by_role("link", name="Printer on floor 7").click()
    expect(page.get_by_role("button", name="Open a problem")).to_have_count(0)
    expect(page.get_by_text("Dismiss", exact=True)).to_have_count(0)
