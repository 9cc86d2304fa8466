"""The site in Chromium, offline, from the disk: each page, light and dark, wide and narrow.

`tox run -e docs` builds it, and `UNIFIED_BLOCKS_SITE` says where it is.
"""

import os
from pathlib import Path

import pytest

from testbed.browsing import SCHEMES, SECONDS, SIZES, chromium, problems, visits

SITE = Path(os.environ.get("UNIFIED_BLOCKS_SITE", "nowhere"))
SOAK = os.environ.get("UNIFIED_BLOCKS_SOAK") == "1"
PAGES = sorted(page.relative_to(SITE).as_posix() for page in SITE.rglob("*.html"))
LOOKS = [(scheme, size) for scheme in SCHEMES for size in SIZES]

pytestmark = pytest.mark.skipif(not PAGES, reason="no site at UNIFIED_BLOCKS_SITE")


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def visit(browser):
    """Open a page of the site, which may ask for files of the site only."""
    ours = SITE.absolute().as_uri() + "/"
    with visits(browser, lambda page, url: url.startswith(ours)) as opened:
        yield lambda name, *look: opened(ours + name, *look)


def looks(n):
    """In which colours and sizes the page with this number is opened: all of them in the soak."""
    return LOOKS if SOAK else [LOOKS[n % len(LOOKS)]]


@pytest.mark.parametrize(
    ("name", "scheme", "size"),
    [(name, *look) for n, name in enumerate(PAGES) for look in looks(n)],
)
def test_a_page_is_silent_fits_and_can_be_read_by_all(visit, name, scheme, size, record_property):
    page = visit(name, scheme, size)
    assert page.title()
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    page.wait_for_function(paint)
    seconds = page.evaluate(paint) / 1000
    record_property("first paint", seconds)  # tests/docs/conftest.py prints it
    assert seconds < SECONDS
    assert problems(page) == {}


def test_axe_would_find_something(visit):
    page = visit("index.html")
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert problems(page).keys() == {"color-contrast", "html-has-lang"}


def test_the_search_finds_a_layer_without_a_network(visit):
    page = visit("search.html?q=Conv2D")
    page.get_by_text("Search finished").wait_for()  # results come one after the other
    found = page.locator("#search-results li a").all_inner_texts()
    assert "unified_blocks.Conv2D" in found[0]
    assert any("Layers and operations" in title for title in found), found


def test_tabs_switch_together_and_stay_switched(visit):
    page = visit("start/first-block.html")
    code = page.locator(".sd-tab-content pre")
    assert [box.is_visible() for box in code.all()].count(True) == 2  # the code, what it printed
    page.get_by_text("MXNet", exact=True).first.click()
    shown = [box.inner_text() for box in code.all() if box.is_visible()]
    assert "gluon" in shown[0]
    assert not any("torch" in text for text in shown)
    page.reload()
    shown = [box.inner_text() for box in code.all() if box.is_visible()]
    assert "gluon" in shown[0]


def test_colours_follow_the_button(visit):
    page = visit("index.html", "light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.evaluate("console.log = () => {}")  # the theme says there what it does
    page.locator("button.theme-toggle:visible").click()
    assert page.evaluate(background) != light


def test_the_way_back_to_the_top_is_part_of_the_page(visit):
    """It appears when a reader scrolls up."""
    page = visit("gallery/lenet.html", "dark", "phone")
    page.mouse.move(180, 400)
    page.mouse.wheel(0, 1500)
    page.wait_for_function("scrollY > 1000")
    page.mouse.wheel(0, -300)
    page.get_by_text("Back to top").wait_for()
    assert problems(page) == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_picture_has_the_colour_of_the_text(visit, scheme):
    page = visit("gallery/lenet.html", scheme)
    colour = "getComputedStyle(document.querySelector('{}')).{}"
    letters = page.evaluate(colour.format(".cell_output svg text", "fill"))
    assert letters == page.evaluate(colour.format("article p", "color"))
