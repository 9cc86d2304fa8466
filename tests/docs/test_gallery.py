"""The book's networks: each file of `examples/book/` has its page, which shows all of it."""

import ast
import re

import pytest

from testbed.where import ROOT
from unified_blocks.notebook import FIRST_LINE, records

DOCS = ROOT / "docs" / "gallery"
INDEX = (DOCS / "index.md").read_text(encoding="utf-8")
PAGES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted(DOCS.glob("*.md"))
    if path.stem != "index"
}
CELL = re.compile(r"^```\{code-cell\} python\n(.*?)^```$", re.M | re.S)
LOADED = re.compile(r":load: \.\./\.\./examples/book/(\w+)\.py\n")
TAGGED = re.compile(r":tags: \[(\w+)\]\n\n(# on \w+\n.*)", re.S)
every = pytest.mark.parametrize("page", PAGES)


def cells(page):
    return CELL.findall(PAGES[page])


def tagged(page):
    """The cells of a page that name a framework: `(tag, cell)`."""
    return [found.groups() for cell in cells(page) if (found := TAGGED.fullmatch(cell))]


def test_each_network_has_a_page():
    shown = [name for text in PAGES.values() for name in LOADED.findall(text)]
    there = [path.stem for path in (ROOT / "examples" / "book").glob("*.py")]
    assert sorted(shown) == sorted(there)


def test_its_contents_list_every_page():
    listed = re.search(r"```\{toctree\}\n:hidden:\n(.*?)```", INDEX, re.S)[1].split()
    assert sorted(listed) == sorted(PAGES)
    assert sorted(re.findall(r"^- \[.*?\]\((\S+?)\.md\)", INDEX, re.M)) == sorted(PAGES)


@every
def test_it_has_code_a_picture_three_selves_and_a_proof(page):
    first, code, *others = cells(page)
    assert "%load_ext unified_blocks.notebook" in first
    assert LOADED.fullmatch(code)
    common = "".join(cell for cell in others if not TAGGED.fullmatch(cell))
    assert "ub.draw(" in common
    assert 'ub.use_dtype("float64")' in common
    assert "itertools.combinations(" in common
    assert "found.raise_if_different()" in common
    assert [tag for tag, _ in tagged(page)][:3] == ["torch", "tensorflow", "mxnet"]


@every
def test_its_cells_are_python_and_say_where_they_run(page):
    for cell in cells(page):
        if not cell.startswith(":"):
            ast.parse(cell)
        elif "# on " in cell:
            tag, text = TAGGED.fullmatch(cell).groups()
            ast.parse(text)
            assert FIRST_LINE.fullmatch(text.partition("\n")[0])[1] == tag


@every
def test_a_notebook_shows_it_well(page):
    """Its prose is plain Markdown: Jupyter knows no directives and no roles."""
    prose = CELL.sub("", PAGES[page])
    assert re.match(r"---\nfile_format: mystnb\nkernelspec: .*\n---\n", prose)
    assert "```" not in prose
    assert not re.search(r"^:::|\{[a-z-]+\}`", prose, re.M)


@every
def test_what_a_framework_prints_has_a_record(page):
    """`python docs/record.py` writes them."""
    for tag, cell in tagged(page):
        assert records.key(tag, cell.partition("\n")[2]) in records.records()


@every
def test_a_record_says_what_all_three_train(page):
    """The number of parameters, which each framework has counted by its own means."""
    found = [
        records.records()[records.key(tag, cell.partition("\n")[2])]["text"]
        for tag, cell in tagged(page)[:3]
    ]
    counted = [re.findall(r"[\d,]+ parameters.*$", text, re.M) for text in found]
    assert counted[0]
    assert counted[0] == counted[1] == counted[2]


def test_resnet_152_is_counted():
    (text,) = (
        record["text"] for record in records.records().values() if "ResNet-152" in record["text"]
    )
    assert "ResNet-152: 60,192,808 parameters" in text
