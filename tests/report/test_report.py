"""The pages of the report, as text: what they say, and that they need nothing but themselves."""

import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest

from testbed.hand_records import record_of
from testbed.pages import (
    HOSTILE,
    NASTY,
    Page,
    comparison,
    matrix,
    port,
    records,
    rows,
    section,
)  # fmt: skip
from unified_blocks.equivalence.comparison import Comparison
from unified_blocks.equivalence.matrix.cells import Cell, cells
from unified_blocks.equivalence.matrix.records import write_record

pytest.importorskip("jinja2", reason="the report's extra is not installed")
pytest.importorskip("plotly", reason="the report's extra is not installed")

from plotly.graph_objects import Figure

from unified_blocks.equivalence.matrix.heat_map import heat_map
from unified_blocks.equivalence.matrix.page import matrix_page
from unified_blocks.equivalence.matrix.words import described, verdict
from unified_blocks.report import figures
from unified_blocks.report.words import number

LIMIT = 6_000_000
PAGES = {
    "matrix": lambda: matrix_page(*matrix(), f"unified-blocks compare '{HOSTILE}'"),
    "matrix without records": lambda: matrix_page(matrix()[0]),
    "comparison": lambda: comparison().to_html(),
    "comparison of nothing": lambda: Comparison("a", "b", "in inference", ()).to_html(),
    "port": port,
    "port without proof": lambda: port(proved=False),
}


@pytest.fixture(scope="module", params=PAGES)
def page(request):
    return PAGES[request.param]()


def test_a_page_needs_nothing_but_itself(page):
    found = Page(page)
    for tag, attributes in found.elements:
        assert not attributes.keys() & {"src", "srcset", "action"}, tag
        assert attributes.get("href", "#").startswith(("#", "data:")), attributes
        assert not [name for name in attributes if name.startswith("on")], attributes
    style = re.search("<style>(.*?)</style>", page, re.S)[1]
    assert "url(" not in style
    assert "@import" not in style


def test_names_are_text_and_nothing_else(page):
    found = Page(page)
    assert len(found.scripts) == 3
    assert "<b>&amp;" not in page.partition("<script")[0]
    json.loads(found.scripts[0])


def test_every_id_is_there_once_and_every_link_leads_to_one(page):
    found = Page(page)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes.get("href", "") for tag, attributes in found.elements if tag == "a"}
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_every_picture_is_a_figure_of_plotly(page):
    drawn = json.loads(Page(page).scripts[0])
    for figure in drawn.values():
        Figure(figure)  # raises for what Plotly does not know
    named = {a["data-figure"] for _, a in Page(page).elements if "data-figure" in a}
    assert named <= drawn.keys()


@pytest.mark.parametrize("i", range(len(matrix()[0])))
def test_every_cell_has_its_numbers_in_tables(i, full):
    text, found = full
    cell = found[i]
    part = section(text, f"cell-{i}")
    table = {line[0].removesuffix(" (first)"): line[1:] for line in rows(part)[1:]}
    assert table.keys() == {row.name for row in cell.rows}
    for row in cell.rows:
        wanted = [row.share, row.absolute, row.relative, row.ulp]
        assert [number(value) for value in wanted] == [
            text.removeprefix("× ") for text in table[row.name][:4]
        ]
        assert table[row.name][0].startswith("×") != row.ok
    assert ("(first)" in part) == (cell.status == "differs")
    (line,) = (line for line in rows(text) if line[:2] == [cell.case, cell.dtype] and len(line) > 9)
    shown = line[2 + [c for c in found if (c.case, c.dtype) == (cell.case, cell.dtype)].index(cell)]
    expected = {"unsupported": "– left out", "error": "! error"}
    symbol = "× " if cell.status == "differs" else ""
    assert shown == expected.get(cell.status, symbol + number(cell.share))


@pytest.fixture(scope="module")
def full():
    found, made = matrix()
    found.sort(key=lambda cell: (cell.case, cell.dtype, cell.backend, cell.mode))
    return matrix_page(found, made), found


