"""The queue in a real browser: accessible, workable without the mouse and without script, live."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import SIZES, Scheme, Visit, all_fit, no_violations

ALL = "/queue?q=sort:number"


def row(page: Page, number: str) -> Locator:
    return page.locator(f'tr[data-number="{number}"]')


def current(page: Page) -> Locator:
    return page.locator("tr[data-current]")


def toast(page: Page) -> Locator:
    return page.locator(".toast")


def box(page: Page) -> Locator:
    return page.locator("dialog[open]")


def go_to(page: Page, number: str) -> None:
    """Walk down with j until the ticket is the current one."""
    for _ in range(60):
        if current(page).get_attribute("data-number") == number:
            return
        page.keyboard.press("j")
    raise AssertionError(f"{number} was not reached")


PAGES = ["/queue", ALL, "/queue?q=stat:open", "/queue?q=title:nothing-like-this", "/queue?q=&columns=number,held,tag,ci"]


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_it_is_accessible_and_fits(visit: Visit, width: int, scheme: Scheme) -> None:
    def look(page: Page, path: str) -> None:
        if path == ALL and width == 1280:
            expect(page.locator("#preview")).to_contain_text("INC0000001")

    all_fit(visit, [("alan", path) for path in PAGES], sizes=[(width, scheme)], look=look)


def test_a_selection_and_its_dialogs_are_accessible(visit: Visit) -> None:
    page = visit("alan", ALL)
    page.keyboard.press("x")
    no_violations(page)
    for key in "gphcr":
        page.keyboard.press(key)
        expect(page.locator("dialog[open]")).to_be_visible()
        no_violations(page, "dialog[open]")
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)  # a key that comes before it is closed goes to it


def test_triage_without_the_mouse(visit: Visit) -> None:
    page = visit("alan", ALL)
    go_to(page, "INC0000005")
    expect(row(page, "INC0000005").locator(".col-title a")).to_be_focused()
    page.keyboard.press("a")
    expect(toast(page)).to_contain_text("Assigned INC0000005 to you.")
    expect(row(page, "INC0000005")).to_contain_text("Alan Reed")
    page.keyboard.press("p")
    box(page).get_by_label("Impact", exact=True).select_option("1")
    box(page).get_by_label("Urgency", exact=True).select_option("1")
    box(page).get_by_role("button", name="Change").click()
    expect(row(page, "INC0000005").locator(".prio")).to_have_class(re.compile("p1"))
    page.keyboard.press("h")
    box(page).get_by_label("Waiting for", exact=True).select_option("vendor")
    box(page).get_by_role("button", name="Put on hold").click()
    expect(row(page, "INC0000005")).to_contain_text("on hold: vendor")
    page.keyboard.press("c")
    box(page).get_by_label("Text", exact=True).fill("We have asked the maker.")
    box(page).get_by_role("button", name="Send").click()
    expect(toast(page)).to_contain_text("Commented on INC0000005.")
    page.keyboard.press("r")
    box(page).get_by_label("Resolution", exact=True).select_option("solved")
    box(page).get_by_label("What was done", exact=True).fill("New client.")
    box(page).get_by_role("button", name="Resolve", exact=True).click()
    expect(row(page, "INC0000005")).to_contain_text("resolved")
    expect(row(page, "INC0000005").locator(".col-title a")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/tickets/INC0000005")
    expect(page.locator("#journal")).to_contain_text("We have asked the maker.")


def test_undo_takes_the_last_action_back(visit: Visit) -> None:
    page = visit("alan", ALL)
    go_to(page, "INC0000008")
    expect(row(page, "INC0000008")).not_to_contain_text("Alan Reed")
    page.keyboard.press("a")
    expect(row(page, "INC0000008")).to_contain_text("Alan Reed")
    page.keyboard.press("u")
    expect(toast(page)).to_contain_text("Undone on INC0000008.")
    expect(row(page, "INC0000008")).not_to_contain_text("Alan Reed")
    page.keyboard.press("u")
    expect(toast(page)).to_contain_text("There is nothing to undo.")


def test_a_bulk_action_says_which_tickets_refused_and_why(visit: Visit) -> None:
    page = visit("alan", ALL)
    go_to(page, "INC0000009")
    page.keyboard.press("r")
    box(page).get_by_label("Resolution", exact=True).select_option("solved")
    box(page).get_by_label("What was done", exact=True).fill("Done.")
    box(page).get_by_role("button", name="Resolve", exact=True).click()
    expect(row(page, "INC0000009")).to_contain_text("resolved")
    for number in ("INC0000009", "INC0000010", "INC0000011"):
        go_to(page, number)
        page.keyboard.press("x")
    expect(page.locator("[data-selected-count]")).to_have_text("3 selected")
    page.keyboard.press("h")
    box(page).get_by_label("Waiting for", exact=True).select_option("change")
    box(page).get_by_role("button", name="Put on hold").click()
    result = page.locator("#act-result")
    expect(result).to_contain_text("Put 2 tickets on hold. 1 refused.")
    expect(result).to_contain_text("INC0000009: Resolved does not lead to on hold.")
    no_violations(page, "#act-result")
    result.get_by_role("button", name="Close").click()
    expect(row(page, "INC0000010")).to_contain_text("on hold: change")
    page.keyboard.press("u")
    expect(row(page, "INC0000010")).not_to_contain_text("on hold")


def test_a_refusal_stays_beside_its_form_with_what_was_typed(visit: Visit) -> None:
    page = visit("alan", ALL)
    go_to(page, "INC0000012")
    page.keyboard.press("r")
    box(page).get_by_label("What was done", exact=True).fill("Half of it.")
    dialog = box(page)
    dialog.get_by_role("button", name="Resolve", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("A resolved ticket has a resolution code.")
    expect(box(page).get_by_label("What was done", exact=True)).to_have_value("Half of it.")


def test_the_same_without_script(visit: Visit) -> None:
    page = visit("alan", ALL, script=False)
    page.get_by_label("Select INC0000014").check()
    page.get_by_label("Select INC0000017").check()
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Put on hold: 2 tickets")
    page.get_by_role("button", name="Put on hold").click()
    expect(page.locator("main")).to_contain_text("A hold needs its reason.")
    page.locator("main").get_by_label("Waiting for", exact=True).select_option("caller")
    page.get_by_role("button", name="Put on hold").click()
    expect(page.get_by_role("status").filter(has_text="Put 2 tickets on hold.")).to_be_visible()
    expect(row(page, "INC0000014")).to_contain_text("on hold: caller")


def test_a_wrong_word_gets_a_caret_and_a_suggestion(visit: Visit) -> None:
    page = visit("alan", "/queue?q=grop:network")
    expect(page.locator(".query-error .caret")).to_have_text("^^^^")
    page.get_by_role("alert").get_by_role("link", name="group").click()
    expect(page.get_by_label("Query")).to_have_value("group:network")
    expect(row(page, "INC0000070")).to_be_visible()


def test_the_query_is_completed_as_one_types(visit: Visit) -> None:
    page = visit("alan", ALL)
    page.keyboard.press("/")
    field = page.get_by_label("Query")
    field.fill("")
    field.press_sequentially("pri")
    option = page.locator("#q-list [role=option]").first
    expect(option).to_contain_text("priority:")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value("priority:")
    field.press_sequentially("1 group:netw")
    expect(page.locator("#q-list [role=option]").first).to_contain_text("Network")
    no_violations(page, ".querybar")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("group%3ANetwork"))
    expect(page.locator("tbody .prio").first).to_have_class(re.compile("p1"))


def test_the_query_is_clicked_together(visit: Visit) -> None:
    page = visit("alan", "/queue?q=tag:vpn")
    page.locator("summary", has_text="Priority").click()
    page.get_by_role("link", name="1 and 2").click()
    expect(page.get_by_label("Query")).to_have_value("tag:vpn priority<=2")
    page.get_by_role("link", name="Remove tag:vpn").click()
    expect(page.get_by_label("Query")).to_have_value("priority<=2")


def test_pages_go_older_and_back_by_keys_of_the_list(visit: Visit) -> None:
    page = visit("alan", ALL)
    expect(page.locator("tbody tr")).to_have_count(50)
    page.get_by_role("link", name="More").click()
    expect(row(page, "INC0000051")).to_be_visible()
    expect(page.locator(".board .bar")).to_contain_text(re.compile(r"51 to (\d+) of \1"))  # other tests open tickets too
    page.get_by_role("link", name="Back").click()
    expect(row(page, "INC0000001")).to_be_visible()


def test_columns_are_chosen_and_a_view_is_kept(visit: Visit) -> None:
    page = visit("olga", "/queue?q=tag:vpn")
    page.locator("summary", has_text="Columns").click()
    page.locator(".columnlist").get_by_label("Channel").check()
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("columnheader", name="Channel")).to_be_visible()
    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name of the view").fill("VPN by channel")
    page.get_by_role("button", name="Save this query").click()
    tab = page.get_by_role("navigation", name="Views").get_by_role("link", name="VPN by channel")
    expect(tab).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("columnheader", name="Channel")).to_be_visible()
    page.locator("summary", has_text="Save view").click()
    page.get_by_role("button", name="Remove “VPN by channel”").click()
    expect(tab).to_have_count(0)


def test_sorting_is_a_link_on_the_head_of_a_column(visit: Visit) -> None:
    page = visit("alan", "/queue?q=tag:vpn")
    page.get_by_role("columnheader", name="Title").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Title")).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_label("Query")).to_have_value("tag:vpn sort:title")


def test_an_auditor_reads_and_cannot_act(visit: Visit) -> None:
    page = visit("audrey", ALL)
    expect(page.locator("tbody tr").first).to_be_visible()
    assert page.locator(".pick input").count() == 0
    no_violations(page)
    page.keyboard.press("a")
    expect(toast(page)).to_have_count(0)


def _until_seen(alan: Page, mona: Page, urgency: str, priority: str) -> float:
    """Let Mona change the priority, and say after how many seconds Alan's row shows it."""
    mona.keyboard.press("p")
    box(mona).get_by_label("Impact", exact=True).select_option("1")
    box(mona).get_by_label("Urgency", exact=True).select_option(urgency)
    before = time.monotonic()
    box(mona).get_by_role("button", name="Change").click()
    expect(row(alan, "INC0000021").locator(".prio")).to_have_class(re.compile(priority))
    seconds = time.monotonic() - before
    expect(box(mona)).to_have_count(0)
    return seconds


