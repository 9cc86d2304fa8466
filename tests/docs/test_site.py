"""The built site: its links lead somewhere, it needs no other site, and its notebooks stand alone.

`tox run -e docs` builds it, and `UNIFIED_BLOCKS_SITE` says where it is.
"""

import json
import os
import re
import subprocess
import sys
import zipfile
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import unified_blocks as ub
from testbed.where import ROOT

SITE = Path(os.environ.get("UNIFIED_BLOCKS_SITE", "nowhere")).absolute()
PAGES = sorted(page.relative_to(SITE).as_posix() for page in SITE.rglob("*.html"))
NOTEBOOKS = sorted(path.name for path in SITE.glob("notebooks/*.ipynb"))
ONLINE = os.environ.get("UNIFIED_BLOCKS_ONLINE") == "1"

pytestmark = pytest.mark.skipif(not PAGES, reason="no site at UNIFIED_BLOCKS_SITE")


class Reader(HTMLParser):
    """The links of a page, its ids, and what it loads."""

    def __init__(self):
        super().__init__()
        self.links, self.ids, self.loads, self.language = [], set(), [], None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "html":
            self.language = attrs.get("lang")
        if "id" in attrs:
            self.ids.add(attrs["id"])
        url = attrs.get("href") if tag in {"a", "link"} else attrs.get("src")
        if url:
            self.links.append(url)
            if tag != "a":
                self.loads.append(url)


@cache
def read(page):
    reader = Reader()
    reader.feed((SITE / page).read_text(encoding="utf-8"))
    return reader


def lost(links, folder):
    """Those of some links, seen from a folder, that lead nowhere."""
    found = []
    for link in links:
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (SITE / folder / unquote(parts.path)).resolve() if parts.path else None
        if target is not None and not target.is_file():
            found.append(link)
        elif parts.fragment and target is not None and target.suffix == ".html":
            page = target.relative_to(SITE).as_posix()
            if unquote(parts.fragment) not in read(page).ids:
                found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere_and_nothing_is_loaded_from_elsewhere(page):
    reader = read(page)
    own = [link for link in reader.links if link.startswith("#") and link != "#"]
    assert [link for link in own if unquote(link[1:]) not in reader.ids] == []
    assert lost(reader.links, Path(page).parent) == []
    assert [url for url in reader.loads if urlsplit(url).scheme not in {"", "data"}] == []
    assert reader.language == ("pt-BR" if page.startswith("capitulo/") else "en")


def test_a_link_that_leads_nowhere_is_found():
    assert lost(["speed.html#a-ported-network", "nowhere.html"], "costs") == ["nowhere.html"]
    assert lost(["../costs/speed.html#nowhere"], "start") == ["../costs/speed.html#nowhere"]


def test_every_page_of_the_documentation_is_in_the_site():
    pages = {
        path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        for path in (ROOT / "docs").glob("*/[!_]*.md")
        if not path.parent.name.startswith("_")
    }
    assert pages <= {*PAGES}


def test_every_page_that_runs_can_be_downloaded():
    pages = {
        f"{section}-{path.stem}.ipynb"
        for section in ("start", "chapter", "capitulo", "gallery")
        for path in (ROOT / "docs" / section).glob("*.md")
        if path.read_text(encoding="utf-8").startswith("---\nfile_format: mystnb\n")
    }
    assert pages == {*NOTEBOOKS}
    assert "start-first-block.ipynb" in NOTEBOOKS
    assert "../notebooks/start-first-block.ipynb" in read("start/first-block.html").links


def notebook(name):
    return json.loads((SITE / "notebooks" / name).read_text(encoding="utf-8"))["cells"]


def text(cell):
    return "".join(cell["source"])


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_stands_alone(name):
    cells = notebook(name)
    code = [text(cell) for cell in cells if cell["cell_type"] == "code"]
    assert code[0].startswith("%pip install -q --find-links . ")
    assert "mxnet==1.9.1" in code[0]
    assert not re.search(r"\.\./|:load:", "\n".join(code))
    for cell in code:
        if cell.startswith("%%bash\n"):
            continue
        compile(re.sub(r"^[%!].*$", "", cell, flags=re.M), name, "exec")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_its_prose_is_plain_markdown_with_links_into_the_site(name):
    prose = "\n".join(text(cell) for cell in notebook(name) if cell["cell_type"] == "markdown")
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", prose, flags=re.M | re.S)
    assert not re.search(r"^(```|:::)\{|\{[\w:-]+\}|^\(.*\)=$", prose, re.M)
    assert lost(re.findall(r"\]\(([^)\s]+)\)", prose), "notebooks") == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_shows_what_its_page_shows(name):
    section, _, page = name.removesuffix(".ipynb").partition("-")
    source = (SITE / section / f"{page}.html").read_text(encoding="utf-8")
    shown, seen = words(unescape(re.sub(r"<[^>]+>", "", source))), 0
    for cell in notebook(name):
        printed = [output for output in cell.get("outputs", []) if "name" in output]
        assert [output["name"] for output in printed] in ([], ["stdout"])
        for output in printed:
            text_of_it = "".join(output["text"])
            assert words(text_of_it) in shown
            assert not re.search(r"^WARNING:|0x[0-9a-f]{6}", text_of_it, re.M)
        seen += bool(cell.get("outputs"))
    assert seen == len(re.findall(r'class="[^"]*\bcell_output\b', source)) > 0


def words(text):
    return " ".join(text.split())


def test_the_wheel_beside_the_notebooks_is_this_library():
    (wheel,) = (SITE / "notebooks").glob("unified_blocks-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        ours = packed.read("unified_blocks/__init__.py")
    assert ours == (ROOT / "unified_blocks" / "__init__.py").read_bytes()


@pytest.mark.skipif(not ONLINE, reason="UNIFIED_BLOCKS_ONLINE=1 looks at other sites")
def test_links_to_other_sites_lead_somewhere(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-b", "linkcheck", ROOT / "docs", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (tmp_path / "output.txt").read_text(encoding="utf-8")


def test_every_public_name_has_its_place_in_the_reference():
    ids = {
        name for page in PAGES if page.startswith("reference/generated/") for name in read(page).ids
    }
    named = [f"unified_blocks.{name}" for name in ub.__all__]
    named += [f"unified_blocks.ops.{name}" for name in ub.ops.__all__]
    constants = {"unified_blocks.KEEP", "unified_blocks.ops.KEEP"}
    modules = {"unified_blocks.ops", "unified_blocks.porting"}
    assert {*named} - ids == constants | modules
