"""The frame of every page, in a real browser: design system, palette, keys, colours, error pages, policy."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Visit, all_fit, no_violations


def test_pages_are_accessible_and_fit(visit: Visit) -> None:
    all_fit(visit, [("ana", "/design"), ("ana", "/no-such-page")])


def test_a_stranger_meets_an_error_page_too(visit: Visit) -> None:
    page = visit("", "/no-such-page")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    no_violations(page)


def test_what_is_pale_or_hangs_out_would_be_found(visit: Visit) -> None:
    page = visit("ana", "/no-such-page")
    page.evaluate("document.querySelector('#main').append(Object.assign(document.createElement('p'), {textContent: 'Here'}))")
    page.evaluate("document.querySelector('#main').lastElementChild.style.cssText = 'color: #bbb; background: #fff'")
    with pytest.raises(AssertionError, match="color-contrast"):
        no_violations(page)
    page.evaluate("document.querySelector('#main').lastElementChild.style.cssText = 'width: 2000px'")
    with pytest.raises(AssertionError, match="scrolls sideways"):
        no_violations(page)


def test_the_policy_lets_nothing_inline_run(visit: Visit) -> None:
    page = visit("ana", "/design")
    answer = page.request.get(page.url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert page.evaluate("document.querySelectorAll('script:not([src]), style, [style], [onclick]').length") == 0


def test_skip_link_is_first_and_leads_to_the_content(visit: Visit) -> None:
    page = visit("ana", "/design")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_palette_goes_to_a_ticket_by_its_bare_number(visit: Visit) -> None:
    page = visit("ana", "/design")
    page.keyboard.press("Control+k")
    page.keyboard.type("7")
    expect(page.locator("#palette").get_by_role("option").first).to_contain_text("INC0000007")
    no_violations(page, "#palette")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tickets/INC0000007")


def test_palette_offers_views_pages_and_the_pages_own_keys(visit: Visit) -> None:
    page = visit("ana", "/queue")
    page.keyboard.press("Control+k")
    page.keyboard.type("resolved")
    expect(page.locator("#palette").get_by_role("option").first).to_contain_text("Resolved lately")
    page.get_by_role("combobox", name="Go to").fill("next tick")
    expect(page.locator("#palette").get_by_role("option").first).to_contain_text("Next ticket")
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).not_to_be_visible()


def test_question_mark_lists_the_keys_and_single_keys_can_be_switched_off(visit: Visit) -> None:
    page = visit("ana", "/queue")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Assign to me")
    no_violations(page, "dialog[open]")
    dialog.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(dialog).not_to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_colours_are_chosen_with_or_without_script(visit: Visit, script: bool) -> None:
    page = visit("ana", "/design", script=script)
    _choose_dark(page)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.url.endswith("/design")


def _choose_dark(page: Page) -> None:
    page.locator("summary", has=page.locator(".me")).click()
    page.get_by_role("button", name="Dark").click()


def test_a_requester_is_told_why_the_queue_is_closed(visit: Visit) -> None:
    page = visit("rita", "/queue")
    expect(page.get_by_role("heading", level=1)).to_have_text("You may not do that")
    no_violations(page)


def test_a_form_without_its_token_is_refused_in_words(visit: Visit) -> None:
    page = visit("ana", "/design")
    page.locator("input[name=csrfmiddlewaretoken]").first.evaluate("field => field.remove()")
    _choose_dark(page)
    expect(page.locator("main")).to_contain_text("This form was open too long or came from another site.")
    no_violations(page)


def test_choosing_colours_leads_to_no_other_site(visit: Visit) -> None:
    page = visit("ana", "/design")
    page.locator("input[name=next]").first.evaluate("field => { field.value = 'https://evil.example/' }")
    _choose_dark(page)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert "evil" not in page.url


def test_on_a_phone_every_room_is_two_taps_away(visit: Visit) -> None:
    page = visit("ana", "/design", width=390)
    more = page.get_by_role("navigation", name="Main").locator(".more")
    expect(more.get_by_role("link")).to_have_count(0)
    more.locator("summary").click()
    for room in ("Problems", "Changes", "Configuration", "People", "Service levels"):
        expect(more.get_by_role("link", name=room)).to_be_in_viewport(ratio=1)
    no_violations(page)
    more.get_by_role("link", name="Changes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Changes")
