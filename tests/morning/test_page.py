"""The morning review in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import SIZES, Scheme, Visit, no_violations


def line(page: Page, title: str) -> Locator:
    return page.locator(".line").filter(has_text=title).first


def current(page: Page) -> Locator:
    return page.locator(".line[data-current]")


def go_to(page: Page, title: str) -> None:
    for _ in range(20):
        page.keyboard.press("j")
        if title in current(page).inner_text():
            return
    raise AssertionError(f"no line {title}")


def toast(page: Page) -> Locator:
    return page.locator(".toast")


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_page_is_accessible_and_fits(visit: Visit, width: int, scheme: Scheme) -> None:
    page = visit("mona", "/morning", width=width, scheme=scheme)
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^Good (morning|afternoon|evening), Mona$"))
    expect(page.get_by_text("Founders' day")).to_be_visible()
    expect(page.get_by_role("heading", name="Act first")).to_be_visible()
    no_violations(page)


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_a_quiet_morning_says_that_all_is_well(visit: Visit, width: int, scheme: Scheme) -> None:
    page = visit("olga", "/morning", width=width, scheme=scheme)
    expect(page.get_by_role("heading", name="A quiet night")).to_be_visible()
    expect(page.get_by_text("A day like any other in every team's calendar.")).to_be_visible()
    no_violations(page)


def test_analysts_and_managers_begin_here_and_others_where_their_work_is(visit: Visit) -> None:
    for person, path in (("ana", "/morning"), ("mona", "/morning"), ("alan", "/queue"), ("adam", "/queue"), ("rita", "/portal")):
        page = visit(person, "/")
        assert page.url.endswith(path)
    expect(visit("ana", "/queue").get_by_role("navigation", name="Main").get_by_role("link", name="Morning")).to_be_visible()


def test_one_nudges_with_the_keyboard_and_takes_it_back(visit: Visit) -> None:
    page = visit("ana", "/morning")
    go_to(page, "Payroll export empty")
    page.keyboard.press("n")
    text = page.get_by_label("Private note")
    expect(text).to_be_focused()
    expect(text).to_have_value(re.compile(r"^@alan INC\d+: "))
    no_violations(page)
    page.get_by_role("button", name="Nudge", exact=True).click()
    done = line(page, "Payroll export empty")
    expect(done).to_have_attribute("data-done", "")
    expect(done).to_contain_text("nudged Alan Reed")
    expect(toast(page)).to_contain_text("nudged Alan Reed")
    page.reload()
    expect(line(page, "Payroll export empty")).to_contain_text("nudged Alan Reed")
    no_violations(page)
    go_to(page, "Payroll export empty")
    page.keyboard.press("x")
    expect(line(page, "Payroll export empty")).not_to_have_attribute("data-done", "")
    expect(visit("alan", "/inbox").get_by_text("Ana Lystra asks about").first).to_be_visible()


def test_an_assignment_is_done_in_place_and_undone(visit: Visit) -> None:
    page = visit("mona", "/morning")
    before = page.url
    go_to(page, "Claims portal is slow")
    page.keyboard.press("g")
    form = page.get_by_role("form", name=re.compile("^Assign INC"))
    form.get_by_role("button", name="Assign").click()
    expect(form.get_by_text("Choose a group or a person.")).to_be_visible()
    form.get_by_label("Group").select_option("Database")
    form.get_by_role("button", name="Assign").click()
    done = line(page, "Claims portal is slow")
    expect(done).to_contain_text("assigned to Database")
    assert page.url == before
    done.get_by_role("button", name=re.compile("^Take back")).click()
    expect(done).not_to_contain_text("assigned to Database")
    expect(done).to_contain_text("Network, nobody yet")


def test_raising_a_priority_begins_with_one_that_is_higher(visit: Visit) -> None:
    page = visit("mona", "/morning")
    go_to(page, "Badge reader, gate 2")
    page.keyboard.press("p")
    form = page.get_by_role("form", name=re.compile("^Raise INC"))
    expect(form.get_by_label("Impact")).to_have_value("2")
    expect(form.get_by_label("Urgency")).to_have_value("1")
    form.get_by_role("button", name="Change the priority").click()
    expect(line(page, "Badge reader, gate 2")).to_contain_text("priority is 2 now, it was 3")
    page.keyboard.press("Escape")


def test_escape_leaves_a_form_and_the_line_keeps_the_focus(visit: Visit) -> None:
    page = visit("ana", "/morning")
    go_to(page, "Core switch B flapping")
    page.keyboard.press("c")
    expect(page.get_by_label("Text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Text")).to_have_count(0)
    expect(current(page).locator(".title")).to_be_focused()


def test_an_escalation_is_acknowledged(visit: Visit) -> None:
    page = visit("ana", "/morning")
    section = page.locator("#asks-escalated")
    expect(section).to_contain_text("told Alan Reed")
    title = section.locator(".line").first.locator(".title").inner_text()
    section.get_by_role("link", name=re.compile("^Acknowledge")).first.click()
    page.get_by_role("button", name="I take it up").click()
    expect(toast(page)).to_contain_text("taken up")
    page.reload()
    expect(page.locator("#asks-escalated .line").filter(has_text=title)).to_have_count(0)


def test_without_script_a_line_is_marked_and_an_act_has_its_own_page(visit: Visit) -> None:
    page = visit("adam", "/morning", script=False)
    page.get_by_role("button", name=re.compile("^Mark INC.* as done")).first.click()
    expect(page.get_by_text("Done.", exact=True)).to_be_visible()
    expect(page.locator(".line[data-done]")).to_have_count(1)
    page.get_by_role("link", name=re.compile("^(Assign|Nudge|Acknowledge) INC")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("INC")


def test_an_auditor_reads_and_has_nothing_to_press(visit: Visit) -> None:
    page = visit("audrey", "/morning")
    expect(page.get_by_role("heading", name="Act first")).to_be_visible()
    expect(page.get_by_role("button", name="Done, start the day")).to_have_count(0)
    expect(page.locator(".line .do")).to_have_count(0)
    no_violations(page)


def test_anothers_change_appears_and_nothing_shifts(visit: Visit) -> None:
    ana = visit("ana", "/morning")
    ana.wait_for_selector("html[data-live]", state="attached")
    script = """() => new Promise(done => new PerformanceObserver(list => done(list.getEntries().reduce((sum, one) => sum + one.value, 0)))
        .observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 300))"""
    assert ana.evaluate(script) < 0.01
    go_to(ana, "Core switch B flapping")
    mona = visit("mona", "/morning")
    go_to(mona, "Core switch B flapping")
    mona.keyboard.press("g")
    form = mona.get_by_role("form", name=re.compile("^Assign INC"))
    form.get_by_label("Assignee").fill("alan@example.org")
    form.get_by_role("button", name="Assign").click()
    expect(line(mona, "Core switch B flapping")).to_contain_text("assigned to Alan Reed")
    expect(line(ana, "Core switch B flapping")).to_contain_text("Alan Reed")
    expect(current(ana)).to_contain_text("Core switch B flapping")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_time_of_the_mail_is_set_and_taken_back(visit: Visit, width: int) -> None:
    page = visit("mona", "/morning", width=width)
    page.locator("summary", has_text="Send").click()
    page.locator("#mail_at").fill("07:15")
    page.get_by_label("Fri").uncheck()
    no_violations(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("You are mailed the review at 07:15, Mon to Thu.").first).to_be_visible()
    page.locator("summary", has_text="Send").click()
    expect(page.locator("#mail_at")).to_have_value("07:15")
    page.get_by_role("button", name="Never").click()
    expect(page.get_by_text("You are not mailed the review any more.").first).to_be_visible()


def test_the_pdf_is_downloaded_and_the_mail_lands_in_the_inbox(visit: Visit) -> None:
    page = visit("mona", "/morning")
    page.locator("summary", has_text="Send").click()
    with page.expect_download() as waited:
        page.get_by_role("link", name="PDF").click()
    assert re.fullmatch(r"morning-\d{4}-\d\d-\d\d\.pdf", waited.value.suggested_filename)
    page.get_by_role("button", name="Mail it to me now").click()
    expect(page.get_by_text("It is on its way").first).to_be_visible()
    page.goto(page.url.replace("/morning", "/inbox"))
    expect(page.get_by_text(re.compile("^Morning review: ")).first).to_be_visible()


def test_done_starts_the_day_and_the_next_review_counts_from_there(visit: Visit) -> None:
    page = visit("alan", "/morning")
    expect(page.locator(".sinceline")).to_contain_text("· Network")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(".line[data-done]")).to_have_count(1)
    expect(page.locator("[data-progress]")).to_contain_text("1 done")
    page.get_by_role("button", name="Done, start the day").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Done. Have a good day")
    expect(page.get_by_role("heading", name="Done in it")).to_be_visible()
    no_violations(page)
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("since your last review")).to_be_visible()
