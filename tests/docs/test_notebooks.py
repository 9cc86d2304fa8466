"""Pages as notebooks where a framework is missing: its cells show what was recorded."""

import importlib.util
import os

import pytest

import unified_blocks as ub
from testbed.where import ROOT
from unified_blocks.backend.registry import registered_backends
from unified_blocks.notebook import FIRST_LINE, records

nbformat = pytest.importorskip("nbformat", reason="pages become notebooks by MyST-NB")
nbclient = pytest.importorskip("nbclient", reason="notebooks are run by nbclient")
pytest.importorskip("myst_nb", reason="pages become notebooks by MyST-NB")
pytest.importorskip("ipykernel", reason="notebooks run in a kernel")

spec = importlib.util.spec_from_file_location("record", ROOT / "docs" / "record.py")
record = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record)

PAGES = ["start/first-block", "chapter/blocks"]
if os.environ.get("UNIFIED_BLOCKS_SOAK"):
    for section in ("chapter", "gallery"):
        found = sorted((ROOT / "docs" / section).glob("[!i]*.md"))
        PAGES += [page for path in found if (page := f"{section}/{path.stem}") not in PAGES]
PAGES_WITHOUT = PAGES if os.environ.get("UNIFIED_BLOCKS_SOAK") else PAGES[:1]
"""Those that are run without each framework in turn, in a kernel each time."""
HIDE = """\
from importlib.machinery import PathFinder


def without(name, path=None, target=None, *, found=PathFinder.find_spec):  # a page has its `found`
    return None if name == {name!r} else found(name, path, target)


PathFinder.find_spec = without
"""
"""A first cell that makes a framework one that cannot be found."""


def run(page, hidden=None):
    """A page as a notebook that was run; an error in a cell is raised."""
    made = record.notebook(page)
    if hidden:
        made.cells.insert(0, nbformat.v4.new_code_cell(HIDE.format(name=hidden)))
    nbclient.NotebookClient(made, timeout=600, kernel_name="python3").execute()
    return [cell for cell in made.cells if cell.cell_type == "code"]


def check(cells, missing):
    """Each cell of a missing framework shows its record, and those of the others their own."""
    seen = dict.fromkeys(registered_backends(), 0)
    for cell in cells:
        first, _, rest = cell.source.partition("\n")
        named = FIRST_LINE.fullmatch(first)
        if not named:
            continue
        name = named[1]
        seen[name] += 1
        if name in missing:
            found = records.records()[records.key(name, rest)]
            framework = found["framework"]
            assert record.printed(cell) == (
                f"{framework.split()[0]} is not installed here. Recorded with {framework}:\n"
                f"{found['text']}"
            )
        else:
            assert "not installed" not in record.printed(cell)
    assert min(seen.values()) > 0


@pytest.mark.parametrize("page", PAGES_WITHOUT)
def test_a_page_runs_without_this_framework(page, backend_name):
    missing = registered_backends().keys() - set(ub.available_backends())
    check(run(page, hidden=backend_name), {*missing, backend_name})


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_with_what_is_here(page):
    missing = registered_backends().keys() - set(ub.available_backends())
    if not missing:
        pytest.skip("the build of the site runs it where all frameworks are")
    check(run(page), missing)


def site(folder, *texts):
    """A built site of one notebook, whose cells on this backend all have one text."""
    name = ub.available_backends()[0]
    (folder / "notebooks").mkdir()
    cells = [
        nbformat.v4.new_code_cell(
            f"# on {name}\nx", outputs=[nbformat.v4.new_output("stream", text=text)]
        )
        for text in texts
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "notebooks" / "page.ipynb")
    return folder


def test_a_record_is_what_the_build_printed(tmp_path, backend_name):
    (found,) = record.joined(site(tmp_path, "3\n", "3\n")).items()
    key, written = found
    assert key == records.key(ub.available_backends()[0], "x")
    assert written["text"] == "3"
    assert written["framework"].startswith(ub.get_backend(ub.available_backends()[0]).title)


def test_cells_that_print_different_things_must_differ(tmp_path, backend_name):
    with pytest.raises(ValueError, match=r"a cell's text must tell what it prints; got .*'3'.*'4'"):
        record.joined(site(tmp_path, "3\n", "4\n"))
