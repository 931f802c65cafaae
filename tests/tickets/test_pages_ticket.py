"""The ticket page in a real browser: facts, conversation, journal, quick actions, two people at once."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import Visit, all_fit, no_violations


def act(page: Page, name: str) -> Locator:
    """Open a quick action's form and give it."""
    page.locator("#acts").locator("summary", has_text=re.compile(f"^{name}")).click()
    return page.locator("#acts details[open] form")


FIRST = "/tickets/INC0000001"
OTHERS = [f"{FIRST}/edit", "/tickets/new", f"{FIRST}?show=comments"]


def test_it_is_accessible_and_fits(visit: Visit) -> None:
    all_fit(visit, [("alan", path) for path in (FIRST, *OTHERS)])


@pytest.mark.parametrize("width", [1280, 390])
def test_every_quick_action_is_accessible_when_open(visit: Visit, width: int) -> None:
    page = visit("alan", "/tickets/INC0000022", width=width)
    for name in ("Resolve", "Put on hold", "Assign", "Change the priority", "Cancel ticket", "Merge"):
        act(page, name)
        no_violations(page, "#acts details[open]")
        page.keyboard.press("Escape")


def test_a_note_is_private_and_looks_so(visit: Visit) -> None:
    page = visit("alan", "/tickets/INC0000024")
    page.keyboard.press("n")
    expect(page.get_by_label("Text of the reply or note")).to_be_focused()
    page.keyboard.type("Between us: the <b>gateway</b> is old.")
    no_violations(page, ".composer")
    page.get_by_role("button", name="Keep as a note").click()
    said = page.locator(".said.private").first
    expect(said).to_contain_text("private note")
    expect(said).to_contain_text("Between us: the <b>gateway</b> is old.")
    page.keyboard.press("c")
    page.keyboard.type("We are **on** it.")
    page.get_by_role("button", name="Send to the requester").click()
    reply = page.locator(".said:not(.private)").first
    expect(reply).to_contain_text("seen by the requester")
    expect(reply.locator("strong")).to_have_text("on")


def test_a_draft_survives_a_reload_until_it_is_sent(visit: Visit) -> None:
    page = visit("alan", "/tickets/INC0000025")
    field = page.get_by_label("Text of the reply or note")
    field.fill("A long answer, half wri")
    page.reload()
    expect(field).to_have_value("A long answer, half wri")
    page.get_by_role("button", name="Send to the requester").click()
    expect(page.locator(".said").first).to_contain_text("A long answer, half wri")
    page.reload()
    expect(field).to_have_value("")


def test_a_mention_is_completed_and_makes_a_watcher(visit: Visit) -> None:
    page = visit("alan", "/tickets/INC0000026")
    page.keyboard.press("n")
    page.keyboard.type("Please look, @ol")
    expect(page.get_by_role("option", name="Olga Petrov")).to_be_visible()
    no_violations(page, ".composer")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Text of the reply or note")).to_have_value("Please look, @olga ")
    page.get_by_role("button", name="Keep as a note").click()
    expect(page.locator("#facts")).to_contain_text("Olga Petrov")


def test_the_journal_is_filtered_by_kind_and_by_verb(visit: Visit) -> None:
    page = visit("alan", "/tickets/INC0000001")
    lines = page.locator("#talk > ol > li")
    expect(lines.first).to_be_visible()
    everything = lines.count()
    page.get_by_role("link", name="Comments").click()
    expect(page.get_by_role("link", name="Comments")).to_have_attribute("aria-current", "true")
    expect(lines).to_have_count(2)
    page.get_by_role("navigation", name="Filter the journal").get_by_role("link", name="Changes").click()
    expect(lines).to_have_count(everything - 2)
    page.locator("summary", has_text="Verb").click()
    page.get_by_role("link", name="put it on hold").click()
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("Ana Lystra put it on hold: waiting for a vendor")


