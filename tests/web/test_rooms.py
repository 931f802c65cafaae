"""The pages of people, configuration, portal, settings and journal in a real browser: accessible, and they fit."""

import re

import pytest
from playwright.sync_api import Page, expect

from pilothouse.people.testing import PASSWORD
from tests.browser import SIZES, Scheme, Visit, all_fit, no_violations

PAGES = [
    ("", "/sign-in"),
    ("alan", "/sign-out"),
    ("alan", "/profile"),
    ("alan", "/profile/password"),
    ("adam", "/people"),
    ("adam", "/people/new"),
    ("adam", "/people/2"),
    ("adam", "/teams"),
    ("adam", "/teams/1"),
    ("adam", "/teams/1/edit"),
    ("ana", "/cmdb"),
    ("ana", "/cmdb/cis/1"),
    ("ana", "/cmdb/cis/1/edit"),
    ("ana", "/cmdb/services"),
    ("ana", "/cmdb/services/1"),
    ("ana", "/cmdb/services/1/edit"),
    ("rita", "/portal"),
    ("rita", "/portal/raise"),
    ("rita", "/portal/raise/service/1"),
    ("rita", "/portal/tickets/INC0000001"),
    ("adam", "/settings"),
    ("adam", "/settings/priorities"),
    ("adam", "/settings/categories"),
    ("adam", "/settings/forms"),
    ("adam", "/settings/forms/1"),
    ("adam", "/settings/views"),
    ("audrey", "/journal"),
]


@pytest.mark.timeout(400)
def test_pages_are_accessible_and_fit(visit: Visit) -> None:
    all_fit(visit, PAGES)


def test_a_sign_in_that_fails_and_one_that_leads_back(visit: Visit) -> None:
    page = visit("", "/profile")
    page.get_by_label("E-mail address").fill("mona@example.org")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("is wrong")
    expect(page.get_by_label("E-mail address")).to_have_value("mona@example.org")
    no_violations(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mona Kerr")


def test_a_token_is_shown_once(visit: Visit) -> None:
    page = visit("olga", "/profile")
    page.get_by_label("What it is for").fill("night script")
    page.get_by_role("button", name="Issue the token").click()
    secret = page.get_by_label("The token", exact=True)
    expect(secret).to_have_value(re.compile(r"^ph_"))
    no_violations(page)
    value = secret.input_value()
    page.goto(page.url.replace("/tokens", ""))
    assert value not in page.content()
    page.get_by_role("button", name="Revoke night script").click()
    expect(page.get_by_text(re.compile("^revoked"))).to_be_visible()


def _resolve(page: Page, number: str, notes: str) -> None:
    page.goto(page.url.partition("/tickets")[0] + f"/tickets/{number}")
    page.get_by_text("Resolve", exact=True).first.click()
    page.locator("#resolve_resolution_code").select_option("solved")
    page.locator("#resolve_resolution_notes").fill(notes)
    page.locator("#resolve_resolution_notes").locator("xpath=ancestor::form").get_by_role("button", name="Resolve").click()
    expect(page.get_by_text(f"Resolved {number}.").first).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_requesters_whole_path(visit: Visit, width: int, scheme: Scheme) -> None:
    rita = visit("rita", "/portal", width=width, scheme=scheme)
    rita.get_by_role("link", name="Raise a request").first.click()
    rita.get_by_role("link", name=re.compile("^Remote access")).click()
    rita.get_by_label("In one line").fill("VPN asks for a code that never comes")
    rita.get_by_label("Which device?").select_option("Phone")
    rita.get_by_label("Tell us more").fill("Since this **morning**.")
    rita.get_by_role("button", name="Send").click()
    expect(rita.get_by_text("Thank you: this is").first).to_be_visible()
    number = rita.url.rpartition("/")[2]
    expect(rita.get_by_text("Phone")).to_be_visible()
    no_violations(rita)

    alan = visit("alan", f"/tickets/{number}")
    alan.locator("#compose").fill("Which number is on file?")
    alan.get_by_role("button", name="Send to the requester").click()
    expect(alan.get_by_text("Sent to the requester.").first).to_be_visible()

    rita.reload()
    expect(rita.get_by_text("Which number is on file?").first).to_be_visible()
    rita.get_by_label("Your answer").fill("The old one, I think.")
    rita.get_by_role("button", name="Send").click()
    expect(rita.get_by_text("The old one, I think.").first).to_be_visible()

    _resolve(alan, number, "New number on file.")
    rita.reload()
    expect(rita.get_by_role("heading", name="Is it solved?")).to_be_visible()
    no_violations(rita)
    rita.get_by_text("No, it is not").click()
    rita.get_by_role("button", name="Reopen").click()
    expect(rita.get_by_text("A reopened ticket says why.").first).to_be_visible()
    rita.get_by_label("Why").fill("Still no code.")
    rita.get_by_role("button", name="Reopen").click()
    expect(rita.get_by_text("Reopened. The team is told.").first).to_be_visible()

    _resolve(alan, number, "The code comes by the app now.")
    rita.reload()
    rita.get_by_role("button", name="Yes, it is solved").click()
    expect(rita.get_by_text("Thank you. The ticket is closed.").first).to_be_visible()
    expect(rita.get_by_text("It has come back")).to_be_visible()
