"""A ticket's clocks where people meet them: in the queue, beside the ticket, as a proof; and an escalation taken up. In a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import SIZES, Scheme, Visit, no_violations

pytestmark = pytest.mark.timeout(300)


def _open(page: Page, title: str) -> None:
    page.get_by_role("link", name=title).first.click()
    expect(page.get_by_role("heading", name="Service levels")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_queue_counts_down_and_the_proof_adds_up(visit: Visit, width: int, scheme: Scheme) -> None:
    page = visit("ana", "/queue?q=is:timed+sort:due", width=width, scheme=scheme)
    first = page.locator("tbody tr").first
    expect(first.locator(".clock.danger b")).to_have_text(re.compile(r"^-\d+(m|h|h\d\d)$"))
    no_violations(page)
    page.goto(page.url.partition("/queue")[0] + "/queue?q=%22Badge+reader%22")
    _open(page, "Badge reader, gate 2")
    no_violations(page)
    page.get_by_role("link", name="Proof").click()
    resolution = page.locator("section", has=page.get_by_role("heading", name="Resolution", exact=True))
    expect(resolution).to_contain_text("is paused")
    expect(resolution).to_contain_text("put it on hold")
    expect(resolution.locator("tbody tr").first).to_contain_text("running")
    expect(resolution).to_contain_text("1 h")  # an hour was counted before the hold
    expect(page.get_by_role("heading", name="No Operational level (OLA) clock")).to_be_visible()
    expect(page.get_by_text("Incidents has no target of this kind.").first).to_be_visible()
    no_violations(page)


def test_an_escalation_is_taken_up_beside_its_ticket(visit: Visit) -> None:
    page = visit("ana", "/queue?q=is:escalated")
    expect(page.locator("tbody tr").first).to_be_visible()
    before = page.locator("tbody tr").count()
    page.locator("tbody tr .col-title a").first.click()
    page.get_by_role("button", name="Acknowledge").first.click()
    expect(page.locator("#talk").get_by_text("took the escalation up").first).to_be_visible()
    page.goto(page.url.partition("/tickets")[0] + "/queue?q=is:escalated")
    expect(page.locator(".board, .empty").first).to_be_visible()
    assert page.locator("tbody tr").count() <= before


def test_a_ticket_without_a_clock_says_why(visit: Visit) -> None:
    page = visit("ana", "/queue?q=kind:request")
    if page.locator("tbody tr").count():
        page.locator("tbody tr .col-title a").first.click()
    else:
        page = visit("ana", "/queue?q=state:cancelled")
        page.locator("tbody tr .col-title a").first.click()
    page.get_by_role("link", name=re.compile("Proof|Why")).first.click()
    expect(page.get_by_role("heading", name=re.compile("clock$")).first).to_be_visible()
