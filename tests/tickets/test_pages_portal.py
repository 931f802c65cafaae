"""The requester's ticket page in a real browser: what the desk says appears, what it keeps to itself does not even stir."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import SIZES, Scheme, Visit, no_violations

_LISTEN = "window.heard = []; document.addEventListener('pilothouse:live', (event) => window.heard.push(event.detail))"


def raised(visit: Visit, title: str, *, width: int = 1280, scheme: Scheme = "light") -> Page:
    """Rita's page of a ticket that she has just raised, listening."""
    rita = visit("rita", "/portal/raise/other", width=width, scheme=scheme)
    rita.get_by_label("In one line").fill(title)
    rita.locator("main form").get_by_role("button").last.click()
    rita.wait_for_url("**/portal/tickets/*")
    rita.wait_for_selector("html[data-live]", state="attached")
    rita.evaluate(_LISTEN)
    return rita


def say(desk: Page, key: str, text: str, button: str) -> None:
    desk.keyboard.press(key)
    desk.get_by_label("Text of the reply or note").fill(text)
    desk.get_by_role("button", name=button).click()
    expect(desk.locator("#talk")).to_contain_text(text)


def test_a_reply_appears_and_a_private_note_does_not_stir(visit: Visit) -> None:
    rita = raised(visit, "The scanner hums")
    number = rita.url.rsplit("/", 1)[1]
    field = rita.locator("#answer_text")
    field.fill("It hums a")
    ana = visit("ana", f"/tickets/{number}")
    say(ana, "n", "She always says so.", "Keep as a note")
    say(ana, "c", "Please switch it off.", "Send to the requester")
    expect(rita.locator("#talk")).to_contain_text("Please switch it off.")
    expect(rita.locator(".toast")).to_contain_text("There is news on this ticket")
    expect(rita.locator("main")).not_to_contain_text("She always says so.")
    expect(field).to_have_value("It hums a")
    expect(field).to_be_focused()
    heard = rita.evaluate("window.heard")
    assert [sorted(event) for event in heard if event["kind"] == "ticket"] == [["id", "kind", "record"]]


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_a_solved_ticket_asks_for_a_word(visit: Visit, width: int, scheme: Scheme) -> None:
    rita = raised(visit, f"The door beeps {width} {scheme}", width=width, scheme=scheme)
    ana = visit("ana", f"/tickets/{rita.url.rsplit('/', 1)[1]}")
    ana.locator("#acts").locator("summary", has_text="Resolve").click()
    form = ana.locator("#acts details[open] form")
    form.locator("select").last.select_option(index=1)
    form.locator("textarea").last.fill("The battery was changed.")
    form.get_by_role("button").last.click()
    expect(rita.get_by_role("heading", name="Is it solved?")).to_be_visible()
    expect(rita.locator("#portal-head")).to_contain_text("please confirm")
    no_violations(rita)
    rita.get_by_role("button", name="Yes, it is solved").click()
    expect(rita.locator("#portal-head")).to_contain_text("Closed")
