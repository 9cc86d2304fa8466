"""The chapter's listings: three for each, the same in both languages, and each with its record."""

import json
import os
import re
from pathlib import Path

import pytest

from testbed.where import ROOT
from unified_blocks.notebook import FIRST_LINE, records

DOCS = ROOT / "docs"
TABS = ["torch", "tensorflow", "mxnet"]
LISTINGS = {
    path.stem: path.read_text(encoding="ascii") for path in sorted((DOCS / "listings").glob("*.py"))
}
PAGES = {
    path.relative_to(DOCS).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
    for folder in ("chapter", "capitulo")
    for path in sorted((DOCS / folder).glob("*.md"))
}
OTHERS = "".join(path.read_text(encoding="utf-8") for path in DOCS.glob("start/*.md"))
IN_BOTH = [page.partition("/")[2] for page in PAGES if page.startswith("capitulo/")]
CELL = re.compile(r"^```\{code-cell\} python\n(.*?)^```$", re.M | re.S)
LOADED = re.compile(r":load: \.\./listings/(\w+)_(\w+)\.py\n:tags: \[(\w+)\]\n")


def cells(page):
    return CELL.findall(PAGES[page])


def loaded(page):
    """The listings of a page: `(name, framework, tag)`."""
    return LOADED.findall("".join(cells(page)))


@pytest.mark.parametrize("name", LISTINGS)
def test_its_first_line_names_its_framework(name):
    found = FIRST_LINE.fullmatch(LISTINGS[name].partition("\n")[0])
    assert found[1] == name.rpartition("_")[2]


def test_each_is_on_a_page():
    found = [each for page in PAGES for each in loaded(page)] + LOADED.findall(OTHERS)
    assert {f"{name}_{tab}" for name, tab, _ in found} == set(LISTINGS)


@pytest.mark.parametrize("page", PAGES)
def test_they_stand_in_threes(page):
    found = loaded(page)
    assert [tab for _, tab, _ in found] == TABS * (len(found) // 3)
    assert all(tab == tag for _, tab, tag in found)
    for first in range(0, len(found), 3):
        assert len({name for name, _, _ in found[first : first + 3]}) == 1


@pytest.mark.parametrize("page", PAGES)
def test_a_notebook_shows_it_well(page):
    """Its prose is plain Markdown: Jupyter knows no directives and no roles."""
    prose = CELL.sub("", PAGES[page])
    if page.endswith("/index"):
        assert "{code-cell}" not in PAGES[page]
        return
    assert re.match(r"---\nfile_format: mystnb\nkernelspec: .*\n---\n", prose)
    assert "```" not in prose
    assert not re.search(r"^:::|\{[a-z-]+\}`", prose, re.M)
    assert "%load_ext unified_blocks.notebook" in cells(page)[0]


@pytest.mark.parametrize("page", IN_BOTH)
def test_both_languages_run_the_same(page):
    assert cells(f"capitulo/{page}") == cells(f"chapter/{page}")


@pytest.mark.parametrize("page", IN_BOTH)
def test_both_languages_say_the_same(page):
    """As far as that can be counted."""
    english, portuguese = (
        CELL.sub("", PAGES[f"{name}/{page}"]) for name in ("chapter", "capitulo")
    )
    for mark in (r"^#+ ", r"^- ", r"^\d\. ", r"^\|", r"\]\("):
        assert len(re.findall(mark, english, re.M)) == len(re.findall(mark, portuguese, re.M)), mark


@pytest.mark.parametrize("folder", ["chapter", "capitulo"])
def test_its_contents_list_every_page(folder):
    listed = re.search(r"```\{toctree\}\n(.*?)```", PAGES[f"{folder}/index"], re.S)[1].split()
    there = [page.partition("/")[2] for page in PAGES if page.startswith(f"{folder}/")]
    assert sorted([*listed, "index"]) == sorted(there)


def recorded_cells():
    """The cells of the chapter that name a framework."""
    written = [LISTINGS[f"{name}_{tab}"] for page in PAGES for name, tab, _ in loaded(page)]
    found = [cell.partition("\n")[::2] for cell in written]
    return {records.key(FIRST_LINE.fullmatch(first)[1], rest) for first, rest in found}


def test_each_has_a_record():
    """`python docs/record.py` writes them."""
    assert recorded_cells() <= set(records.records())


def test_a_changed_listing_has_none():
    name, text = next(iter(LISTINGS.items()))
    _, _, cell = text.partition("\n")
    tab = name.rpartition("_")[2]
    assert records.key(tab, cell) in records.records()
    assert records.key(tab, cell + "print()\n") not in records.records()


def notebooks():
    """The notebooks of the built site, by their names."""
    site = os.environ.get("UNIFIED_BLOCKS_SITE")
    if not site:
        pytest.skip("UNIFIED_BLOCKS_SITE names no built site")
    found = {path.name: path.read_text("utf-8") for path in Path(site).glob("notebooks/*.ipynb")}
    assert found, f"no notebooks in {site}"
    return {name: json.loads(text)["cells"] for name, text in found.items()}


def printed(cell):
    """What a cell printed and showed."""
    shown = [
        "".join(output["text"])
        if "text" in output
        else "".join(output["data"]["text/plain"]) + "\n"
        for output in cell["outputs"]
    ]
    return "".join(shown).rstrip()


def test_the_build_printed_what_the_records_say():
    """If not: `python docs/record.py .tox/site/html`."""
    found = {}
    for name, cells_of_it in notebooks().items():
        for cell in cells_of_it:
            first, _, rest = "".join(cell["source"]).partition("\n")
            if cell["cell_type"] == "code" and (named := FIRST_LINE.fullmatch(first)):
                key = records.key(named[1], rest)
                found[key] = (name, printed(cell))
                assert key in records.records(), f"{name}: a cell {first!r} without a record"
    recorded = records.records()
    assert {key: text for key, (_, text) in found.items()} == {
        key: record["text"] for key, record in recorded.items()
    }