VERDICTS = {
    "the same": (["ok", "ok"], True, "The same", "All 2 comparisons are within tolerance."),
    "left out": (["ok", "unsupported"], True, "The same", "1 combination could not be compared"),
    "differs": (["ok", "differs"], False, "Not the same", "1 cell out of tolerance, of 2 cells."),
    "error": (["ok", "error"], False, "Not known: something failed", "1 cell in error, of 2 cells"),
    "both": (["error", "differs"], False, "Not the same", "1 cell out of tolerance and 1 cell in"),
    "unsupported": (["unsupported"], False, "Nothing was compared", "1 combination"),
    "nothing": ([], False, "Nothing was compared", ""),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_the_verdict_is_on_top(name):
    statuses, ok, answer, extent = VERDICTS[name]
    found = [Cell("A", "one", "cpu", "float64", f"mode {i}", s) for i, s in enumerate(statuses)]
    assert verdict(found)[:2] == (ok, answer)
    assert extent in verdict(found)[2]
    head = matrix_page(found).split("<main>")[0]
    assert f'<h1 class="{"ok" if ok else "differs"}">{answer}</h1>' in head


def test_the_verdict_names_what_is_wrong_and_leads_to_it(full):
    text, found = full
    head = text.split("<main>")[0]
    for i, cell in enumerate(found):
        assert (f'href="#cell-{i}"' in head) == (not cell.ok)


@pytest.mark.parametrize(
    ("share", "words"), [(0.5, "0.5 of what is allowed, the most in "), (12, "12 times what is ")]
)
def test_a_cell_is_described_in_words(share, words):
    status = "ok" if share <= 1 else "differs"
    cell = Cell("A", "one", "cpu", "float64", "train", status, share, 0.1, "reference", "output")
    assert described(cell).startswith(words)
    assert described(cell).endswith("in output, compared with reference")


NUMBERS = {0.0: "0", 0.00312: "0.0031", 99.4: "99", 99.9: "100", 8670.4: "8,670", 1e7: "1e+07"}


@pytest.mark.parametrize("value", NUMBERS)
def test_numbers_are_short(value):
    assert number(value) == NUMBERS[value]
    assert [number(x) for x in (np.inf, -np.inf)] == ["∞", "-∞"]


def test_the_losses_of_each_step_are_a_table_too():
    text = matrix_page(*matrix())
    losses = [["1", *["0.75"] * 4, "0"], ["4", "0.25", "0.25", "inf", "0.25", "∞"]]
    for line in losses:
        assert line in rows(text)


def test_versions_and_the_command_are_told():
    made = [record_of("one", framework="1.2.3"), record_of("two", platform="A machine")]
    text = matrix_page(cells(made), made, "unified-blocks compare --mode train")
    assert ["framework", "1.2.3", "1.0"] in rows(text)
    assert ["platform", "p", "A machine"] in rows(text)
    assert "<code>unified-blocks compare --mode train</code>" in text


def test_a_reason_to_leave_out_is_told_once():
    made = records(broken=False)
    for record in made:
        entry = record.entries["MLP", "float64", "train"]
        entry.status, entry.reason, entry.arrays, entry.expected = "unsupported", "drawn", {}, {}
    text = matrix_page(cells(made), made)
    assert text.count("drawn\n") == 1
    assert "<li>MLP: train on one, " in text


def test_a_matrix_larger_than_ours_is_small_enough():
    made = records(tuple(f"case {i}" for i in range(14)), broken=False)
    found = [replace(cell, rows=4 * cell.rows) for cell in cells(made)]
    assert len(found) == 504
    assert sum(len(cell.rows) for cell in found) > 3500
    assert len(matrix_page(found, made).encode()) < LIMIT


# figures


def test_a_heat_map_holds_each_cell_and_marks_those_that_are_not_well():
    places = ("ok", "differs", "unsupported", "error")
    made = [Cell("A", "one", "cpu", "float64", mode, mode, share=0.1) for mode in places]
    figure = heat_map([("A", "float64")], places, [(c.mode, c) for c in made])
    heat, marks = figure["data"]
    assert heat["z"] == [[-1, -1, None, None]]
    assert heat["customdata"] == [list(places)]
    assert list(zip(marks["x"], marks["text"], strict=True)) == [(1, "×"), (2, "–"), (3, "!")]


@pytest.mark.parametrize(
    ("share", "place"),
    [(0, -4), (1e-9, -4), (1e-2, -2), (1, 0), (1e3, 3), (1e12, 4), (np.inf, 4), (np.nan, 4)],
)
def test_shares_are_logarithms_within_what_is_shown(share, place):
    assert figures.decades(share) == place


def test_a_histogram_counts_every_finite_number():
    generator = np.random.default_rng(0)
    arrays = {"one": generator.normal(size=(50, 4)), "two": np.array([0.0, np.nan, np.inf, 1.0])}
    figure = figures.histogram("weight", arrays)
    assert [sum(trace["y"]) for trace in figure["data"]] == [200, 2]
    edges = figure["data"][0]["x0"] + figure["data"][0]["dx"] * np.arange(figures.BINS + 1)
    assert (edges[0], edges[-1]) == pytest.approx((arrays["one"].min(), arrays["one"].max()))
    assert figure["data"][0]["y"][:-1] == np.histogram(arrays["one"], edges)[0].tolist()


@pytest.mark.parametrize("array", [np.zeros(3), np.float32(5), np.full(2, 1e299)])
def test_a_histogram_of_one_number_has_it_once(array):
    figure = figures.histogram("bias", {"one": np.asarray(array)})
    assert sum(figure["data"][0]["y"]) == np.asarray(array).size


def test_there_is_no_histogram_of_no_number():
    assert figures.histogram("bias", {"one": np.zeros(0), "two": np.array([np.nan])}) is None


# ports


@pytest.mark.parametrize(
    ("options", "answer"),
    [({}, "Not the same"), ({"broken": False}, "The same"), ({"proved": False}, "Not proved")],
)
def test_the_page_of_a_port_says_what_was_proved_of_every_layer(options, answer):
    text = port(**options)
    assert re.search(r"<h1[^>]*>(.*?)</h1>", text)[1] == answer
    assert f"<title>{answer}: " in text
    found = section(text, "row-1") if "row-1" in text else ""
    assert ("(first)" in found) == (answer == "Not the same")
    assert ("Layer by layer" in text) == (answer != "Not proved")
    assert "What was decided" in text
    assert "(2, 3)" in text


def test_the_figure_of_a_port_has_each_error_and_what_is_allowed():
    drawn = json.loads(Page(port()).scripts[0])["errors"]
    first, numpy, allowed = drawn["data"]
    assert first["y"] == [-12, -3, 0]
    assert numpy["y"] == [-18, -18, -18]
    assert allowed["y"] == [-9, -9, -9]
    assert first["customdata"] == ["row-0", "row-1", "row-2"]
    assert drawn["layout"]["yaxis"]["ticktext"][0] == "0"


# comparisons


def test_the_page_of_a_comparison_says_where_they_part_and_shows_every_row():
    found = comparison()
    text = found.to_html()
    assert '<h1 class="differs">Not the same</h1>' in text
    assert "epsilon" in text.split("<main>")[0]
    assert "outputs only of MLP" in text
    names = [line[0] for line in rows(section(text, "rows-title"))[1:]]
    assert names == ["a.weight", f"{HOSTILE} (first)", "output"]
    assert ["output", "× ∞", "∞", "∞", "∞", "", "output", "(3, 4) / (2, 4)", "float64"] in rows(
        text
    )


def test_the_page_of_models_that_are_the_same_says_so():
    text = comparison(broken=False).to_html()
    assert '<h1 class="ok">The same</h1>' in text
    assert "3 arrays compared." in text
    assert NASTY not in text


# without, and from the command line


@pytest.mark.parametrize("missing", ["jinja2", "plotly"])
def test_without_its_libraries_a_page_says_what_to_install(monkeypatch, missing):
    for name in [name for name in sys.modules if name.startswith("unified_blocks.report")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(
        ImportError, match=r'needs Jinja2 and Plotly.*run: pip install "unified-blocks\[report\]"'
    ):
        comparison().to_html()


def test_compare_writes_the_page(tmp_path, monkeypatch):
    pytest.importorskip("typer", reason="the command line's extra is not installed")
    from typer.testing import CliRunner

    from unified_blocks.cli.lab import app

    paths = [tmp_path / f"{name}.rec.safetensors" for name in ("one", "two")]
    for path in paths:
        write_record(record_of(path.name.partition(".")[0], cases=("MLP",)), path)
    page = tmp_path / "matrix.html"
    done = CliRunner().invoke(app, ["compare", *map(str, paths), "--html", str(page)])
    assert done.exit_code == 0, done.output
    assert "All 24 comparisons are within tolerance." in page.read_text(encoding="utf-8")
    done = CliRunner().invoke(app, ["compare", *map(str, paths), "--html", f"{page}/no/page"])
    assert done.exit_code == 2
    assert "--html must name a file in a folder that exists" in done.output
    monkeypatch.setitem(sys.modules, "unified_blocks.report", None)
    done = CliRunner().invoke(app, ["compare", *map(str, paths), "--html", str(page)])
    assert done.exit_code == 2
