"""The import pages in a real Chromium: a file is sent, its run is followed, nothing violates accessibility or the policy."""

from pathlib import Path

import pytest

from tests.browser import SIZES, Scheme, Visit, no_violations
from tests.connectors.files import a_life, write_log


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_form_and_the_run_are_accessible(visit: Visit, tmp_path: Path, width: int, scheme: Scheme) -> None:
    page = visit("ana", "/import", width=width, scheme=scheme)
    no_violations(page)
    page.locator("#id_sources").set_input_files(write_log(tmp_path / "log.csv", a_life()))
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/import/*")
    page.get_by_text("Waiting for a worker").wait_for()
    page.wait_for_timeout(1300)  # it has asked again
    assert page.get_by_role("heading", name="Import ").count() == 1
    no_violations(page)


def test_a_fault_in_the_form_is_said_beside_it(visit: Visit, tmp_path: Path) -> None:
    page = visit("ana", "/import")
    page.locator("#id_profile").select_option("generic")
    page.locator("#id_sources").set_input_files(write_log(tmp_path / "log.csv", a_life()))
    page.get_by_role("button", name="Start").click()
    page.get_by_text("must say: system, key").wait_for()
    no_violations(page)
