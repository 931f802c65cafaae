"""The inbox, how one is told, webhooks and deliveries in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Visit, all_fit, no_violations

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 2


PAGES = [
    ("alan", "/inbox"),
    ("alan", "/profile/notifications"),
    ("olga", "/inbox"),
    ("olga", "/inbox?show=unread"),
    ("rita", "/inbox"),
    ("adam", "/settings/webhooks"),
    ("adam", "/settings/webhooks/1"),
    ("adam", "/settings/deliveries"),
    ("adam", "/settings/deliveries?state=failed"),
    ("adam", "/settings/deliveries?q=nobody-at-all"),
]


@pytest.mark.timeout(400)
def test_pages_are_accessible_and_fit(visit: Visit) -> None:
    all_fit(visit, PAGES)


def mark(page: Page) -> str:
    return page.locator(".top .inboxmark").inner_text()


def test_the_inbox_by_keys(visit: Visit) -> None:
    page = visit("mona", "/inbox")
    unread = page.locator(".inbox .unread")
    expect(unread).to_have_count(3)
    assert "3" in mark(page)
    page.keyboard.press("j")
    expect(page.get_by_role("button", name="INC0000003 is due in 30 min", exact=True)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator(".inbox .unread")).to_have_count(2)
    assert "2" in mark(page)
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url("**/tickets/INC0000003")
    assert "1" in mark(page)
    page.goto(page.url.partition("/tickets")[0] + "/inbox")
    first = page.locator(".inbox > li").first
    expect(first).to_have_class("unread")  # what is unread stands first, whatever came later
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_text("Marked 1 as read.").first).to_be_visible()
    expect(page.locator(".inbox .unread")).to_have_count(0)
    page.get_by_role("link", name=re.compile("^Unread")).click()
    expect(page.get_by_role("heading", name="Nothing is unread")).to_be_visible()


def test_the_mark_in_the_top_bar_follows(visit: Visit) -> None:
    page = visit("ana", "/queue")
    expect(page.locator(".inboxmark .tag")).to_have_text("1 unread")
    other = visit("ana", "/inbox")
    other.get_by_role("button", name="Mark all as read").click()
    page.evaluate("htmx.ajax('GET', '/inbox/count', {target: '.inboxmark', swap: 'outerHTML'})")
    expect(page.locator(".inboxmark .tag")).to_have_count(0)


def test_the_inbox_without_scripts(visit: Visit) -> None:
    page = visit("audrey", "/inbox", script=False)
    page.get_by_role("button", name=re.compile("^INC0000001 is due")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Claims portal")


def test_preferences_are_kept(visit: Visit) -> None:
    page = visit("olga", "/profile")
    page.get_by_role("link", name="How you are told").click()
    page.get_by_label("Probes").select_option("digest")
    page.get_by_label("Quiet from").fill("22:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Quiet hours have a beginning and an end.")).to_be_visible()
    expect(page.get_by_label("Probes")).to_have_value("digest")  # nothing typed is lost
    no_violations(page)
    page.get_by_label("until", exact=True).fill("07:00")
    page.get_by_label("The digest comes at").fill("08:30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.").first).to_be_visible()
    page.reload()
    expect(page.get_by_label("Probes")).to_have_value("digest")
    expect(page.get_by_label("Quiet from")).to_have_value("22:00")
    expect(page.get_by_label("The digest comes at")).to_have_value("08:30")


def test_a_webhook_from_adding_to_retiring(visit: Visit) -> None:
    page = visit("adam", "/settings/webhooks")
    page.get_by_label("Name").fill("Watchtower")
    page.get_by_label("What reads it").select_option("json")
    page.get_by_label("Address").fill("http://10.0.0.8/very-secret")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("begins with https")).to_be_visible()
    no_violations(page)
    page.get_by_label("Address").fill("https://hooks.example.org/very-secret")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_label("The key", exact=True)).to_have_value(re.compile("^whsec_"))
    no_violations(page)
    page.goto(page.url)
    assert "very-secret" not in page.content()
    assert "whsec_" not in page.content()
    page.get_by_role("link", name="Watchtower").click()
    assert "very-secret" not in page.content()
    page.get_by_label("Name").fill("Watch " + LONG[:70])
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Changed “Watch").first).to_be_visible()
    no_violations(page)
    page.get_by_role("button", name=re.compile("^Try Watch")).click()
    expect(page.get_by_text("on its way", exact=False).first).to_be_visible()
    page.get_by_role("link", name="Deliveries").click()
    expect(page.get_by_text("Pilothouse reaches this place").first).to_be_visible()
    page.goto(page.url.partition("/settings")[0] + "/settings/webhooks")
    page.get_by_role("button", name=re.compile("^Retire Watch")).click()
    expect(page.get_by_text("Its address is forgotten.").first).to_be_visible()
    page.goto(page.url.partition("/settings")[0] + "/journal?kind=webhook")
    expect(page.get_by_text("retired").first).to_be_visible()
    assert "very-secret" not in page.content()


def test_a_failed_delivery_is_seen_and_tried_again(visit: Visit) -> None:
    page = visit("adam", "/settings/deliveries?state=failed")
    expect(page.get_by_text("The mail server said 550 no such mailbox")).to_have_count(1)
    page.get_by_role("button", name=re.compile("^Try again INC")).first.click()
    expect(page.get_by_text("It is tried again at once.").first).to_be_visible()
    page.get_by_role("button", name="Send me a test mail").click()
    expect(page.get_by_text("A mail to you is on its way.").first).to_be_visible()
    expect(page.get_by_text("Pilothouse reaches you by mail").first).to_be_visible()
