"""The pages of the report in Chromium, offline: drawn, clicked on, and checked with axe-core.

A browser that is not there is a visible skip; `UNIFIED_BLOCKS_BROWSER=1` promises it. What
`unified-blocks compare --html` wrote is opened too, if `UNIFIED_BLOCKS_PAGE` says where it is.
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from testbed.browsing import SCHEMES, SECONDS, SIZES, chromium, problems, visits
from testbed.pages import CASES, HOSTILE, NASTY, comparison, matrix, port

WRITTEN = Path(os.environ.get("UNIFIED_BLOCKS_PAGE", "nowhere"))


@pytest.fixture(scope="module")
def browser():
    with chromium("jinja2", "plotly") as opened:
        yield opened


@pytest.fixture(scope="module")
def files(browser, tmp_path_factory):
    """Where a page of each kind is."""
    from unified_blocks.equivalence.matrix.page import matrix_page

    texts = {
        "matrix": matrix_page(*matrix(), "unified-blocks compare"),
        "comparison": comparison().to_html(),
        "port": port(),
    }
    folder = tmp_path_factory.mktemp("pages")
    paths = {name: folder / f"{name}.html" for name in texts}
    for name, path in paths.items():
        path.write_text(texts[name], encoding="utf-8")
    return {**paths, "written": WRITTEN}


@pytest.fixture(params=SCHEMES)
def scheme(request):
    return request.param


@pytest.fixture(params=SIZES)
def size(request):
    return request.param


@pytest.fixture(params=["matrix", "comparison", "port"])
def name(request):
    return request.param


@pytest.fixture
def visit(browser, files):
    """Open a page of ours, which may ask for nothing but itself."""
    with visits(browser, lambda page, url: url == page) as opened:

        def drawn(name, scheme="light", size="desktop"):
            page = opened(files[name].absolute().as_uri(), scheme, size)
            page.locator(".plot").first.scroll_into_view_if_needed()
            page.wait_for_selector(".plot .main-svg")
            return page

        yield drawn


def click(page, i, j, of=0):
    """Click on the cell in row i and column j of a heat map."""
    area = page.locator(".maps .plot .nsewdrag").nth(of)
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    shape = (2 * len(CASES), 6)
    x, y = ((at + 0.5) / n for at, n in ((j, shape[1]), (i, shape[0])))
    area.click(position={"x": x * box["width"], "y": y * box["height"]})


def test_a_page_opens_and_fits(visit, name, size):
    page = visit(name, size=size)
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]


@pytest.mark.parametrize(
    ("of", "place", "words", "size"),
    [
        (0, (0, 0), "", "desktop"),
        (1, (0, 0), "× ", "desktop"),
        (1, (0, 0), "× ", "phone"),
        (1, (0, 4), "left out: ", "desktop"),
        (1, (0, 5), "! failed: ", "phone"),
        (2, (3, 3), "", "desktop"),
        (1, (5, 5), "", "phone"),
    ],
)
def test_a_click_on_the_heat_map_shows_the_layers(visit, of, place, words, size):
    page = visit("matrix", size=size)
    assert page.locator(".cell:visible").count() == 0
    click(page, *place, of)
    page.wait_for_selector(".cell:visible")
    (shown,) = page.locator(".cell:visible").all()
    case, dtype = CASES[place[0] // 2], ("float64", "float32")[place[0] % 2]
    mode = ("forward", "train", "gradient", "training", "compiled", "saved")[place[1]]
    backend = ("one", NASTY, "three")[of]
    assert shown.locator("h3").inner_text() == f"{case} on {backend} in {dtype}, {mode}"
    assert shown.locator("p").first.inner_text().startswith(words)
    assert (shown.locator("tbody tr").count() == 0) == (words.endswith(": "))


def test_the_layers_can_be_reached_with_the_keyboard(visit):
    page = visit("matrix")
    link = page.locator("table.numbers a").first
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".cell:visible")
    assert page.evaluate("document.activeElement.id") == "cell-0"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cell:visible", state="detached")


def test_a_click_on_a_comparison_leads_to_its_row(visit, size):
    page = visit("comparison", size=size)
    box = page.locator(".nsewdrag").bounding_box()
    page.locator(".nsewdrag").click(
        position={"x": box["width"] * (0.3 / 8.6), "y": box["height"] / 6}
    )
    page.wait_for_function("location.hash === '#row-0'")
    assert page.locator("tr:target th").inner_text() == "a.weight"


def test_names_are_shown_as_they_are(visit):
    page = visit("matrix")
    ticks = page.locator(".maps .plot").first.locator(".ytick text").all_text_contents()
    assert f"{HOSTILE[-23:]} float64" in [text.removeprefix("…") for text in ticks]


def test_axe_finds_nothing(visit, name, scheme, size):
    page = visit(name, scheme, size)
    if name == "matrix":
        click(page, 0, 0, of=1)
        page.locator("summary").first.click()
        page.wait_for_selector("details .main-svg >> nth=1")
    assert problems(page) == {}


def test_axe_would_find_something(visit):
    page = visit("matrix")
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert problems(page).keys() == {"color-contrast", "html-has-lang"}


@pytest.mark.skipif(not WRITTEN.exists(), reason="no page at UNIFIED_BLOCKS_PAGE")
def test_the_page_of_the_whole_matrix_is_small_and_opens_at_once(visit, size, capsys):
    megabytes = WRITTEN.stat().st_size / 1e6
    start = time.perf_counter()
    page = visit("written", size=size)
    seconds = time.perf_counter() - start
    first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    with capsys.disabled():
        print(
            f"\n{WRITTEN.name}, {size}: {megabytes:.2f} MB; verdict after "
            f"{first / 1000:.2f} s, heat map after {seconds:.2f} s"
        )
    assert megabytes < 6
    assert seconds < SECONDS
    assert problems(page) == {}


def test_pictures_follow_when_the_scheme_changes(visit):
    page = visit("matrix")

    def colors():
        background, image = (page.locator(f".maps .plot .{n}").first for n in ("bg", "hm image"))
        return background.get_attribute("style"), image.get_attribute("href")

    light = colors()
    page.emulate_media(color_scheme="dark")
    was = "was => document.querySelector('.maps .plot .bg').getAttribute('style') !== was"
    page.wait_for_function(was, arg=light[0])
    dark = colors()
    assert dark[0] != light[0]
    assert dark[1] != light[1]
    page.emulate_media(color_scheme="light")
    page.wait_for_function(was, arg=dark[0])
    assert colors() == light


def test_curves_and_histograms_are_drawn_when_a_case_is_opened(visit):
    page = visit("matrix")
    first = page.locator("details").first
    assert first.locator(".main-svg").count() == 0
    first.locator("summary").click()
    page.wait_for_selector("details .histogram .main-svg")
    first.locator("figure").scroll_into_view_if_needed()
    page.wait_for_selector("details figure .main-svg")
    names = first.locator("figure .legendtext").all_text_contents()
    assert names == ["expected", "one", NASTY, "three"]
    select = first.locator("select")
    for label in ("a.weight after training", "gradient of a.weight"):
        select.select_option(label=label)
        table = first.locator(".histogram table")
        assert table.locator("caption").inner_text() == label
        assert table.locator("thead th").all_inner_texts() == ["from", "to", "one", NASTY, "three"]
        lines = [line.split("\t") for line in table.locator("tbody").inner_text().splitlines()]
        counts = np.array(lines, float)[:, 2:]
        assert counts.sum(axis=0).tolist() == [12, 12, 12]