def test_a_guard_says_what_is_missing_beside_its_form(visit: Visit) -> None:
    page = visit("alan", "/tickets/INC0000028")
    form = act(page, "Resolve")
    form.get_by_label("What was done").fill("Half of it")
    form.get_by_role("button", name="Resolve").click()
    form = page.locator("#acts details[open] form")
    expect(form).to_contain_text("A resolved ticket has a resolution code.")
    expect(form.get_by_label("What was done")).to_have_value("Half of it")
    no_violations(page, "#acts details[open]")
    form.get_by_label("Resolution").select_option("solved")
    form.get_by_role("button", name="Resolve").click()
    expect(page.locator("#ticket-head")).to_contain_text("resolved")


def test_a_ticket_lives_from_taking_to_follow_up(visit: Visit) -> None:
    page = visit("ana", "/tickets/INC0000029")
    page.keyboard.press("a")
    expect(page.locator("#facts")).to_contain_text("Ana Lystra")
    page.keyboard.press("s")
    expect(page.locator("#ticket-head")).to_contain_text("in progress")
    page.keyboard.press("r")
    form = page.locator("#acts details[open] form")
    form.get_by_label("Resolution").select_option("solved")
    form.get_by_label("What was done").fill("New cable.")
    form.get_by_role("button", name="Resolve").click()
    reopen = act(page, "Reopen")
    reopen.get_by_role("button").click()
    expect(page.locator("#acts details[open] form")).to_contain_text("A reopened ticket says why.")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#ticket-head")).to_contain_text("closed")
    follow = act(page, "Raise a follow-up")
    follow.get_by_label("What is wrong now").fill("The new cable broke.")
    follow.get_by_role("button").click()
    expect(page.locator("#links")).to_contain_text("follows up")
    expect(page.locator("#links")).to_contain_text("INC0000029")


def test_two_people_edit_at_once_and_nothing_typed_is_lost(visit: Visit) -> None:
    alan, mona = visit("alan", "/tickets/INC0000031/edit"), visit("mona", "/tickets/INC0000031/edit")
    mona.get_by_label("Title").fill("The title of Mona")
    mona.get_by_label("Category", exact=True).fill("Network")
    mona.get_by_role("button", name="Save").click()
    mona.wait_for_url(re.compile("/INC0000031$"))
    alan.get_by_label("Title").fill("The title of Alan")
    alan.get_by_label("Tags").fill("vpn, slow")
    alan.get_by_role("button", name="Save").click()
    sides = alan.locator("table.sides")
    expect(sides.get_by_role("row", name=re.compile("^Title"))).to_contain_text("The title of Mona")
    expect(alan.get_by_label("My title")).to_have_value("The title of Alan")
    expect(alan.get_by_label("My tags")).to_have_value("vpn, slow")
    expect(alan.locator("main")).to_contain_text("Category: nothing → Network")
    no_violations(alan)
    sides.get_by_role("radio", name="The title of Mona").check()
    alan.get_by_role("button", name="Save my choice").click()
    alan.wait_for_url(re.compile("/INC0000031$"))
    expect(alan.get_by_role("heading", level=1)).to_have_text("The title of Mona")
    expect(alan.locator("#facts")).to_contain_text("Network")
    expect(alan.locator("#facts")).to_contain_text("slow")


def test_anothers_change_appears_and_typing_stays(visit: Visit) -> None:
    alan = visit("alan", "/tickets/INC0000034")
    alan.wait_for_selector("html[data-live]", state="attached")
    field = alan.get_by_label("Text of the reply or note")
    field.fill("I am still wri")
    ana = visit("ana", "/tickets/INC0000034")
    form = act(ana, "Put on hold")
    form.get_by_label("Waiting for").select_option("vendor")
    form.get_by_role("button", name="Put on hold").click()
    expect(alan.locator("#ticket-head")).to_contain_text("on hold: vendor")
    expect(field).to_be_focused()
    expect(field).to_have_value("I am still wri")


