"""The Python in the documentation runs, each page as one program, and its links lead somewhere."""

import re
import subprocess
import sys

import pytest

import unified_blocks as ub
from testbed.where import ROOT
from unified_blocks import layers
from unified_blocks.equivalence.causes.table import CAUSES, sentence

PAGES = {
    page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8")
    for folder, pages in (
        (".", "*.md"),
        ("docs", "*/[!_]*.md"),
        ("examples/own_blocks", "*.md"),
        ("examples/numpy_backend", "*.md"),
    )
    for page in sorted((ROOT / folder).glob(pages))
}
SECTIONS = sorted({page.split("/")[1] for page in PAGES if page.startswith("docs/")})
PROGRAMS = [
    "README.md",
    "docs/start/installation.md",
    "docs/reference/layers.md",
    "docs/howto/pictures.md",
    "docs/howto/write-a-block.md",
    "docs/howto/report.md",
    "docs/howto/tensors.md",
    "docs/howto/test-your-blocks.md",
]
RUN_ELSEWHERE = {
    "docs/costs/speed.md",  # on GPUs, which not every machine has
    "docs/howto/write-a-backend.md",  # the files of a project: tests/kit/test_numpy_backend.py
}


def python_in(page):
    return re.findall(r"^```python\n(.*?)^```", PAGES[page], re.M | re.S)


def test_all_pages_with_python_are_run():
    assert {page for page in PAGES if python_in(page)} == {*PROGRAMS, *RUN_ELSEWHERE}
    assert "gpu:0" in "".join(python_in("docs/costs/speed.md"))


def shown_under(page):
    """The text right under each of the page's pieces of Python, or None."""
    pieces = re.finditer(
        r"^```python\n.*?^```\n(?:\n```text\n(.*?)^```)?", PAGES[page], re.M | re.S
    )
    return [piece[1] for piece in pieces]


def without_roundings(text):
    """Rounding errors are another machine's own: 2.7e-16 here, 3.1e-16 there."""
    return re.sub(r"\b\d\.\de-1[2-9]\b", "…", text)


BETWEEN = "— the next piece —"


@pytest.mark.parametrize("page", PROGRAMS)
def test_its_python_runs(page, tmp_path):
    """And the README shows what it prints."""
    if len(ub.available_backends()) < 3:
        pytest.skip("it uses all three frameworks")
    if page == "docs/howto/report.md":
        pytest.importorskip("plotly", reason="pages of the report need the extra `report`")
    blocks = python_in(page)
    program = tmp_path / "page.py"
    program.write_text(f"\nprint({BETWEEN!r})\n".join(blocks), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    if page == "README.md":
        printed = done.stdout.split(f"{BETWEEN}\n")
        for shown, found in zip(shown_under(page), printed, strict=True):
            assert without_roundings(found) == without_roundings(shown or "")


def test_the_readme_is_short_and_shows_what_is_printed():
    assert PAGES["README.md"].count("\n") <= 200
    assert sum(text is not None for text in shown_under("README.md")) >= 4
    promises = ["Write it once", "Move its numbers", "Prove that", "Leave MXNet"]
    assert all(f"\n## {promise}" in PAGES["README.md"] for promise in promises)
    command = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]
    told = re.findall(r"^(pip install .*? && tox run)\s+# test it", PAGES["README.md"], re.M)
    assert len(told) == 1
    assert command.startswith(told[0])


def anchors(page):
    """What the headings of a page are called in links to them."""
    text = re.sub(r"^```.*?^```", "", PAGES[page], flags=re.M | re.S)
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_its_links_lead_somewhere(page):
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", PAGES[page], flags=re.M | re.S)
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", prose):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.resolve().exists(), f"{page}: no file {link}"
        if anchor:
            assert anchor in anchors(target.resolve().relative_to(ROOT).as_posix()), link


@pytest.mark.parametrize("section", SECTIONS)
def test_the_readme_links_it(section):
    """And each page is in the table of its section, without which the site is not built."""
    assert f"](docs/{section}/index.md)" in PAGES["README.md"]


def test_every_layer_and_operation_is_in_the_documentation():
    prose = re.sub(r"^```.*?^```", "", PAGES["docs/reference/layers.md"], flags=re.M | re.S)
    named = re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", prose)))
    assert {*layers.__all__, *ub.ops.__all__} <= {*named}


def test_every_cause_is_in_the_documentation():
    table = PAGES["docs/howto/same-models.md"].partition("## Causes")[2]
    listed = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.M)
    assert listed == [(name, sentence(name)) for name in CAUSES]
