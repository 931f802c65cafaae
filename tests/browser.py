"""Fixtures for tests in a real Chromium: a served site, one browser, pages of named people.

A test package takes them by `from tests.browser import *` in its conftest. Each page is watched: an error in the console (a broken policy
among them), a failed script or a request to another address fails the test at its end.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, groupby
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, expect, sync_playwright

from pilothouse.platform.testing import cluster

__all__ = [
    "SIZES",
    "Scheme",
    "Site",
    "Visit",
    "Watched",
    "all_fit",
    "chromium",
    "go_on",
    "new_database",
    "no_violations",
    "served",
    "site",
    "visit",
]

Scheme = Literal["light", "dark"]
SIZES: list[tuple[int, Scheme]] = [(1280, "light"), (390, "dark")]  # each width and each theme once
expect.set_options(timeout=20_000)  # a busy machine is no fault of the page
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(frozen=True)
class Site:
    """Where the site is, and a session for each person."""

    url: str
    sessions: dict[str, str]


@dataclass
class Watched:
    """A window, the site it belongs to for now, and what went wrong in it."""

    page: Page
    script: bool
    url: str = ""
    faults: list[str] = field(default_factory=list)


_numbers = count()


def new_database(purpose: str) -> str:
    """Make a migrated, empty database on the session's server and return its address."""
    return cluster.new_database(f"{purpose}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}_{next(_numbers)}")


@contextmanager
def served(folder: Path, module: str = "tests.serve_site") -> Iterator[Site]:
    """Serve a site until the block ends; `module` is the program that seeds it and serves."""
    errors = folder / "errors.log"
    environment = {**os.environ, "DATABASE_URL": new_database("browser"), "PILOTHOUSE_DATA": str(folder), "PILOTHOUSE_HOSTS": "127.0.0.1"}
    command = [sys.executable, "-m", module]
    root = Path(__file__).parent.parent
    with (
        errors.open("w") as log,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, cwd=root) as server,
    ):
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            assert line, f"the site did not start:\n{errors.read_text()[-4000:]}"
            told = json.loads(line)
            yield Site(f"http://127.0.0.1:{told['port']}", told["sessions"])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# As root there is no sandbox; without a graphics card drawing by software costs more than the pages; and nothing leaves the machine.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
]


@contextmanager
def _browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        _idle.clear()
        browser.close()


# Each test package has the fixtures as its own; what stands behind them is one for the whole session.
_open: dict[str, tuple[Any, ExitStack]] = {}
_users: Counter[str] = Counter()


def _shared(name: str, start: Callable[[], AbstractContextManager[Any]]) -> Iterator[Any]:
    """Start something for its first user, hand it to the others, and end it with the last."""
    if name not in _open:
        stack = ExitStack()
        _open[name] = (stack.enter_context(start()), stack)
    _users[name] += 1
    yield _open[name][0]
    _users[name] -= 1
    if not _users[name]:
        _open.pop(name)[1].close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The served site; it ends with the session."""
    yield from _shared("site", lambda: served(tmp_path_factory.mktemp("site")))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for the session."""
    yield from _shared("chromium", _browser)


Visit = Callable[..., Page]


@pytest.fixture
def visit(site: Site, chromium: Browser) -> Iterator[Visit]:
    """Open a page as somebody: `visit("alan", "/queue", width=390, scheme="dark", script=False)`."""
    opened: list[Watched] = []

    def open_page(person: str, path: str, *, width: int = 1280, scheme: Scheme = "light", script: bool = True, height: int = 800) -> Page:
        watched = _idle.pop() if script and _idle else _window(chromium, script=script)
        opened.append(watched)
        watched.url, page = site.url, watched.page
        _show(page, width, scheme, height)
        if person:
            page.context.add_cookies([{"name": "sessionid", "value": site.sessions[person], "url": site.url}])
        _go(page, site.url + path, ready=script and bool(person))
        return page

    yield open_page
    faults = [fault for watched in opened for fault in watched.faults]
    for watched in opened:
        _leave(watched)
    assert not faults, "\n".join(faults)


# To start a window, and to compile the scripts in it, costs more than most pages: the next test goes on in one that is left as new.
_idle: list[Watched] = []


def _show(page: Page, width: int, scheme: Scheme, height: int = 800) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")


def _window(browser: Browser, *, script: bool) -> Watched:
    watched = Watched(browser.new_context(java_script_enabled=script).new_page(), script)
    watched.page.set_default_timeout(30_000)
    _watch(watched)
    return watched


