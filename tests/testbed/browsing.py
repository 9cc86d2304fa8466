"""Pages in Chromium, offline: opened, listened to, and checked with axe-core.

A browser that is not there is a visible skip; `UNIFIED_BLOCKS_BROWSER=1` promises it.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

CHROMIUM = shutil.which("chromium")
PROMISED = os.environ.get("UNIFIED_BLOCKS_BROWSER") == "1"
SCHEMES = ("light", "dark")
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 375, "height": 800}}
SECONDS = 10
"""To open a page in, on a machine that does other things at the same time; two if it is idle."""


@contextmanager
def chromium(*needed: str) -> Iterator:
    """A browser; a skip without it, or without one of the packages that are needed."""
    try:
        for package in (*needed, "playwright", "axe_playwright_python"):
            pytest.importorskip(package)
        if CHROMIUM is None:
            pytest.skip("chromium is not installed")
    except pytest.skip.Exception as missing:
        if PROMISED:
            pytest.fail(f"UNIFIED_BLOCKS_BROWSER promises a browser, and {missing}")
        raise
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@contextmanager
def visits(browser, may_ask: Callable[[str, str], bool]) -> Iterator[Callable]:
    """Opens pages; afterwards, fails if one said anything, asked for anything, or opened a dialog.

    Args:
        browser: what `chromium` gave.
        may_ask: whether the page at the first URL may ask for the second.
    """
    contexts, said = [], []

    def opened(url: str, scheme: str = "light", size: str = "desktop"):
        context = browser.new_context(color_scheme=scheme, viewport=SIZES[size], offline=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog}"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                request.url.startswith("data:")
                or may_ask(url, request.url)
                or said.append(request.url[:200])
            ),
        )
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == [], said


def problems(page) -> dict[str, list[str]]:
    """What axe-core finds."""
    from axe_playwright_python.sync_playwright import Axe

    # It would read the style sheets again, which a browser refuses from a disk.
    found = Axe().run(page, options={"preload": False}).response
    assert len(found["passes"]) > 15, "axe-core has hardly looked"
    return {v["id"]: [node["html"][:200] for node in v["nodes"]] for v in found["violations"]}
