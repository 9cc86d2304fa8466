"""The picture of the README, drawn by `python docs/matrix.py`, shows each cell of the matrix."""

import importlib.util
from xml.etree import ElementTree

import pytest

from testbed.where import ROOT
from unified_blocks.equivalence.matrix.cases import ALL_CASES
from unified_blocks.equivalence.matrix.cells import Cell
from unified_blocks.equivalence.matrix.observing import DTYPES
from unified_blocks.equivalence.modes import MODES

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def matrix():
    spec = importlib.util.spec_from_file_location("docs_matrix", ROOT / "docs" / "matrix.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(**changes):
    about = {"device": "cpu", "dtype": "float64", "mode": "forward", "status": "ok"}
    return [
        Cell(case, backend, **about | {"absolute": 3.3e-16} | changes.get(case, {}))
        for case in ("MLP", "<Net>")
        for backend in ("torch", "mine")
    ]


def kinds(text):
    """The class of each cell that is drawn, and what is written."""
    root = ElementTree.fromstring(text)
    rectangles = [element.get("class") for element in root.iter(f"{SVG}rect")]
    return rectangles, [element.text for element in root.iter(f"{SVG}text")]


def test_the_committed_picture_shows_each_cell_of_the_matrix():
    drawn, words = kinds((ROOT / "docs" / "matrix.svg").read_text(encoding="utf-8"))
    assert len(drawn) == 3 * len(ALL_CASES) * len(MODES) * len(DTYPES)
    assert f"All {drawn.count('ok')} cells within tolerance." in words
    assert set(drawn) == {"ok", "none"}
    assert {case.name for case in ALL_CASES} | {*MODES} | {*DTYPES} <= {*words}


def test_it_shows_numbers_names_and_versions(matrix):
    drawn, words = kinds(matrix.picture(cells(), {"torch": "PyTorch 9", "mine": "Mine & yours"}))
    assert drawn == ["ok"] * 4
    assert words.count("3e-16") == 4
    assert {"<Net>", "PyTorch 9", "Mine & yours", "All 4 cells within tolerance."} <= {*words}


def test_it_shows_what_is_wrong_and_why_something_is_missing(matrix):
    found = cells(
        MLP={"status": "differs", "absolute": 2.5},
        **{"<Net>": {"status": "unsupported", "reason": "no such layer"}},
    )
    drawn, words = kinds(matrix.picture(found, {"torch": "PyTorch", "mine": "Mine"}))
    assert drawn == ["off", "off", "none", "none"]
    assert "2 of 2 wrong." in words
    assert words.count("2e+0") == 2
    assert "–: no such layer." in words