def _leave(watched: Watched) -> None:
    """Forget all that is kept in a window, or close it where that cannot be done."""
    page = watched.page
    try:
        if not watched.script or watched.faults or page.context.pages != [page]:
            raise Error("not as it was")
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
        _rest(page)
        page.mouse.move(-10, -10)
        page.context.clear_cookies()
    except Error:
        page.context.close()
    else:
        _idle.append(watched)


def _go(page: Page, url: str, *, ready: bool = True) -> None:
    page.goto(url)
    if ready:
        page.wait_for_selector("html[data-ready]", state="attached")


def _rest(page: Page) -> None:
    """Leave what is shown, which would go on listening; by the page itself, as the browser would start another process for nothing."""
    page.evaluate("location.href = 'about:blank'")
    page.wait_for_url("about:blank")


def go_on(page: Page, path: str, *, ready: bool = True) -> Page:
    """Go to another page in the same window, as people do; a new window for each page costs more than the page."""
    _go(page, urljoin(page.url, path), ready=ready)
    return page


def _watch(watched: Watched) -> None:
    def console(message: ConsoleMessage) -> None:
        refused = "Failed to load resource" in message.text  # an answer of 4xx, which the test itself judges
        if message.type in ("error", "warning") and not refused:
            watched.faults.append(f"console: {message.text}")

    def request(sent: Request) -> None:
        if not sent.url.startswith((watched.url, "data:", "blob:")):
            watched.faults.append(f"outside request: {sent.url}")

    watched.page.on("console", console)
    watched.page.on("pageerror", lambda error: watched.faults.append(f"script: {error}"))
    watched.page.on("request", request)


# Only what is wrong is handed over: handing over all that axe has looked at costs more than the looking.
_RUN_AXE = """([place, options]) => axe.run(place || document, options).then(found => found.violations.map(
  rule => `${rule.id}: ${rule.help} ${JSON.stringify(rule.nodes.slice(0, 4).map(node => node.target))}`))"""


# A page has a handful of colours, and axe reads each thousands of times from its text, half of all it does: here once, to the same values.
_READ_COLOURS_ONCE = """() => {
  const colour = axe.commons.color.Color.prototype, parse = colour.parseString, known = new Map()
  colour.parseString = function (text) {
    if (!known.has(text)) {
      parse.call(this, text)
      known.set(text, {r: this.r, g: this.g, b: this.b, alpha: this.alpha})
    }
    return Object.assign(this, known.get(text))
  }
}"""


_HANGING = """() => {
  const width = document.documentElement.clientWidth
  if (document.documentElement.scrollWidth <= width) return []
  const wide = [...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > width + 0.5)
  return wide.slice(-4).map((each) => `${each.outerHTML.slice(0, 160)} (to ${Math.round(each.getBoundingClientRect().right)})`)
    .concat(wide.length ? [] : ["what no element shows"])
}"""


def no_violations(page: Page, within: str = "") -> None:
    """Fail unless axe finds nothing, and nothing hangs out of the page at its right; `within`: in what is new on a page known before."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
        page.evaluate(_READ_COLOURS_ONCE)
    if within:
        expect(page.locator(within)).to_have_count(1)
    said = page.evaluate(_RUN_AXE, [within, {"runOnly": _RULES, "resultTypes": ["violations"]}])
    assert not said, f"{page.url}\n" + "\n".join(said)
    hanging = page.evaluate(_HANGING)
    assert not hanging, f"{page.url} scrolls sideways because of {hanging}"


def _one_heading(page: Page, path: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_count(1)


def all_fit(
    visit: Visit,
    pages: Iterable[tuple[str, str]],
    *,
    sizes: Sequence[tuple[int, Scheme]] = SIZES,
    look: Callable[[Page, str], None] = _one_heading,
) -> None:
    """Visit pages, given as (person, path), in one window a person; fail naming each that `look` or no_violations finds fault with.

    A page is loaded once and shown in each size: no script asks for the width. Where one will, give one size at a time.
    """
    faults = []
    for person, own in groupby(pages, key=lambda each: each[0]):
        window: Page | None = None
        for _, path in own:
            if window is None:
                window = visit(person, path, width=sizes[0][0], scheme=sizes[0][1])
            else:
                go_on(window, path, ready=bool(person))
            for width, scheme in sizes:
                _show(window, width, scheme)
                try:
                    look(window, path)
                    no_violations(window)
                except AssertionError as fault:
                    faults.append(f"{path} as {person or 'a stranger'}, {width} pixels wide, {scheme}: {fault}")
        if window:
            _rest(window)
    assert not faults, "\n\n".join(faults)