def test_anothers_change_appears_within_a_second_and_nobody_loses_their_place(visit: Visit) -> None:
    alan = visit("alan", ALL)
    alan.wait_for_selector("html[data-live]", state="attached")
    go_to(alan, "INC0000021")
    alan.keyboard.press("x")
    alan.keyboard.press("/")
    alan.keyboard.type(" and")
    mona = visit("mona", ALL)
    go_to(mona, "INC0000021")
    seconds = [_until_seen(alan, mona, urgency, priority) for urgency, priority in (("1", "p1"), ("2", "p2"), ("3", "p3"))]
    assert min(seconds) < 1.0
    expect(alan.get_by_label("Query")).to_be_focused()
    expect(alan.get_by_label("Query")).to_have_value("sort:number and")
    expect(alan.get_by_label("Select INC0000021")).to_be_checked()
    expect(current(alan)).to_have_attribute("data-number", "INC0000021")


def test_new_tickets_wait_behind_a_quiet_button(visit: Visit) -> None:
    alan = visit("alan", "/queue?q=title:brand-new-thing OR title:boiling sort:-opened")
    alan.wait_for_selector("html[data-live]", state="attached")
    top = alan.evaluate("document.querySelector('.board').getBoundingClientRect().top")
    mona = visit("mona", "/tickets/new")
    for title in ("Kettle brand-new-thing", "Kettle is boiling"):
        mona.goto(mona.url.split("/tickets")[0] + "/tickets/new")
        mona.get_by_label("Title").fill(title)
        mona.get_by_role("button", name="Open the ticket").click()
        mona.wait_for_url(re.compile("/tickets/INC"))
    fresh = alan.get_by_role("button", name="2 new")
    expect(fresh).to_be_visible()
    assert alan.evaluate("document.querySelector('.board').getBoundingClientRect().top") == top
    fresh.click()
    expect(alan.locator("tbody tr")).to_have_count(2)


def test_nothing_shifts_while_the_page_loads(visit: Visit) -> None:
    page = visit("alan", ALL)
    page.wait_for_selector("html[data-live]", state="attached")
    expect(page.locator("#preview h2")).to_be_visible()
    script = """() => new Promise(done => new PerformanceObserver(list => done(list.getEntries().reduce((sum, one) => sum + one.value, 0)))
        .observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 300))"""
    assert page.evaluate(script) < 0.01


@pytest.mark.parametrize(("kind", "start"), [("csv", b'\xef\xbb\xbf"Priority"'), ("xlsx", b"PK")])
def test_the_query_is_exported_with_its_columns(visit: Visit, kind: str, start: bytes) -> None:
    page = visit("alan", "/queue?q=priority:1")
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as waited:
        page.get_by_role("link", name={"csv": "CSV", "xlsx": "Excel"}[kind]).click()
    assert waited.value.suggested_filename.endswith(f".{kind}")
    content = Path(waited.value.path()).read_bytes()
    assert content.startswith(start) and (kind != "csv" or (b'"Opened (' in content and b'"CI"' in content))
