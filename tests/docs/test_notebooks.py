"""The chapter's pages as notebooks, where a framework is missing."""

import importlib.util

import pytest

import unified_blocks as ub
from testbed.where import ROOT
from unified_blocks.notebook import FIRST_LINE, records

pytest.importorskip("myst_nb", reason="pages become notebooks by MyST-NB")
pytest.importorskip("nbclient", reason="notebooks are run by nbclient")
pytest.importorskip("ipykernel", reason="notebooks run in a kernel")

import nbformat
from nbclient import NotebookClient

spec = importlib.util.spec_from_file_location("record", ROOT / "docs" / "record.py")
record = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record)

HIDE = "import sys\nsys.modules[{name!r}] = None"
"""What makes a framework one that cannot be found."""


def without(name, page):
    """A page as a notebook that was run where this framework is missing."""
    made = record.notebook(page)
    made.cells.insert(0, nbformat.v4.new_code_cell(HIDE.format(name=name)))
    NotebookClient(made, timeout=600, kernel_name="python3").execute()
    return made


@pytest.mark.parametrize("page", ["chapter/blocks", "chapter/exercises"])
def test_a_page_runs_without_a_framework(page, backend_name):
    """Its tab is the record, and says so; every other cell runs."""
    title = ub.get_backend(backend_name).title
    cells = [cell for cell in without(backend_name, page).cells if cell.cell_type == "code"]
    tabs = dict.fromkeys(("torch", "tensorflow", "mxnet"), 0)
    for cell in cells:
        first, _, rest = cell.source.partition("\n")
        named = FIRST_LINE.fullmatch(first)
        if not named:
            continue
        tabs[named[1]] += 1
        if named[1] == backend_name:
            found = records.records()[records.key(backend_name, rest)]
            assert record.printed(cell) == (
                f"{title} is not installed here. Recorded with {found['framework']}:\n"
                f"{found['text']}"
            )
        elif named[1] in ub.available_backends():
            assert "is not installed here" not in record.printed(cell)
    assert len(set(tabs.values())) == 1
    assert tabs[backend_name] > 2