def test_links_are_made_and_taken_back(visit: Visit) -> None:
    page = visit("alan", "/tickets/INC0000037")
    page.locator("summary", has_text="Add a link").click()
    page.locator("#links").get_by_label("Ticket", exact=True).fill("INC0000040")
    page.get_by_role("button", name="Link", exact=True).click()
    expect(page.locator("#links")).to_contain_text("relates to")
    page.get_by_role("button", name="Remove the link to INC0000040").click()
    expect(page.locator("#links")).not_to_contain_text("INC0000040")
    page.locator("summary", has_text="Add a link").click()
    page.locator("#links").get_by_label("or address").fill("javascript:alert(1)")
    page.get_by_role("button", name="Link", exact=True).click()
    expect(page.locator("#links")).to_contain_text("This is not a web address.")


def test_a_duplicate_is_merged(visit: Visit) -> None:
    page = visit("alan", "/tickets/INC0000043")
    form = act(page, "Merge")
    form.get_by_label("Into ticket").fill("INC0000046")
    form.get_by_role("button").click()
    page.wait_for_url(re.compile("/INC0000046$"))
    expect(page.locator("#links")).to_contain_text("INC0000043")


def test_files_come_back_as_downloads_only(visit: Visit, tmp_path: Path) -> None:
    page = visit("alan", "/tickets/INC0000049")
    hostile = tmp_path / "page.html"
    hostile.write_text("<script>alert(1)</script>")
    page.get_by_label("Attach a file").set_input_files(hostile)
    page.get_by_role("button", name="Send to the requester").click()
    link = page.locator("#files").get_by_role("link", name="page.html")
    answer = page.request.get(page.url.partition("/tickets")[0] + str(link.get_attribute("href")))
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"].startswith("text/plain")
    empty = tmp_path / "program.exe"
    empty.write_bytes(b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" + bytes(200))
    page.get_by_label("Attach a file").set_input_files(empty)
    page.get_by_role("button", name="Send to the requester").click()
    expect(page.get_by_role("alert").first).to_contain_text("Files of this type are not taken")


def test_similar_tickets_and_those_on_the_same_ci_stand_beside(visit: Visit) -> None:
    page = visit("alan", "/tickets/new")
    for _ in range(2):
        page.goto(page.url.split("/tickets")[0] + "/tickets/new")
        page.get_by_label("Title").fill("Zeppelin hangar lift jammed")
        page.get_by_label("Configuration item").fill("vpn-gw-01")
        page.get_by_role("button", name="Open the ticket").click()
        page.wait_for_url(re.compile("/tickets/INC"))
    expect(page.locator("#similar")).to_contain_text("Zeppelin hangar lift jammed")
    expect(page.get_by_role("region", name="Same configuration item")).to_contain_text("INC")


def test_who_may_not_change_it_reads_it(visit: Visit) -> None:
    page = visit("audrey", "/tickets/INC0000001")
    expect(page.locator("#journal")).to_contain_text("Looks like the client.")
    assert page.locator("#acts button, #acts summary, .composer").count() == 0
    no_violations(page)
    olga = visit("olga", "/tickets/INC0000052")
    assert olga.locator("#acts summary").count() == 0
    expect(olga.locator(".composer")).to_be_visible()


def test_a_stranger_signs_in_first_and_an_unknown_number_is_not_found(visit: Visit) -> None:
    page = visit("", "/tickets/INC0000001")
    assert "/sign-in" in page.url
    page = visit("alan", "/tickets/INC9999999")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")


def test_everything_works_without_script(visit: Visit) -> None:
    page = visit("alan", "/tickets/INC0000055", script=False)
    page.get_by_label("Text of the reply or note").fill("Plain form.")
    page.locator("label.note").click()
    page.locator(".composer button").click()
    expect(page.locator(".said.private").first).to_contain_text("Plain form.")
    act(page, "Put on hold").get_by_role("button").click()
    expect(page.locator("#acts")).to_contain_text("A hold needs its reason.")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Title").fill("Without script")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Without script")
